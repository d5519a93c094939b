"""What killed processes leave goes; what belongs to a living one, or may belong to one, stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from explorer.store.atomic import write_text
from explorer.types.files import leftovers
from explorer.types.files.reading.scratch import scratch

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.skipif(os.name == "nt", reason="nothing is swept there")

HOLDER = """
import sys
from pathlib import Path
from explorer.types.files.reading.scratch import scratch
from explorer.store.atomic import replacing
with replacing(Path(sys.argv[1], "a.txt")) as part, scratch(sys.argv[1]) as folder:
    (folder / "much").write_text("x")
    print("open", flush=True)
    sys.stdin.read()
"""


def holder(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HOLDER, str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    return process


def use(folder: Path) -> None:
    write_text(folder / "b.txt", "x")
    with scratch(folder):
        pass


def test_files_and_folders_of_a_living_process_stay_and_those_of_a_killed_one_go(tmp_path: Path) -> None:
    living, killed = holder(tmp_path), holder(tmp_path)
    both = set(os.listdir(tmp_path))
    assert len(both) == 4
    use(tmp_path)
    assert set(os.listdir(tmp_path)) == {*both, "b.txt"}
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=60)
    use(tmp_path)
    left = set(os.listdir(tmp_path)) - {"b.txt"}
    assert {name for name in both if f"-{living.pid}" in name} == left
    living.communicate(timeout=60)
    use(tmp_path)
    assert set(os.listdir(tmp_path)) == {"a.txt", "b.txt"}


def test_what_may_belong_to_a_living_process_or_to_another_program_stays(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait(timeout=60)
    machine = leftovers.mark().partition("-")[0]
    stay = {".a.txt.0badf00d-1.x.part", f".a.txt.{machine}-{os.getpid()}.x.part", ".mine.part", "a.part"}
    for name in {*stay, f".a.txt.{machine}-{dead.pid}.x.part"}:
        (tmp_path / name).write_text("")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f".b.{machine}-{dead.pid}.x.part").symlink_to(tmp_path / "elsewhere")
    leftovers.sweep(tmp_path, ".", ".part")
    assert set(os.listdir(tmp_path)) == {*stay, "elsewhere"}
