"""Reading processes: two at once, bound to whoever started them, and believed no more than the file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from explorer import models
from explorer.errors import ExplorerError
from explorer.models import reader
from explorer.types.files.reading import launch

WAITS = """
import os, time, pathlib
def main(place):
    place = pathlib.Path(place)
    (place / f"in-{os.getpid()}").touch()
    while not (place / "go").exists():
        time.sleep(0.01)
    (place / f"saw-{len(list(place.glob('in-*')))}-{os.getpid()}").touch()
    (place / f"in-{os.getpid()}").unlink()
    return 0
"""


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "waits.py").write_text(WAITS, encoding="ascii")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def test_at_most_two_read_at_once_and_the_others_wait_for_their_turn(place: Path) -> None:
    broke: list[str | None] = []

    def read() -> None:
        broke.append(launch.run("waits", (str(place),), place, launch.Clocks.of(0)))

    threads = [threading.Thread(target=read) for _ in range(5)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(list(place.glob("in-*"))) == 2)
    (place / "go").touch()
    for thread in threads:
        thread.join()
    assert broke == [None] * 5
    seen = [int(path.name.split("-")[1]) for path in place.glob("saw-*")]
    assert len(seen) == 5
    assert max(seen) <= 2


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not say who started a process")
def test_a_reader_ends_with_the_process_that_started_it(place: Path) -> None:
    start = f"run('waits', ({str(place)!r},), {str(place)!r}, Clocks.of(0))"
    code = f"from explorer.types.files.reading.launch import *; {start}"
    path = os.pathsep.join((str(launch._ROOT), str(place)))
    asker = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path})
    wait_for(lambda: bool(list(place.glob("in-*"))))
    (reader_id,) = (int(file.name.removeprefix("in-")) for file in place.glob("in-*"))
    asker.send_signal(signal.SIGKILL)
    asker.wait()
    wait_for(lambda: not _runs(reader_id))
    assert not list(place.glob("saw-*"))


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"


TRIES = """
import json, os, pathlib, socket, subprocess, sys, threading
from explorer.types.files.reading.limits import restrict, start_clocks

def attempt(work):
    try:
        work()
    except BaseException as error:
        return type(error).__name__
    return "done"

def in_a_thread(work):
    outcome = []
    thread = threading.Thread(target=lambda: outcome.append(attempt(work)))
    thread.start()
    thread.join()
    return outcome[0]

def main(place):
    place = pathlib.Path(place)
    confined, outcomes = threading.Event(), {}
    def waiting():
        confined.wait()
        outcomes["connect in a thread that was there before"] = attempt(lambda: socket.socket())
    before = threading.Thread(target=waiting)
    before.start()
    start_clocks(30.0, 60.0)
    restrict(10**6)
    confined.set()
    before.join()
    program = [sys.executable, "-c", f"open({str(place / 'ran')!r}, 'w')"]
    outcomes |= {
        "program": attempt(lambda: subprocess.run(program, check=True)),
        "shell": attempt(lambda: (place / "ran").touch() if os.system("true") == 0 else 1 / 0),
        "exec": attempt(lambda: os.execv(program[0], program)),
        "socket": attempt(lambda: socket.socket()),
        "connect": attempt(lambda: socket.create_connection(("127.0.0.1", 9), timeout=1)),
        "socket in a thread": in_a_thread(lambda: socket.socket(socket.AF_UNIX)),
        "file": attempt(lambda: (place / "written").write_text("x")),
    }
    (place / "outcomes.json").write_text(json.dumps(outcomes))
    return 0
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process give up calls")
def test_a_reader_starts_no_program_and_connects_to_nobody(place: Path) -> None:
    (place / "tries.py").write_text(TRIES, encoding="ascii")

    assert launch.run("tries", (str(place),), place, launch.Clocks.of(0)) is None

    outcomes = json.loads((place / "outcomes.json").read_text())
    assert outcomes.pop("file") == "done"
    assert "done" not in outcomes.values(), outcomes
    assert len(outcomes) == 7
    assert not (place / "ran").exists()


REPORT = {"names": ["a"], "aliases": {}, "repairs": [], "oddities": [], "facts": {}, "metadata": {}}
LIES: dict[str, object] = {
    "a list": [],
    "nothing": None,
    "a number": 1,
    "names of tensors that are not there": REPORT | {"names": ["a", "b"]},
    "fewer names than tensors": REPORT | {"names": []},
    "names that are numbers": REPORT | {"names": [1]},
    "one text as names": REPORT | {"names": "a"},
    "names that are nothing": REPORT | {"names": None},
    "another name of nothing": REPORT | {"aliases": {"b": "zz"}},
    "another name that is a number": REPORT | {"aliases": {"b": 1}},
    "other names as a list": REPORT | {"aliases": [1]},
    "another name that is taken": REPORT | {"aliases": {"a": "a"}},
    "repairs that are nothing": REPORT | {"repairs": None},
    "a repair that is a list": REPORT | {"repairs": [["x"]]},
    "facts as a list": REPORT | {"facts": [1]},
    "a fact with parts": REPORT | {"facts": {"epoch": [1]}},
    "a text as metadata": REPORT | {"metadata": "x"},
    "metadata that is no text": REPORT | {"metadata": {"explorer": {}}},
    "a refusal without advice": {"why": "x"},
    "a refusal that is a number": {"why": 1, "fix": "x"},
}


def answered(monkeypatch: pytest.MonkeyPatch, report: bytes, tensors: bytes) -> str:
    def lie(path: Path, folder: Path, *rest: object) -> None:
        (folder / "report.json").write_bytes(report)
        (folder / "tensors.safetensors").write_bytes(tensors)

    monkeypatch.setattr(reader, "_run", lie)
    with pytest.raises(ExplorerError) as caught:
        models.open_upload(b"anything", "w.pt")
    return str(caught.value)


def test_an_answer_that_is_not_of_the_form_agreed_on_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = save({"t0": torch.zeros(2)})
    for what, report in LIES.items():
        assert "no usable answer" in answered(monkeypatch, json.dumps(report).encode(), sound), what
    for what, noise in (("no JSON", b"{"), ("noise", bytes(range(256))), ("nested", b"[" * 100_000)):
        assert "no usable answer" in answered(monkeypatch, noise, sound), what
    for what, tensors in (("noise", bytes(range(256))), ("none", b""), ("others", save({"x": torch.zeros(2)}))):
        assert "no usable answer" in answered(monkeypatch, json.dumps(REPORT).encode(), tensors), what


def test_tensors_larger_than_the_file_may_open_to_are_not_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "opened_bytes", lambda n: 1000)
    monkeypatch.setattr(reader, "MAX_HEADER_BYTES", 1000)
    large = save({"t0": torch.zeros(1000)})
    assert "no usable answer" in answered(monkeypatch, json.dumps(REPORT).encode(), large)


def test_a_refusal_of_a_hundred_pages_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    long = json.dumps({"why": "x" * 500_000, "fix": "y" * 500_000}).encode()
    assert len(answered(monkeypatch, long, b"")) < 5000


def test_the_reading_process_is_bound_to_its_parent_before_anything_heavy_is_imported() -> None:
    code = "import sys, explorer.types.files.reading.__main__; print({'torch', 'numpy', 'PIL'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
