"""Processes that are killed, and memory that is used up: a sentence says so, and the next action works."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import explorer as ex
from explorer.__main__ import main
from explorer.cli.run import evaluate
from explorer.engine.backends.queue import Queue
from explorer.engine.jobs import JobQueue
from explorer.errors import ExplorerError
from explorer.export.slim import write_slim
from explorer.models.from_onnx import opened
from explorer.types.files.reading.launch import Clocks
from tests.engine.backends.test_queue import PIECES, Doubling, gathered, put, worker
from tests.models.onnx_files import exported, mlp, pictures

MEMORY = "The memory of this machine was not enough."
TOO_MUCH = 2**62  # bytes: no machine has them


@contextmanager
def all_killed(folder: Path) -> Iterator[None]:
    """While it lasts, every process that we start is killed as soon as it runs."""
    python = folder / "python"
    python.write_text("#!/bin/sh\nkill -KILL $$\n", encoding="ascii")
    python.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "executable", str(python))
        yield


def allocating() -> Iterator[int]:
    yield 1
    torch.empty(TOO_MUCH, dtype=torch.uint8)
    yield 2


def test_a_reader_that_is_killed_is_named_and_the_file_opens_the_next_time(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    save_file({"layer.weight": torch.ones(3, 4)}, path)
    with all_killed(tmp_path), pytest.raises(ExplorerError, match="mine.safetensors.* ended from outside"):
        ex.load(str(path))
    assert ex.load(str(path)).weights["layer.weight"].shape == (3, 4)


def test_an_onnx_process_that_is_killed_is_named_and_the_file_runs_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnx2fx")
    pytest.importorskip("onnxruntime")
    path = exported(mlp(), pictures(2), tmp_path / "net.onnx")
    real = opened.run

    def run(module: str, arguments: Sequence[str], folder: Path, clocks: Clocks) -> str | None:
        with all_killed(tmp_path):
            return real(module, arguments, folder, clocks)

    with monkeypatch.context() as patch:  # the reader of the weights lives on
        patch.setattr(opened, "run", run)
        model = ex.load(str(path))
    assert model.module is None
    assert "ended from outside" in str(model.why_not_runnable)
    assert isinstance(ex.load(str(path)).module, nn.Module)


def test_a_slim_export_whose_proof_is_killed_leaves_no_file_and_works_the_next_time(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    model = ex.load("digits-mlp")
    plan = ex.plan(model, ex.PruneSpec("out_channel", "lp_norm", "uniform:sparsity=0.5"))
    with all_killed(tmp_path), pytest.raises(ExplorerError, match="status -9"):
        write_slim(model, plan, folder / "out.safetensors")
    assert os.listdir(folder) == []
    write_slim(model, plan, folder / "out.safetensors")
    assert sorted(os.listdir(folder)) == ["out.arch.json", "out.safetensors"]


def test_a_job_that_needs_too_much_memory_is_no_bug_keeps_its_results_and_the_next_one_runs() -> None:
    queue = JobQueue(1)
    large = queue.submit("large", "ann", "large", allocating, 2)
    small = queue.submit("small", "ann", "small", lambda: iter([1]), 1)
    assert large.wait(300)
    assert small.wait(300)
    assert (large.state, large.results, small.state) == ("failed", [1], "done")
    assert large.reason.startswith(MEMORY)
    assert "bug" not in large.reason


def test_a_worker_that_needs_too_much_memory_says_so_and_does_the_other_pieces(tmp_path: Path) -> None:
    def fault(number: int) -> None:
        if number == 3:
            list(allocating())

    job = put(tmp_path)
    worker(tmp_path, Doubling(fault)).work()
    assert MEMORY in str(job.state())
    put(tmp_path)
    worker(tmp_path, Doubling()).work()
    assert gathered(tmp_path) == [2 * n for n in range(len(PIECES))]
    assert len(Queue(tmp_path).jobs()) == 1


def test_a_command_that_needs_too_much_memory_ends_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(evaluate, "run", lambda args: list(allocating()))
    assert main(["evaluate", "digits-mlp", "--sparsity", "0.5"]) == 2
    assert capsys.readouterr().err.startswith(MEMORY)
