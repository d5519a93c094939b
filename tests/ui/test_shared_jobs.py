"""Background work that several visitors, or several reruns, ask for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from explorer.engine.jobs import JobQueue
from explorer.pruning.spec import PruneSpec
from explorer.recovery.recipe import Recipe
from explorer.recovery.steps import Finetune, Prune
from explorer.ui.explore import curves
from explorer.ui.recover import jobs
from explorer.ui.recover.plans import Run
from explorer.ui.shell import cache, recording, running, session
from tests.recovery.tiny import flowers, half, two


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> JobQueue:
    found = JobQueue(1)
    monkeypatch.setattr(cache, "jobs", lambda: found)
    monkeypatch.setattr(cache, "store", lambda: SimpleNamespace())
    monkeypatch.setattr(session, "owner", lambda: "ann")
    return found


def test_a_sweep_that_failed_is_not_begun_again_by_looking(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[PruneSpec] = []

    def broken(model: Any, dataset: Any, request: PruneSpec) -> Iterator[Any]:
        begun.append(request)
        raise ValueError("no such layer")
        yield

    monkeypatch.setattr(curves, "_points", broken)
    model, data = two(), flowers()
    first = curves.job(model, data, "a curve", half())
    assert first.wait(300)
    assert curves.job(model, data, "a curve", half()) is first
    assert (first.state, len(begun)) == ("failed", 1)


def test_a_sweep_that_was_stopped_goes_on_only_when_asked_and_for_another_visitor(
    queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def slow(model: Any, dataset: Any, request: PruneSpec) -> Iterator[Any]:
        yield "a point"
        go_on.wait(300)
        yield "another"

    monkeypatch.setattr(curves, "_points", slow)
    monkeypatch.setattr(recording, "keeping", lambda points, *_: points)
    model, data = two(), flowers()
    first = curves.job(model, data, "a curve", half())
    assert running._active() == [first]
    first.cancel()  # what Stop in the header does
    go_on.set()
    assert first.wait(300)
    assert curves.is_stopped(first)
    assert curves.job(model, data, "a curve", half()) is first
    again = curves.job(model, data, "a curve", half(), again=True)
    assert again.wait(300)
    assert (again.state, again.results) == ("done", ["a point", "another"])

    stopped = curves.job(model, data, "a curve", PruneSpec())
    stopped.cancel()
    assert stopped.wait(300)
    monkeypatch.setattr(session, "owner", lambda: "bob")
    assert curves.job(model, data, "a curve", PruneSpec()).wait(300)
    assert cache.jobs().find(curves.key(model, data, PruneSpec())).state == "done"


def test_the_header_says_of_which_model_a_job_is(
    queue: JobQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "store", lambda: SimpleNamespace(path=tmp_path / "kept.db"))
    monkeypatch.setattr(jobs, "_progress", lambda *_: iter(()))
    model = replace(two(), address="/somewhere/net.th")
    job = jobs.start(model, flowers(), Run("one shot, 90 %", Recipe((Prune(half()),))))
    assert job.title == "recovery of net.th: one shot, 90 %"
    assert jobs.label(job, model) == "one shot, 90 %"


def test_the_header_stops_only_what_the_visitor_began(queue: JobQueue) -> None:
    def endless() -> Iterator[int]:
        while True:
            yield 1

    job = queue.submit("k", "bob", "of bob", endless, 1)
    assert queue.submit("k", "ann", "of bob", endless, 1) is job
    assert queue.of("ann") == [job]
    assert running._active() == []
    job.cancel()
    assert job.wait(300)


def test_a_recovery_runs_where_nothing_can_be_kept(
    queue: JobQueue, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "a file").write_text("")
    monkeypatch.setattr(cache, "store", lambda: SimpleNamespace(path=tmp_path / "a file" / "kept.db"))
    monkeypatch.setattr(recording, "keep_quietly", lambda *_: False)
    job = jobs.start(two(), flowers(), Run("recovered", Recipe((Prune(half()), Finetune(epochs=1)))))
    assert job.wait(300)
    assert (job.state, job.reason) == ("done", "")
    assert jobs.result(job) is not None


def test_the_first_of_many_recovered_networks_are_let_go_and_come_back_from_disk(
    queue: JobQueue, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(cache, "store", lambda: SimpleNamespace(path=tmp_path / "kept.db"))
    monkeypatch.setattr(recording, "keep_quietly", lambda *_: True)
    runs = [Run(f"{n} epochs", Recipe((Prune(half()), Finetune(epochs=n)))) for n in (1, 2, 3)]
    model, data = two(), flowers()
    first = jobs.start(model, data, runs[0])
    assert first.wait(300)
    found = jobs.result(first)
    assert found is not None
    one = jobs.n_bytes(found)
    assert one >= sum(4 * w.numel() for w in model.weights.values())
    monkeypatch.setattr(jobs, "_MOST_BYTES", int(1.5 * one))
    for run in runs[1:]:
        assert jobs.start(model, data, run).wait(300)
    assert jobs.start(model, data, runs[2]).state == "done"
    assert [jobs.find(model, data, run) is None for run in runs] == [True, True, False]
    again = jobs.start(model, data, runs[0])
    assert again.wait(300)
    restored = jobs.result(again)
    assert restored is not None
    assert restored.model.digest == found.model.digest


def test_a_recovery_that_is_refused_says_why(queue: JobQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "store", lambda: SimpleNamespace(path=tmp_path / "kept.db"))
    run = Run("moved pictures", Recipe((Prune(half()), Finetune(epochs=1, shift=2.0))))
    job = jobs.start(two(), flowers(), run)
    assert job.wait(300)
    assert "no pictures that could be moved" in job.reason
