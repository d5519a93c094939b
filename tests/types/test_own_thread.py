"""A thread of one's own: answers and errors come back, and it is gone before the process is."""

from __future__ import annotations

import subprocess
import sys

import pytest

from explorer.types.own_thread import OwnThread

LEAVES = """
import atexit, threading, time
atexit.register(lambda: print([t.name for t in threading.enumerate()]))  # the last of all handlers
from explorer.types.own_thread import OwnThread
OwnThread("held by nobody").do(lambda: time.sleep(0.05))
held = OwnThread("held")
held.do(lambda: time.sleep(0.05))
"""


def test_what_was_done_comes_back_and_so_does_an_error() -> None:
    thread = OwnThread("test")
    assert thread.do(lambda: 6 * 7).result() == 42
    with pytest.raises(ZeroDivisionError):
        thread.do(lambda: 1 / 0).result()
    assert thread.do(lambda: "goes on").result() == "goes on"
    thread.end()


def test_its_threads_are_gone_when_the_process_ends_whoever_holds_them() -> None:
    ended = subprocess.run([sys.executable, "-c", LEAVES], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "['MainThread']"
    assert not ended.stderr
