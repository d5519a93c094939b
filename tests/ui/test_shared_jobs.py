"""Background work that several visitors, or several reruns, ask for."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from explorer.engine.jobs import JobQueue
from explorer.pruning.spec import PruneSpec
from explorer.ui import cache, curves, running, session
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
    assert first.wait(10)
    assert curves.job(model, data, "a curve", half()) is first
    assert (first.state, len(begun)) == ("failed", 1)


def test_the_header_stops_only_what_the_visitor_began(queue: JobQueue) -> None:
    def endless() -> Iterator[int]:
        while True:
            yield 1

    job = queue.submit("k", "bob", "of bob", endless, 1)
    assert queue.submit("k", "ann", "of bob", endless, 1) is job
    assert queue.of("ann") == [job]
    assert running._active() == []
    job.cancel()
    assert job.wait(10)
