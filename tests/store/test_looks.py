"""Looks at the locked test split are counted for good."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from explorer.errors import ExplorerError
from explorer.store.looks import count_look, looks, looks_file

ROOT = Path(__file__).resolve().parents[2]


def test_nobody_has_looked_at_first(tmp_path: Path) -> None:
    assert looks("m", "d", tmp_path) == 0
    assert not looks_file(tmp_path).exists()


def test_each_look_counts_for_its_own_model_and_data(tmp_path: Path) -> None:
    assert [count_look("m", "d", tmp_path) for _ in range(3)] == [1, 2, 3]
    assert count_look("m", "other", tmp_path) == 1
    assert count_look("other", "d", tmp_path) == 1
    assert looks("m", "d", tmp_path) == 3


def test_the_folder_is_made_where_it_is_missing(tmp_path: Path) -> None:
    assert count_look("m", "d", tmp_path / "new" / "folder") == 1
    assert looks("m", "d", tmp_path / "new" / "folder") == 1


def test_processes_at_once_lose_no_look(tmp_path: Path) -> None:
    code = "import sys; from explorer.store.looks import count_look as c; [c('m', 'd', sys.argv[1]) for _ in range(10)]"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    processes = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], env=environment) for _ in range(3)]
    assert [p.wait(timeout=300) for p in processes] == [0, 0, 0]
    assert looks("m", "d", tmp_path) == 30


def test_a_run_killed_while_it_counts_does_not_make_the_next_one_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = """
import sys
from pathlib import Path
from explorer.store.lock import alone
with alone(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, str(tmp_path / "looks.lock")]
    holder = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    monkeypatch.setattr("explorer.store.lock._PATIENCE_S", 0.0)
    with pytest.raises(ExplorerError, match="Another run holds it"):
        count_look("m", "d", tmp_path)
    holder.kill()
    holder.communicate(timeout=60)
    assert count_look("m", "d", tmp_path) == 1


def test_the_count_is_for_this_user_alone(tmp_path: Path) -> None:
    count_look("m", "d", tmp_path / "new")
    assert {p.name: p.stat().st_mode & 0o777 for p in (tmp_path / "new").iterdir()} == {
        "looks.json": 0o600,
        "looks.lock": 0o600,
    }
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("content", ["{", "[]", json.dumps({"m/d": "many"}), "\x00"])
def test_a_damaged_record_is_refused_and_kept(tmp_path: Path, content: str) -> None:
    looks_file(tmp_path).write_text(content)
    with pytest.raises(ExplorerError, match="damaged"):
        count_look("m", "d", tmp_path)
    assert looks_file(tmp_path).read_text() == content


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ExplorerError, match="could not be written"):
        count_look("m", "d", tmp_path / "file")
