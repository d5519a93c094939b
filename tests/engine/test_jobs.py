"""Long work is fair, can be stopped, keeps what it has, and fails alone."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from explorer.engine.jobs import JobQueue
from explorer.errors import ExplorerError
from explorer.types.stopping import check


def count_to(n: int) -> Iterator[int]:
    yield from range(n)


def test_a_job_keeps_its_results_and_ends_done() -> None:
    job = JobQueue(1).submit("k", "ann", "count", lambda: count_to(3), 3)
    assert job.wait(300)
    assert (job.state, job.results, job.progress) == ("done", [0, 1, 2], 1.0)


@dataclass
class Found:
    from_store: bool


def test_the_time_left_follows_from_what_was_made_and_not_from_what_was_read() -> None:
    gate, at = threading.Semaphore(0), threading.Semaphore(0)

    def results() -> Iterator[Found]:
        for known in [True] * 9 + [False] * 11:
            yield Found(known)
            at.release()
            gate.acquire()

    job = JobQueue(1).submit("k", "ann", "scan", results, 20)
    for n in range(1, 11):
        assert at.acquire(timeout=300)
        so_far = time.monotonic() - job.started
        assert (job.seconds_left is None) == (n < 10)
        if n == 10:  # one was made, ten are left
            assert 10 * so_far <= job.seconds_left <= 10 * (time.monotonic() - job.started)
        gate.release()
    job.cancel()
    gate.release(20)
    assert job.wait(300)


def test_the_same_key_is_the_same_job() -> None:
    queue = JobQueue(1)
    job = queue.submit("k", "ann", "count", lambda: count_to(3), 3)
    assert queue.submit("k", "bob", "count", lambda: count_to(9), 9) is job
    assert job.wait(300)
    assert queue.submit("k", "bob", "count", lambda: count_to(9), 9) is job


def test_a_job_is_listed_for_everybody_who_asked_for_it() -> None:
    queue = JobQueue(1)
    job = queue.submit("k", "ann", "count", lambda: count_to(3), 3)
    queue.submit("k", "bob", "count", lambda: count_to(3), 3)
    assert (queue.of("ann"), queue.of("bob"), queue.of("eve")) == ([job], [job], [])


def test_what_an_ended_job_worked_on_is_let_go() -> None:
    class Large:
        def numbers(self) -> Iterator[int]:
            return count_to(3)

    large = Large()
    gone = weakref.ref(large)
    job = JobQueue(1).submit("k", "ann", "count", large.numbers, 3)
    del large
    assert job.wait(300)
    for _ in range(500):  # the worker is about to leave its last call
        if gone() is None:
            break
        threading.Event().wait(0.01)
    assert gone() is None
    assert job.results == [0, 1, 2]


def test_a_cancelled_job_keeps_partial_results_and_can_be_tried_anew() -> None:
    queue = JobQueue(1)
    first = threading.Event()
    go_on = threading.Event()

    def slow() -> Iterator[int]:
        yield 1
        first.set()
        go_on.wait(300)
        yield 2
        yield 3

    job = queue.submit("k", "ann", "slow", slow, 3)
    assert first.wait(300)
    job.cancel()
    go_on.set()
    assert job.wait(300)
    assert (job.state, job.results) == ("cancelled", [1, 2])
    again = queue.submit("k", "ann", "slow", lambda: count_to(2), 2)
    assert again is not job
    assert again.wait(300)


def test_a_job_is_stopped_in_the_midst_of_a_result_that_would_never_come() -> None:
    queue, at_work = JobQueue(1), threading.Event()

    def endless() -> Iterator[int]:
        yield 1
        while True:
            at_work.set()
            check()

    job = queue.submit("k", "ann", "endless", endless, 2)
    assert at_work.wait(60)
    job.cancel()

    assert job.wait(60)
    assert (job.state, job.results, job.error) == ("cancelled", [1], None)


def test_a_failure_shows_its_reason_and_leaves_the_others_alive() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("no such layer")

    queue = JobQueue(1)
    bad = queue.submit("bad", "ann", "broken", broken, 2)
    good = queue.submit("good", "ann", "count", lambda: count_to(2), 2)
    assert bad.wait(300)
    assert good.wait(300)
    assert (bad.state, str(bad.error), bad.results) == ("failed", "no such layer", [1])
    assert good.state == "done"
    assert "bug of the explorer (ValueError)" in bad.reason
    assert good.reason == ""


def test_a_refusal_is_told_in_its_own_words() -> None:
    def refused() -> Iterator[int]:
        raise ExplorerError("There is no fit split.", fix="Choose other data.")
        yield

    job = JobQueue(1).submit("k", "ann", "refused", refused, 1)
    assert job.wait(300)
    assert job.reason == "There is no fit split. Choose other data."


def test_owners_are_served_in_turn() -> None:
    queue = JobQueue(1)
    gate = threading.Event()
    order: list[str] = []

    def noted(name: str) -> Iterator[str]:
        order.append(name)
        yield name

    def gated() -> Iterator[str]:
        gate.wait(300)
        yield "gate"

    jobs = [queue.submit("gate", "zoe", "gate", gated, 1)]
    for i in range(3):
        jobs.append(queue.submit(f"a{i}", "ann", "a", lambda i=i: noted(f"a{i}"), 1))  # type: ignore[misc]
    jobs.append(queue.submit("b0", "bob", "b", lambda: noted("b0"), 1))
    gate.set()
    assert all(job.wait(300) for job in jobs)
    assert order.index("b0") < order.index("a1")


@pytest.mark.parametrize("n_workers", [1, 4])
def test_many_jobs_give_what_they_give_alone(n_workers: int) -> None:
    queue = JobQueue(n_workers)
    jobs = [queue.submit(i, f"owner{i % 3}", "count", lambda i=i: count_to(i), i) for i in range(1, 9)]  # type: ignore[misc]
    assert all(job.wait(300) for job in jobs)
    assert [job.results for job in jobs] == [list(range(i)) for i in range(1, 9)]


def test_a_job_that_still_waits_can_be_cancelled() -> None:
    queue = JobQueue(1)
    gate = threading.Event()

    def gated() -> Iterator[str]:
        gate.wait(300)
        yield "gate"

    running = queue.submit("gate", "ann", "gate", gated, 1)
    waiting = queue.submit("next", "ann", "count", lambda: count_to(3), 3)
    waiting.cancel()
    gate.set()
    assert running.wait(300)
    assert waiting.wait(300)
    assert (waiting.state, waiting.results) == ("cancelled", [])
    assert queue.find("next") is waiting
    assert [job.title for job in queue.of("ann")] == ["gate", "count"]


def test_a_job_that_is_too_many_for_its_owner_or_for_all_has_failed_with_a_sentence_and_may_be_tried_again() -> None:
    gate = threading.Event()

    def waits() -> Iterator[int]:
        gate.wait(60)
        yield 1

    queue = JobQueue(1, most=3, most_each=2)
    ann = [queue.submit(("ann", i), "ann", "t", waits, 1) for i in range(3)]
    bob = [queue.submit(("bob", i), "bob", "t", waits, 1) for i in range(2)]
    assert [job.active for job in (*ann, *bob)] == [True, True, False, True, False]
    assert ann[2].reason.startswith("You have too many jobs.")
    assert bob[1].reason.startswith("All visitors have too many jobs.")
    assert queue.submit(("ann", 0), "bob", "t", waits, 1) is ann[0]
    gate.set()
    assert all(job.wait(60) for job in (*ann, *bob))
    again = queue.submit(("ann", 2), "ann", "t", waits, 1)
    assert again.wait(60)
    assert again.state == "done"
