"""A server that is killed or ended while a visitor's scan runs: what the page says, and what is kept."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.app.screen import Screen
from tests.app.server import app_process, many_samples

pytest_plugins = ("tests.browser",)
pytestmark = [pytest.mark.browser, pytest.mark.slow]

SCAN = "/sensitivity?model=digits-resnet&data=npz:many.npz"
RUNNING = re.compile(r"\d+ running")


def n_cells(store: Path) -> int:
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as database:
        return int(database.execute("SELECT count(*) FROM cells").fetchone()[0])


def scanned(screen: Screen, store: Path) -> None:
    """Begin the longest scan, and wait until something of it is stored."""
    screen.page.goto(f"{screen.address}{SCAN}")
    screen.page.get_by_role("radio", name="fine").click()
    screen.button("Scan").click()
    expect(screen.page.get_by_role("button", name=RUNNING)).to_be_visible()
    deadline = time.monotonic() + 300
    while not store.exists() or n_cells(store) < 3:
        assert time.monotonic() < deadline, "no cell was stored"
        screen.page.wait_for_timeout(100)


def stop(screen: Screen) -> None:
    """Stop is on the page; the same work stands with a Stop of its own under the header's count."""
    screen.page.get_by_role("button", name=re.compile("Stop$")).first.click()
    expect(screen.page.get_by_text(re.compile("Stopped after"))).to_be_visible()


def children_of(process: subprocess.Popen[str]) -> list[int]:
    return [int(n) for n in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def test_a_page_whose_server_is_killed_says_so_and_goes_on_from_what_is_kept(chromium: Browser, tmp_path: Path) -> None:
    store = tmp_path / "runs.sqlite"
    many_samples(tmp_path)
    with app_process(tmp_path) as (process, address):
        screen = Screen(chromium.new_context().new_page(), address)
        scanned(screen, store)
        before, link = n_cells(store), screen.page.url
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        expect(screen.page.get_by_text("The server does not answer.")).to_be_visible()
    assert n_cells(store) >= before >= 3

    with app_process(tmp_path, port=urlsplit(address).port or 0) as (process, _):
        expect(screen.page.get_by_text("The server does not answer.")).to_have_count(0)
        other = Screen(chromium.new_context().new_page(), address)
        other.page.goto(link)
        again = other.button("Go on").first
        again.dblclick()
        expect(other.page.get_by_role("button", name=re.compile("1 running"))).to_be_visible()
        expect(other.page.get_by_text(re.compile("[2-9] running"))).to_have_count(0)
        cells = n_cells(store)
        stop(other)
        assert n_cells(store) >= cells

        other.button("Go on").first.click()
        expect(other.page.get_by_role("button", name=RUNNING)).to_be_visible()
        children, began = children_of(process), time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        assert time.monotonic() - began < 10
        assert [child for child in children if Path(f"/proc/{child}").exists()] == []
    with sqlite3.connect(store) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
