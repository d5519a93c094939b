"""A file is complete or absent, whatever happens while it is written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from explorer.errors import ExplorerError
from explorer.store.atomic import replacing, write_text

ROOT = Path(__file__).resolve().parents[2]


def run(code: str, *arguments: object) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_new_text_is_there_and_nothing_else(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "näh")
    write_text(tmp_path / "a.txt", "neu")
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "neu"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_the_old_file_stays_when_writing_fails(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(TypeError), replacing(path) as temporary:
        temporary.write_text(str(temporary.write_text("half")) + 3)  # type: ignore[operator]
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_the_old_file_is_whole_until_the_very_end(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"


def test_an_existing_file_keeps_its_permissions_and_a_new_one_gets_the_usual(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    (tmp_path / "old").write_text("")
    (tmp_path / "old").chmod(0o600)
    write_text(tmp_path / "old", "x")
    write_text(tmp_path / "new", "x")
    assert (tmp_path / "old").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("name", ["absent/a.txt", ".", "x" * 300])
def test_a_place_that_cannot_be_written_is_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(ExplorerError, match="could not be written") as caught:
        write_text(tmp_path / name, "x")
    assert caught.value.why
    assert caught.value.fix
    assert os.listdir(tmp_path) == []


def test_a_pipe_is_refused_and_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ExplorerError, match="not a plain file"):
        write_text(tmp_path / "pipe", "x")
    assert (tmp_path / "pipe").is_fifo()


def test_a_full_disk_leaves_the_old_file_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    code = """
        import resource, sys
        from explorer.errors import ExplorerError
        from explorer.store.atomic import write_text
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            write_text(sys.argv[1], "x" * 5000)
        except ExplorerError as error:
            sys.exit(str(error))
    """
    process = run(code, path)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "could not be written. The file would be larger than this system allows." in errors
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_process_killed_at_any_moment_leaves_the_old_or_the_new_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    texts = {"a" * 3_000_000, "b" * 3_000_000}
    path.write_text("a" * 3_000_000)
    code = """
        import sys
        from explorer.store.atomic import write_text
        print("ready", flush=True)
        while True:
            for letter in "ab":
                write_text(sys.argv[1], letter * 3_000_000)
    """
    for delay in (0.0, 0.004, 0.011, 0.023, 0.05):
        process = run(code, path)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert path.read_text() in texts
