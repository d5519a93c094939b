"""``app`` serves this machine only, says where, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from explorer.classroom.state import MOST_STUDENTS
from explorer.cli import main
from explorer.models.libraries.downloads import ALLOW_VARIABLE
from explorer.types.files.paths import ROOT_VARIABLE
from explorer.workbench.quotas import Quotas

ROOT = Path(__file__).resolve().parents[2]
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The app on a free port, started from another folder, and its address."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "explorer", "app", "digits-mlp", "--port", "0", "--json"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())["url"]
        process.kill()


@pytest.fixture(autouse=True)
def _environment() -> Iterator[None]:
    """What a command hands on to its server does not outlive the test."""
    with mock.patch.dict(os.environ):
        yield


def answer(url: str, process: subprocess.Popen[str]) -> int:
    """The status of the first answer; the server may need some seconds to come up."""
    for _ in range(300):
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        try:
            with urllib.request.urlopen(url, timeout=5) as reply:
                return int(reply.status)
        except OSError:
            time.sleep(0.1)
    pytest.fail("the app did not answer")


@pytest.mark.slow
def test_it_serves_where_it_says_and_ends_when_told(served: tuple[subprocess.Popen[str], str]) -> None:
    process, url = served
    assert url.startswith("http://127.0.0.1:")
    assert url.endswith("/?model=digits-mlp")
    assert answer(url, process) == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=300) in (0, -signal.SIGTERM)
    assert process.stdout is not None
    assert process.stdout.read() == ""
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url, timeout=2)


def test_a_taken_port_is_refused_when_it_was_asked_for(capsys: Capture) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert main(["app", "--port", str(port)]) == 2
    assert f"Port {port} is taken." in capsys.readouterr().err


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1"])
def test_other_addresses_need_a_word(address: str, capsys: Capture) -> None:
    assert main(["app", "--address", address]) == 2
    shown = capsys.readouterr().err
    assert "Other machines could then reach the app" in shown
    assert shown.count("\n") == 1


def test_a_name_that_no_link_can_hold_is_refused(capsys: Capture) -> None:
    assert main(["app", "\udcff.safetensors", "--port", "0", "--no-browser"]) == 2
    assert "no text in UTF-8" in capsys.readouterr().err


def test_a_root_that_is_no_folder_is_refused(tmp_path: Path, capsys: Capture) -> None:
    assert main(["app", "--port", "0", "--root", str(tmp_path / "absent")]) == 2
    assert "is not a folder. Give --root a folder that exists." in capsys.readouterr().err


def test_an_address_this_machine_does_not_have_is_refused(capsys: Capture) -> None:
    assert main(["app", "--address", "192.0.2.1", "--open-to-network"]) == 2
    assert "This machine has no address 192.0.2.1" in capsys.readouterr().err


def test_the_settings_keep_everything_on_this_machine() -> None:
    import tomllib

    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert settings["browser"]["gatherUsageStats"] is False
    assert settings["server"]["address"] == "127.0.0.1"
    assert settings["server"]["allowedHosts"] == ["127.0.0.1", "localhost"]
    assert settings["server"]["maxUploadSize"] == 200
    assert settings["client"]["showErrorDetails"] == "none"
    assert settings["runner"]["postScriptGC"] is False
    assert settings["global"]["minCachedMessageSize"] > 2**31  # no message is as large


def test_downloads_are_allowed_by_a_flag_and_never_where_others_reach_the_app(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert main(["app", "--open-to-network", "--allow-download", "--port", "0", "--no-browser"]) == 2
    assert "An app that is open to the network downloads nothing." in capsys.readouterr().err
    monkeypatch.setattr("explorer.cli.run.app._serve", lambda *args, **options: 0)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv(ALLOW_VARIABLE, "1")
    assert main(["app", "--port", "0", "--no-browser"]) == 0
    assert ALLOW_VARIABLE not in os.environ
    assert main(["app", "--port", "0", "--no-browser", "--allow-download"]) == 0
    assert os.environ[ALLOW_VARIABLE] == "1"
    assert str(tmp_path) in os.environ[ROOT_VARIABLE].split(os.pathsep)


def test_a_class_is_begun_with_its_link_and_key_and_gone_on_with_without_the_key(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("explorer.cli.run.app._serve", lambda *args, **options: 0)
    command = ["app", "--port", "0", "--no-browser", "--data-dir", str(tmp_path), "--class", "7b physics"]
    abouts = []
    for more in ([], [], ["--new-key"]):
        assert main([*command, "--json", *more]) == 0
        abouts.append(json.loads(capsys.readouterr().out)["class"])
    first, second, third = abouts
    assert first["join"].startswith("http://127.0.0.1:")
    assert first["join"].endswith(f"/learn?class={first['code']}")
    assert first["code"] == second["code"] == third["code"]
    assert "key" not in second
    assert first["key"] != third["key"]
    assert os.environ["PRUNING_EXPLORER_CLASS"] == "7b physics"
    assert Quotas.here().visitors >= MOST_STUDENTS
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert first["code"] in shown
    assert first["key"] not in shown
    assert third["key"] not in shown


def test_a_class_without_a_name_and_a_key_without_a_class_are_refused(capsys: Capture, tmp_path: Path) -> None:
    command = ["app", "--port", "0", "--no-browser", "--data-dir", str(tmp_path)]
    assert main([*command, "--class", " "]) == 2
    assert "no name of a class" in capsys.readouterr().err
    assert main([*command, "--new-key"]) == 2
    assert "Add --class NAME" in capsys.readouterr().err
