"""Whose turn it is: work asked for by hand first, owners result by result, and nothing for who has gone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from explorer.engine.jobs import Job, JobQueue
from explorer.types.stopping import check

ONE_AT_A_TIME = 1


class Log:
    """Jobs that write down each of their steps, behind a gate that a first job keeps shut."""

    def __init__(self) -> None:
        self.queue = JobQueue(ONE_AT_A_TIME)
        self.steps: list[str] = []
        self.gate, self.at_gate = threading.Event(), threading.Event()
        self.jobs = [self.queue.submit("gate", "porter", "the gate", self._gated, 1)]
        assert self.at_gate.wait(60)

    def _gated(self) -> Iterator[str]:
        self.at_gate.set()
        self.gate.wait(60)
        yield "gate"

    def _steps(self, name: str, n: int) -> Callable[[], Iterator[str]]:
        def made() -> Iterator[str]:
            for _ in range(n):
                self.steps.append(name)
                yield name

        return made

    def add(self, name: str, owner: str, n: int, *, by_hand: bool = True) -> Job:
        self.jobs.append(self.queue.submit(name, owner, name, self._steps(name, n), n, by_hand=by_hand))
        return self.jobs[-1]

    def done(self) -> list[str]:
        self.gate.set()
        assert all(job.wait(60) for job in self.jobs)
        return self.steps


def test_a_scan_that_is_asked_for_overtakes_the_curves_that_pages_began_ones_own_too() -> None:
    log = Log()
    log.add("curve of ann", "ann", 2, by_hand=False)
    log.add("curve of bob", "bob", 2, by_hand=False)
    log.add("scan of ann", "ann", 3)
    steps = log.done()
    assert steps[:2] == ["scan of ann"] * 2
    assert steps.index("curve of ann") > max(i for i, step in enumerate(steps) if step == "scan of ann")


def test_visitors_are_served_result_by_result_and_not_job_by_job() -> None:
    log = Log()
    log.add("long of ann", "ann", 100)
    log.add("short of bob", "bob", 2)
    log.add("short of eve", "eve", 1)
    steps = log.done()
    assert steps[:3] == ["long of ann", "short of bob", "short of eve"]
    assert steps.index("short of bob", 2) <= 4
    assert steps.count("long of ann") == 100


def test_one_visitors_own_jobs_come_one_after_the_other() -> None:
    log = Log()
    log.add("a", "ann", 3)
    log.add("b", "ann", 3)
    assert log.done() == ["a"] * 3 + ["b"] * 3


def test_a_long_scan_of_one_leaves_now_and_then_a_turn_for_the_curves_of_others_but_not_for_ones_own() -> None:
    log = Log()
    log.add("scan of ann", "ann", 40)
    log.add("curve of ann", "ann", 2, by_hand=False)
    log.add("curve of bob", "bob", 2, by_hand=False)
    steps = log.done()
    assert max(i for i, step in enumerate(steps) if step == "curve of bob") < 20
    assert steps[-2:] == ["curve of ann"] * 2


def test_asking_by_hand_for_what_a_page_began_brings_it_forward() -> None:
    log = Log()
    log.add("curve", "ann", 1, by_hand=False)
    log.add("another", "bob", 1)
    again = log.queue.submit("curve", "ann", "curve", lambda: iter(()), 1)
    assert again is log.jobs[1]
    assert again.by_hand
    assert log.done() == ["curve", "another"]


def test_a_job_that_waits_knows_what_is_ahead_of_it() -> None:
    log = Log()
    curve = log.add("curve", "ann", 1, by_hand=False)
    scan = log.add("scan", "bob", 1)
    assert [job.title for job in log.queue.ahead(scan)] == ["the gate"]
    assert [job.title for job in log.queue.ahead(curve)] == ["the gate", "scan"]
    scan.cancel()
    assert [job.title for job in log.queue.ahead(curve)] == ["the gate"]
    log.done()
    assert log.queue.ahead(curve) == []


def test_a_job_that_waits_for_its_next_turn_can_be_stopped() -> None:
    queue = JobQueue(ONE_AT_A_TIME)
    first_done, go_on, other_at_work = threading.Event(), threading.Event(), threading.Event()

    def two() -> Iterator[int]:
        yield 1
        yield 2

    def other() -> Iterator[int]:
        other_at_work.set()
        go_on.wait(60)
        yield 1

    def first() -> Iterator[int]:
        first_done.wait(60)
        yield from two()

    job = queue.submit("a", "ann", "a", first, 2)
    busy = queue.submit("b", "bob", "b", other, 1)
    first_done.set()
    assert other_at_work.wait(60)
    job.cancel()
    assert job.wait(60)
    assert (job.state, job.results) == ("cancelled", [1])
    go_on.set()
    assert busy.wait(60)


def test_the_work_of_who_has_gone_ends_unless_somebody_who_is_here_asked_for_it_too() -> None:
    queue = JobQueue(2)

    def endless() -> Iterator[int]:
        while True:
            check()
            threading.Event().wait(0.001)
            yield 1

    alone = queue.submit("alone", "ann", "alone", endless, 1)
    shared = queue.submit("shared", "ann", "shared", endless, 1)
    queue.submit("shared", "bob", "shared", endless, 1)
    queue.abandon("ann", lambda visitor: visitor == "bob")
    assert alone.wait(60)
    assert alone.state == "cancelled"
    assert (shared.active, shared.owner) == (True, "bob")
    queue.abandon("bob", lambda visitor: False)
    assert shared.wait(60)


def test_closing_the_queue_ends_every_thread() -> None:
    queue = JobQueue(2)

    def endless() -> Iterator[int]:
        while True:
            check()
            yield 1

    jobs = [queue.submit(i, f"owner {i}", "t", endless, 1) for i in range(5)]
    assert queue.close(60)
    assert {job.state for job in jobs} == {"cancelled"}
    assert not [
        thread for thread in threading.enumerate() if thread.name == "explorer-job" and thread in queue._threads
    ]
