"""Ending the server ends its threads, whatever they compute."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.app.screen import Screen
from tests.app.server import REPOSITORY, _wait

pytest_plugins = ("tests.browser",)
pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize("turn", [0, 1])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_server_that_is_ended_in_the_midst_of_its_work_ends_at_once_and_in_silence(
    chromium: Browser, tmp_path: Path, number: signal.Signals, turn: int
) -> None:
    command = [sys.executable, "-m", "explorer", "app", "--port", "0", "--json", "--root", str(tmp_path)]
    environment = {**os.environ, "XDG_DATA_HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}
    log = tmp_path / "app.log"
    with (
        log.open("w", encoding="utf-8") as stderr,
        subprocess.Popen(
            command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=stderr, text=True
        ) as process,
    ):
        try:
            assert process.stdout is not None
            address = str(json.loads(process.stdout.readline())["url"]).rstrip("/")
            _wait(f"{address}/_stcore/health", process)
            context = chromium.new_context()
            screen = Screen(context.new_page(), address)
            screen.page.goto(f"{address}/?model=digits-resnet")
            expect(screen.page.get_by_text("Measuring the curves")).to_be_visible()
            process.send_signal(number)
            process.wait(30)
            context.close()
        finally:
            process.kill()
    words = log.read_text(encoding="utf-8")
    assert process.returncode == {signal.SIGINT: 1, signal.SIGTERM: -signal.SIGTERM}[number], words
    for bad in ("terminate called", "Traceback", "FATAL", "core dumped"):
        assert bad not in words, words
