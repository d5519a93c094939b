"""What goes wrong leaves its trace in a file that its owner alone can read."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import explorer
from explorer.cli import COMMANDS, main
from explorer.engine.jobs import JobQueue
from explorer.errors import ExplorerError
from explorer.store import log_file
from explorer.ui.shell.tasks import failure
from tests.cli.asked import Capture, refusal


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The log file of a data folder of its own, in use until the test ends."""
    monkeypatch.setenv("PRUNING_EXPLORER_DATA", str(tmp_path / "data"))
    yield log_file.start()
    monkeypatch.undo()
    log_file.start()


def broken() -> Iterator[int]:
    yield 1
    {}["a key that is not there"]


def test_a_bug_in_a_job_leaves_its_trace_in_the_log_file_and_a_sentence_that_names_it(log: Path) -> None:
    job = JobQueue(1).submit("k", "ann", "scan", broken, 2)
    assert job.wait(300)
    trace = log.read_text(encoding="utf-8")
    assert "Traceback" in trace
    assert "in broken" in trace
    assert "KeyError: 'a key that is not there'" in trace
    assert str(log) in job.reason
    assert "KeyError" in job.reason
    assert str(log) in (failure([job]) or "")


def test_a_refused_job_is_no_bug_and_leaves_no_trace_at_the_usual_level(log: Path) -> None:
    def refused() -> Iterator[int]:
        raise ExplorerError("There is no fit split.", fix="Choose other data.")
        yield

    job = JobQueue(1).submit("k", "ann", "scan", refused, 1)
    assert job.wait(300)
    assert job.reason == "There is no fit split. Choose other data."
    assert not log.exists()


def test_a_log_file_is_made_when_there_is_something_to_write_and_for_its_owner_alone(log: Path) -> None:
    assert not log.parent.exists()
    before = os.umask(0)
    try:
        logging.getLogger("explorer.anywhere").error("one line")
    finally:
        os.umask(before)
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert stat.S_IMODE(log.parent.stat().st_mode) == 0o700


def test_a_log_file_never_grows_beyond_four_of_a_megabyte(log: Path) -> None:
    for _ in range(60):
        logging.getLogger("explorer.anywhere").error("x" * 100_000)
    files = sorted(log.parent.iterdir())
    assert len(files) == 4
    assert all(file.stat().st_size <= 1_000_000 for file in files)


def test_a_link_in_the_place_of_the_log_file_is_not_followed_and_work_goes_on(log: Path, tmp_path: Path) -> None:
    log.parent.mkdir()
    log.symlink_to(tmp_path / "elsewhere")
    logging.getLogger("explorer.anywhere").error("one line")
    assert not (tmp_path / "elsewhere").exists()


def test_every_command_says_that_it_takes_a_log_level_and_which_is_the_usual_one(capsys: Capture) -> None:
    for command in COMMANDS:
        with pytest.raises(SystemExit):
            main([command.NAME, "--help"])
        words = " ".join(capsys.readouterr().out.split())
        assert "--log-level LEVEL" in words, command.NAME
        assert "debug, info, warning, error (default: warning)" in words, command.NAME


def test_a_refused_command_leaves_its_trace_where_the_level_asks_for_it(log: Path, capsys: Capture) -> None:
    refusal(capsys, "inspect", "no-such-model")
    assert not log.exists()
    line = refusal(capsys, "inspect", "no-such-model", "--log-level", "info")
    trace = log.read_text(encoding="utf-8")
    assert "Traceback" in trace
    assert line[:40] in trace


def test_a_bug_in_a_command_leaves_its_trace_and_is_not_hidden(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.cli.work_of", lambda command: lambda args: [][1])
    with pytest.raises(IndexError):
        main(["inspect", "digits-cnn"])
    assert "IndexError" in log.read_text(encoding="utf-8")


def test_own_code_that_fails_in_its_trial_leaves_its_own_trace(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "failing_net.py").write_text("def make():\n    return 1 / 0\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ExplorerError, match="ZeroDivisionError"):
        explorer.load("failing_net:make", trust_code=True)
    assert "return 1 / 0" in log.read_text(encoding="utf-8")


def test_the_library_prints_no_trace_where_nobody_set_up_logging() -> None:
    assert any(isinstance(h, logging.NullHandler) for h in logging.getLogger("explorer").handlers)


def test_the_app_logs_at_the_level_that_its_command_hands_on(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(log_file.VARIABLE, "info")
    AppTest.from_file(str(Path(__file__).resolve().parents[2] / "app.py"), default_timeout=300).run()
    assert logging.getLogger("explorer").level == logging.INFO
