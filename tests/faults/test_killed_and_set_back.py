"""Processes that are killed, memory that is used up, a clock that is set back: a sentence, and the next step works."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import explorer as ex
from explorer import export
from explorer.engine.jobs import JobQueue
from explorer.errors import ExplorerError
from explorer.models import reader
from explorer.store.database import Store
from tests.store.recorded import record

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal that kills")
WEIGHTS = "sample_models/digits-mlp.safetensors"


@pytest.fixture
def killed(tmp_path: Path) -> str:
    """A Python whose every process ends as by ``kill -9``."""
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nkill -KILL $$\n", encoding="ascii")
    python.chmod(0o755)
    return str(python)


@POSIX
def test_a_reader_that_is_killed_is_a_sentence_and_the_file_opens_next_time(
    killed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(sys, "executable", killed)
        with pytest.raises(ExplorerError, match="cannot be opened"):
            reader.read_file(Path(WEIGHTS), "w.safetensors")
    assert ex.load(WEIGHTS, arch="digits-mlp").module is not None


@POSIX
def test_an_onnx_process_that_is_killed_is_a_sentence_leaves_the_old_file_and_can_be_tried_again(
    killed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    model = ex.load("digits-mlp")
    half = ex.plan(model, ex.PruneSpec("weight", "lp_norm", "uniform:sparsity=0.5"))
    target = tmp_path / "model.onnx"
    target.write_text("old")
    with monkeypatch.context() as patched:
        patched.setattr(sys, "executable", killed)
        with pytest.raises(ExplorerError, match="could not be converted to ONNX"):
            export.write_onnx(model, half, target, force=True)
    assert target.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.onnx", "python"]
    export.write_onnx(model, half, target, force=True)
    assert target.stat().st_size > 100


def test_a_job_that_needs_more_memory_than_there_is_keeps_its_results_and_the_next_one_runs() -> None:
    def greedy() -> Iterator[int]:
        yield 1
        torch.empty(2**60, dtype=torch.uint8)

    queue = JobQueue(1)
    bad = queue.submit("greedy", "ann", "greedy", greedy, 2)
    good = queue.submit("small", "ann", "small", lambda: iter([1, 2]), 2)
    assert bad.wait(300)
    assert good.wait(300)
    assert (bad.state, bad.results, good.state, good.results) == ("failed", [1], "done", [1, 2])
    assert bad.reason


def test_what_is_measured_after_the_clock_was_set_back_is_recorded_beside_what_was_there(tmp_path: Path) -> None:
    ahead, back = record(0), replace(record(1), time="2001-01-01T00:00:00.000000+00:00")
    Store(tmp_path).record_point(ahead)
    number = Store(tmp_path).record_point(back)
    assert {r.time for r in Store(tmp_path).points()} == {ahead.time, back.time}
    assert Store(tmp_path).point(number).point.plan_digest == "plan-1"
    # The same measurement again, still by the clock that was set back: one record, and the same one.
    again = Store(tmp_path).record_point(replace(ahead, time=back.time))
    assert len(Store(tmp_path).points()) == 2
    assert Store(tmp_path).point(again).point.plan_digest == "plan-0"
