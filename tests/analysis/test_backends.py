"""The table is the same wherever it is measured, and a worker takes no other model or data."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import explorer as ex
from explorer.analysis.pieces.opened import OpenedJob
from explorer.analysis.sensitivity.cell import Cell
from explorer.cli import main
from explorer.engine.backends import SharedFolder
from explorer.engine.backends.base import Allowed, Backend, Piece, PieceJob, Result, performer
from explorer.engine.backends.queue import JobFolder, Queue
from explorer.engine.backends.worker import Terms, Worker
from explorer.store.database import Store
from explorer.types.aliases import JsonDict
from tests.every import for_each
from tests.house import ROOT

LEVELS = (0.0, 0.3, 0.6, 0.7, 0.8, 0.9)
CHANNELS = ex.PruneSpec("out_channel")


def folder(path: Path) -> SharedFolder:
    """A shared folder with a worker that does all there is at every look, in this process, by address and digest."""
    worker = Worker(Queue(path), performer(Allowed(threads=1)), Terms(idle_s=0.0, poll_s=0.0))
    return SharedFolder(path, poll_s=0.01, on_look=worker.work)


def table(cells: Iterator[Cell]) -> list[JsonDict]:
    return sorted((c.to_json() for c in cells if c.complete), key=lambda cell: (cell["group"], cell["level"]))


@for_each(
    "asked",
    [
        {"spec": CHANNELS},
        {"spec": CHANNELS, "mode": "verified"},
        {"spec": ex.PruneSpec("weight", "taylor"), "layers": ("head.fc", "block2.conv1")},
        {"spec": CHANNELS, "max_drop": 0.05},
        {"spec": CHANNELS, "metric": "balanced_accuracy", "n_samples": 100},
        {"spec": CHANNELS, "split": "test"},
    ],
)
def test_a_scan_is_the_same_bit_for_bit(tmp_path_factory: pytest.TempPathFactory, asked: dict[str, Any]) -> None:
    expected = table(ex.scan("digits-cnn", **asked, levels=LEVELS, progress=False))
    for backend in ("threads", folder(tmp_path_factory.mktemp("shared"))):
        assert table(ex.scan("digits-cnn", **asked, levels=LEVELS, progress=False, backend=backend)) == expected


def test_an_estimate_is_the_same_but_for_the_last_digits(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"spec": CHANNELS, "mode": "estimate", "levels": LEVELS, "progress": False}
    expected = table(ex.scan("digits-cnn", **asked))
    for cell, one in zip(table(ex.scan("digits-cnn", **asked, backend=folder(tmp_path))), expected, strict=True):
        assert cell["n"] == one["n"]
        assert cell["drop"]["value"] == pytest.approx(one["drop"]["value"], rel=1e-12, abs=1e-12)


def test_a_curve_is_the_same_bit_for_bit_and_in_its_order(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"spec": CHANNELS, "ratios": (8, 1, 2, 4), "progress": False}
    expected = list(ex.sweep("digits-cnn", **asked))
    for backend in ("threads", folder(tmp_path)):
        assert list(ex.sweep("digits-cnn", **asked, backend=backend)) == expected


def test_a_search_scans_by_the_back_end_and_finds_the_same_plan(tmp_path: Path) -> None:
    request = ex.tasks.SearchRequest("params=0.5", evaluations=3, levels=(0.5, 0.9))
    one, other = (ex.SearchResult.of(r for r in ex.run(request, "digits-mlp", backend=b) if not isinstance(r, Cell))
                  for b in (None, folder(tmp_path)))  # fmt: skip
    assert one.best.point == other.best.point
    assert Queue(tmp_path).jobs()[0].is_marked("done")


def test_processes_of_this_machine_print_the_same_table(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["scan", "digits-mlp", "--levels", "0.5,0.9", "--json", "--no-keep"]
    answers = []
    for backend in ([], ["--backend", "processes:2"]):
        assert main([*command, *backend]) == 0
        answers.append(json.loads(capsys.readouterr().out))
    assert [sorted(a.pop("cells"), key=lambda c: (c["group"], c["level"])) for a in answers[:1]] == [
        sorted(a.pop("cells"), key=lambda c: (c["group"], c["level"])) for a in answers[1:]
    ]


class _Refusing(Backend):
    """One that must not be asked."""

    key, form = "refusing", "refusing"

    @classmethod
    def of(cls, place: str) -> _Refusing:
        return cls()

    def run(self, pieces: object, job: PieceJob) -> Iterator[Result]:
        raise AssertionError("nothing is left to measure")


def test_cells_of_a_back_end_are_recorded_and_not_measured_again(tmp_path: Path) -> None:
    request = ex.tasks.ScanRequest(CHANNELS, levels=(0.5, 0.9))
    store = Store(tmp_path / "data")
    first = list(ex.run(request, "digits-mlp", store=store, backend=folder(tmp_path / "shared")))
    again = list(ex.run(request, "digits-mlp", store=store, backend=_Refusing()))
    assert [cell.from_store for cell in again] == [True] * len(first)


def about(**changed: JsonDict) -> JsonDict:
    """What a job of digits-mlp says of itself, with something changed."""
    taken: list[JsonDict] = []

    class _Taking(_Refusing):
        def run(self, pieces: object, job: PieceJob) -> Iterator[Result]:
            taken.append(dict(job.about))
            return iter(())

    list(ex.scan("digits-mlp", levels=(0.5,), backend=_Taking(), progress=False))
    return {**taken[0], **{name: {**taken[0][name], **value} for name, value in changed.items()}}


@for_each(
    ("changed", "sentence"),
    [
        ({"model": {"identity": "0"}}, "digits-mlp is another model here. Its identity is .*, and 0 is asked for."),
        ({"data": {"digest": "0"}}, "digits holds other data here. Their digest is .*, and 0 is asked for."),
        ({"data": {"options": {"splits": "0.6/0.2/0.2"}}}, "The digits take no splits"),
        ({"data": {"options": {"run": "x"}}}, "Data are not read with run"),
        ({"versions": {"torch_version": "1.0"}}, "This worker has torch version .*, and 1.0 is asked for."),
        ({"model": {"address": "os:getcwd"}}, "trust"),
    ],
)
def test_what_does_not_match_is_refused_in_a_sentence(changed: dict[str, JsonDict], sentence: str) -> None:
    with pytest.raises(ex.ExplorerError, match=sentence):
        OpenedJob(about(**changed), Allowed())


def test_data_are_read_again_as_they_were_read(tmp_path: Path) -> None:
    digits = ex.load_data("digits").splits["tune"]
    np.savez(tmp_path / "own.npz", x=digits.x.numpy(), y=digits.y.numpy())
    model, address = ex.load("digits-mlp"), f"npz:{tmp_path / 'own.npz'}"
    data = ex.load_data(address, model=model, splits="0.2/0.6/0.2", seed=3, mean=0.1)
    asked: dict[str, Any] = {"data": data, "levels": (0.5,), "progress": False}
    expected = table(ex.scan("digits-mlp", **asked))
    assert table(ex.scan("digits-mlp", **asked, backend=folder(tmp_path / "shared"))) == expected


def test_a_weight_file_is_opened_by_its_path_and_refused_after_it_was_changed(tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    source = ROOT / "sample_models" / "digits-mlp.safetensors"
    save_file(load_file(source), path)  # without what the bundled file says of itself
    model = ex.load(str(path), arch="digits-mlp")
    asked: dict[str, Any] = {"data": "digits", "levels": (0.5,), "progress": False}
    assert table(ex.scan(model, **asked, backend=folder(tmp_path / "one"))) == table(ex.scan(model, **asked))
    save_file({name: torch.zeros_like(tensor) for name, tensor in load_file(source).items()}, path)
    with pytest.raises(ex.ExplorerError, match=r"No worker can do this.*own.safetensors is another model here"):
        list(ex.scan(model, **asked, backend=folder(tmp_path / "two")))


def test_what_no_other_process_could_open_is_refused_before_anything_is_handed_out(tmp_path: Path) -> None:
    data = ex.load_data((torch.zeros(40, 1, 8, 8), torch.arange(40) % 10))
    with pytest.raises(ex.ExplorerError, match="Data at hand cannot be opened by other processes"):
        list(ex.scan("digits-mlp", data, levels=(0.5,), backend=folder(tmp_path), progress=False))
    assert Queue(tmp_path).jobs() == []


@contextmanager
def worker_process(path: Path, *more: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "explorer", "worker", str(path), "--threads", "1", "--poll", "0.05", *more]
    child = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        yield child
    finally:
        child.kill()
        child.wait()


@pytest.mark.slow
def test_a_worker_that_is_killed_in_the_midst_of_a_piece_costs_no_cell(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"spec": ex.PruneSpec("out_channel", "taylor"), "levels": LEVELS, "progress": False}
    killed: list[str] = []

    def kill_in_the_midst() -> None:
        """Stop the first worker while it holds a piece; kill it only if it has not given its result by then."""
        if killed:
            return
        for job in Queue(tmp_path).jobs():
            for key in held_by(job, first.pid):
                os.kill(first.pid, signal.SIGSTOP)
                if key in job.state().leased:
                    os.kill(first.pid, signal.SIGKILL)
                    first.wait()
                    killed.append(key)
                    return
                os.kill(first.pid, signal.SIGCONT)

    with worker_process(tmp_path) as first, worker_process(tmp_path):
        backend = SharedFolder(tmp_path, poll_s=0.005, on_look=kill_in_the_midst)
        cells = table(ex.scan("digits-resnet", **asked, backend=backend))
    assert len(killed) == 1
    ends = list(Queue(tmp_path).jobs()[0].path.glob(f"ends/{killed[0]}.1.json"))
    assert "has ended in the midst of it" in ends[0].read_text()
    assert cells == table(ex.scan("digits-resnet", **asked))


def held_by(job: JobFolder, pid: int) -> Iterator[str]:
    for key, number in job.state().leased.items():
        lease = job.path / "leases" / f"{key}.{number}.json"
        text = lease.read_text()
        if text and json.loads(text)["pid"] == pid:
            yield key


@pytest.mark.slow
def test_a_worker_ends_when_it_is_asked_to_and_with_the_process_that_began_it(tmp_path: Path) -> None:
    ends: list[Callable[[subprocess.Popen[bytes]], object]] = [
        lambda child: child.send_signal(signal.SIGTERM),
        lambda child: child.stdin and child.stdin.close(),
    ]
    for end in ends:
        command = [sys.executable, "-m", "explorer", "worker", str(tmp_path), "--with-parent"]
        child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        assert child.stderr is not None
        assert b"works for" in child.stderr.readline()
        end(child)
        assert child.wait(60) in (1, 130)
        child.stderr.close()


def test_a_piece_of_another_kind_runs_nothing(tmp_path: Path) -> None:
    with pytest.raises(ex.ExplorerError, match="does not know this kind of work"):
        performer(Allowed()).perform({**about(), "kind": "os.system"}, Piece("x", {}).work)
