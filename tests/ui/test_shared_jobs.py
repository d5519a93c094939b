"""Background work that several visitors, or several reruns, ask for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from explorer.engine.jobs import JobQueue
from explorer.recovery.recipe import Recipe
from explorer.recovery.steps import Finetune, Prune
from explorer.store.database import Store
from explorer.tasks.base import TaskRequest
from explorer.tasks.context import Context
from explorer.tasks.recovery import RecoveryRequest
from explorer.tasks.sweep import SweepRequest
from explorer.ui.recover import jobs
from explorer.ui.shell import cache, running, session, tasks
from tests.recovery.tiny import flowers, half, two


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> JobQueue:
    jobs, store = JobQueue(1), Store(tmp_path)
    monkeypatch.setattr(cache, "jobs", lambda: jobs)
    monkeypatch.setattr(cache, "store", lambda: store)
    monkeypatch.setattr(session, "owner", lambda: "ann")
    return jobs


def test_a_sweep_that_failed_is_not_begun_again_by_looking(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[TaskRequest[Any]] = []

    def broken(request: SweepRequest, context: Context) -> Iterator[Any]:
        begun.append(request)
        raise ValueError("no such layer")
        yield

    monkeypatch.setattr(SweepRequest, "run", broken)
    model, data = two(), flowers()
    first = tasks.submitted(model, data, SweepRequest(half()))
    assert first.wait(300)
    assert tasks.submitted(model, data, SweepRequest(half())) is first
    assert (first.state, len(begun)) == ("failed", 1)
    assert tasks.failure([first]) == f"The {first.title} could not be measured: {first.reason}"


def test_a_sweep_that_was_stopped_goes_on_only_when_asked_and_for_another_visitor(
    queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def slow(request: SweepRequest, context: Context) -> Iterator[Any]:
        yield "a point"
        go_on.wait(300)
        yield "another"

    monkeypatch.setattr(SweepRequest, "run", slow)
    monkeypatch.setattr(SweepRequest, "point", lambda *_: None)
    model, data = two(), flowers()
    first = tasks.submitted(model, data, SweepRequest(half()))
    assert running._active() == [first]
    first.cancel()  # what Stop in the header does
    go_on.set()
    assert first.wait(300)
    assert tasks.is_stopped(first)
    assert tasks.submitted(model, data, SweepRequest(half())) is first
    again = tasks.submitted(model, data, SweepRequest(half()), again=True)
    assert again.wait(300)
    assert (again.state, again.results) == ("done", ["a point", "another"])

    stopped = tasks.submitted(model, data, SweepRequest())
    stopped.cancel()
    assert stopped.wait(300)
    monkeypatch.setattr(session, "owner", lambda: "bob")
    assert tasks.submitted(model, data, SweepRequest()).wait(300)
    job = tasks.find(model, data, SweepRequest())
    assert job is not None
    assert job.state == "done"


def test_equal_requests_of_two_visitors_share_one_job_that_only_the_first_may_stop(
    queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def waiting(request: SweepRequest, context: Context) -> Iterator[Any]:
        go_on.wait(300)
        yield "a point"

    monkeypatch.setattr(SweepRequest, "run", waiting)
    monkeypatch.setattr(SweepRequest, "point", lambda *_: None)
    model, data = two(), flowers()
    of_ann = tasks.submit(model, data, SweepRequest(half(), label="as ann calls it"))
    monkeypatch.setattr(session, "owner", lambda: "bob")
    assert tasks.submit(model, data, SweepRequest(half(), label="as bob calls it")) is of_ann
    assert [job for _, job in tasks.mine(model, data, SweepRequest)] == [of_ann]
    tasks.stop([of_ann])
    go_on.set()
    assert of_ann.wait(300)
    assert (of_ann.state, of_ann.results) == ("done", ["a point"])


def test_the_header_says_of_which_model_a_job_is(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RecoveryRequest, "run", lambda *_: iter(()))
    model = replace(two(), address="/somewhere/net.th")
    request = RecoveryRequest(Recipe((Prune(half()),)), label="one shot, 90 %")
    assert jobs.start(model, flowers(), request).title == "recovery of net.th: one shot, 90 %"
    assert [run.name for run, _ in jobs.of(model, flowers())] == ["one shot, 90 %"]


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
    monkeypatch.setattr(cache, "store", lambda: Store(tmp_path / "a file" / "folder"))
    request = RecoveryRequest(Recipe((Prune(half()), Finetune(epochs=1))))
    job = jobs.start(two(), flowers(), request)
    assert job.wait(300)
    assert (job.state, job.reason) == ("done", "")
    assert jobs.result(job) is not None


def test_the_first_of_many_recovered_networks_are_let_go_and_come_back_from_disk(
    queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [RecoveryRequest(Recipe((Prune(half()), Finetune(epochs=n)))) for n in (1, 2, 3)]
    model, data = two(), flowers()
    first = jobs.start(model, data, runs[0])
    assert first.wait(300)
    recovered = jobs.result(first)
    assert recovered is not None
    one = jobs.n_bytes(recovered)
    assert one >= sum(4 * w.numel() for w in model.weights.values())
    monkeypatch.setattr(jobs, "_MOST_BYTES", int(1.5 * one))
    for run in runs[1:]:
        assert jobs.start(model, data, run).wait(300)
    assert jobs.start(model, data, runs[2]).state == "done"
    assert [tasks.find(model, data, run) is None for run in runs] == [True, True, False]
    again = jobs.start(model, data, runs[0])
    assert again.wait(300)
    restored = jobs.result(again)
    assert restored is not None
    assert restored.model.digest == recovered.model.digest


def test_a_recovery_that_is_refused_says_why(queue: JobQueue) -> None:
    request = RecoveryRequest(Recipe((Prune(half()), Finetune(epochs=1, shift=2.0))), label="moved pictures")
    job = jobs.start(two(), flowers(), request)
    assert job.wait(300)
    assert "no pictures that could be moved" in job.reason
