"""A file that computes or hangs for ever is ended; a machine that is merely busy refuses nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import save_file
from torch import ones

from explorer.errors import ExplorerError
from explorer.models import reader
from explorer.types.files.reading import limits

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such clocks")

# Only the limits themselves are loaded, without torch: a process of this kind starts in no time.
_BEGIN = """
import importlib.util, sys, time
for name in ("confined", "limits"):
    whole = "explorer.types.files.reading." + name
    spec = importlib.util.spec_from_file_location(whole, {folder!r} + name + ".py")
    limits = sys.modules[whole] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(limits)
limits.start_clocks({computing}, {waiting})
"""


def ended(what: str, computing: float, waiting: float) -> int:
    begin = _BEGIN.format(folder=f"{Path(limits.__file__).parent}/", computing=computing, waiting=waiting)
    return subprocess.run([sys.executable, "-I", "-c", begin + what], timeout=300, check=False).returncode


def test_what_computes_for_ever_is_ended_by_its_processor_time() -> None:
    assert ended("while True: pass", computing=0.2, waiting=50) == -signal.SIGXCPU


def test_what_waits_for_ever_is_ended_by_the_clock() -> None:
    assert ended("time.sleep(1000)", computing=50, waiting=0.3) == -signal.SIGALRM


def test_what_only_has_to_wait_for_its_turn_is_not_ended_however_little_it_may_compute() -> None:
    # On a busy machine most of the time passes without the process: here, all of it beyond its second.
    assert ended("time.sleep(1.6)", computing=0.2, waiting=50) == 0


def test_reading_may_take_far_longer_by_the_clock_than_it_computes() -> None:
    for n_bytes in (0, 10**6, 4 * 10**9):
        assert limits.waiting_seconds(n_bytes) > 10 * limits.computing_seconds(n_bytes) >= 80


@pytest.mark.parametrize(("kind", "words"), [("XCPU", "more than 8 s of computing"), ("ALRM", "longer than 140 s")])
def test_a_file_that_ran_out_of_time_is_refused_with_the_time_that_it_had(
    kind: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_file({"w": ones(3)}, tmp_path / "slow.safetensors")
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\nkill -{kind} $$\n", encoding="ascii")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))

    with pytest.raises(ExplorerError, match=words):
        reader.read_file(tmp_path / "slow.safetensors", "slow.safetensors")
