"""Scans as jobs: cancelled ones end soon and keep what they have, and many at once disturb nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from explorer.analysis.sensitivity.cell import Cell, Mode
from explorer.analysis.sensitivity.scan import Sensitivity, scan, scan_size
from explorer.engine import cells, estimates
from explorer.engine.edits import Walk
from explorer.engine.evaluator import Evaluator
from explorer.engine.jobs import JobQueue
from explorer.engine.verified import VerifiedWalk
from explorer.pruning.spec import PruneSpec
from explorer.store.database import Store
from tests.analysis.scans import all_digits, finished, small, without_origin

LEVELS = (0.2, 0.4, 0.6, 0.8)


class Counted:
    """Counts the tasks that threads take up, and cancels a job from inside the one numbered ``after``."""

    def __init__(self, after: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.after, self.n, self.job = after, 0, None
        for walk in (Walk, VerifiedWalk):
            monkeypatch.setattr(walk, "outputs", self.counting(walk.outputs))

    def counting(self, run: Callable[..., Any]) -> Callable[..., Any]:
        def outputs(walk: Walk, *batches_and_edits: Any) -> Any:
            self.n += 1
            if self.n == self.after:
                self.job.cancel()
            return run(walk, *batches_and_edits)

        return outputs


@pytest.mark.parametrize("mode", ["exact", "verified", "estimate"])
@pytest.mark.parametrize("after", [2, 8])
def test_a_cancelled_scan_ends_within_a_few_batches_and_keeps_what_it_has(
    mode: Mode, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, samples = all_digits("digits-mlp")
    evaluator = Evaluator(model, samples.splits["tune"], batch_size=64, threads=2)
    evaluator.dense()
    known = threading.Event()

    def make() -> Iterator[Cell]:
        known.wait(300)
        yield from scan(model, samples, levels=LEVELS, mode=mode, evaluator=evaluator)

    for module in (cells, estimates):
        monkeypatch.setattr(module, "PATIENCE", 0.0)  # partial results after every task, as on a slow machine
    tasks = Counted(after, monkeypatch)
    tasks.job = job = JobQueue(1).submit("scan", "ann", "scan", make, scan_size(model, levels=LEVELS))
    known.set()
    assert job.wait(300)
    assert job.state == "cancelled"
    assert tasks.n <= after + 2 * evaluator.threads
    found = Sensitivity.of(job.results)
    assert len(found.cells) < job.total or not found.complete
    assert job.n_done == sum(cell.complete for cell in job.results)
    assert all(cell.mode == mode and (cell.complete or cell.n < cell.total) for cell in found.cells)


def test_eight_scans_at_once_give_what_they_give_alone() -> None:
    makes: list[Callable[[], Iterator[Cell]]] = []
    for name, granularity, mode in product(
        ("digits-cnn", "digits-resnet"), ("weight", "out_channel"), ("exact", "estimate")
    ):
        model, samples = small(name)
        makes.append(partial(scan, model, samples, PruneSpec(granularity), levels=(0.7,), mode=mode))  # type: ignore[arg-type]
    alone = [Sensitivity.of(make()) for make in makes]
    queue = JobQueue(8)
    jobs = [queue.submit(i, f"owner {i}", "scan", make, 0) for i, make in enumerate(makes)]
    assert all(job.wait(300) for job in jobs)
    assert [(job.state, job.error) for job in jobs] == [("done", None)] * 8
    for job, wanted in zip(jobs, alone, strict=True):
        assert set(Sensitivity.of(job.results).cells) == set(wanted.cells)


def test_eight_scans_of_one_model_share_an_evaluator_and_give_what_they_give_alone() -> None:
    model, samples = small("digits-cnn")
    evaluator = Evaluator(model, samples.splits["tune"], threads=2)
    specs = [PruneSpec("weight", f"random:seed={seed}") for seed in range(8)]
    alone = [finished(model, samples, spec, levels=(0.5, 0.8)) for spec in specs]
    queue = JobQueue(8)
    how: dict[str, Any] = {"levels": (0.5, 0.8), "evaluator": evaluator}
    makes = [partial(scan, model, samples, spec, **how) for spec in specs]
    jobs = [queue.submit(i, str(i), "scan", make, 0) for i, make in enumerate(makes)]
    assert all(job.wait(300) for job in jobs)
    for job, wanted in zip(jobs, alone, strict=True):
        assert [cell for cell in job.results if cell.complete] == wanted


def test_two_scans_of_the_same_at_once_keep_one_table_that_a_third_finds(tmp_path: Path) -> None:
    model, samples = small("digits-mlp")
    wanted = finished(model, samples, levels=LEVELS)
    queue = JobQueue(2)
    makes = [partial(scan, model, samples, levels=LEVELS, keep=Store(tmp_path)) for _ in range(2)]
    jobs = [queue.submit(i, str(i), "scan", make, 0) for i, make in enumerate(makes)]
    assert all(job.wait(300) for job in jobs)
    assert [(job.state, job.error) for job in jobs] == [("done", None)] * 2
    for job in jobs:
        assert {without_origin(cell) for cell in job.results if cell.complete} == set(wanted)
    third = finished(model, samples, levels=LEVELS, keep=Store(tmp_path))
    assert all(cell.from_store for cell in third)
    assert {without_origin(cell) for cell in third} == set(wanted)
    (kept,) = Store(tmp_path).scans()
    assert kept.n_cells == len(wanted)
