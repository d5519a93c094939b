"""The background worker of the live screen."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from explorer.engine.evaluator import Evaluator
from explorer.engine.live import LiveWorker
from explorer.errors import ExplorerError
from explorer.types import Evaluation, Plan
from tests.engine import models


class Gated:
    """An evaluator whose batches come when the test lets them."""

    threads = 2

    def __init__(self) -> None:
        self.inner = Evaluator(MODEL, models.split(MODEL), batch_size=50)
        self.batches = threading.Semaphore(0)
        self.started: list[str] = []
        self.allowed: list[int] = []  # threads, before each batch
        self.n_ended = 0

    def run(self, plan: Plan, *, threads: Callable[[], int]) -> Iterator[Evaluation]:
        self.started.append(plan.digest)
        try:
            for evaluation in self.inner.run(plan):
                self.batches.acquire()
                self.allowed.append(threads())
                yield evaluation
        finally:
            self.n_ended += 1


class Turnstile(threading.Semaphore):
    """Counts who has come to it, also those who still wait."""

    n_asked = 0

    def __enter__(self) -> bool:
        self.n_asked += 1
        return super().__enter__()


MODEL = models.load("mlp")
PLANS = [models.plan(MODEL, share) for share in (0.1, 0.3, 0.5, 0.7, 0.9)]


def until(condition: Callable[[], bool], seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.002)


@pytest.fixture
def evaluator() -> Evaluator:
    return Evaluator(MODEL, models.split(MODEL))


def test_a_submitted_plan_ends_as_its_complete_evaluation(evaluator: Evaluator) -> None:
    worker = LiveWorker(evaluator)
    assert worker.latest().result is None
    worker.submit("a", PLANS[2])
    latest = worker.wait(300)
    assert (latest.key, latest.pending) == ("a", False)
    assert latest.result.predictions.equal(evaluator.final(PLANS[2]).predictions)
    worker.close()


def test_the_latest_wins_but_only_after_one_partial_result_of_the_running_one() -> None:
    gated = Gated()
    worker = LiveWorker(gated)  # type: ignore[arg-type]
    worker.submit(0, PLANS[0])
    until(lambda: len(gated.started) == 1)
    for key in (1, 2, 3):
        worker.submit(key, PLANS[key])
    assert worker.latest().result is None
    gated.batches.release()
    until(lambda: len(gated.started) == 2)
    partial = worker.latest()
    assert (partial.key, partial.result.n, partial.pending) == (0, 25, True)
    for _ in range(7):
        gated.batches.release()
    final = worker.wait(300)
    assert (final.key, final.result.complete) == (3, True)
    assert gated.started == [PLANS[0].digest, PLANS[3].digest]
    worker.close()


def test_a_core_is_left_to_the_page_until_it_has_drawn_the_first_answer() -> None:
    gated = Gated()
    worker = LiveWorker(gated)  # type: ignore[arg-type]
    worker.submit(0, PLANS[0])
    gated.batches.release()
    until(lambda: worker.latest().result is not None)
    worker.wait(0)  # it gets the first answer and draws it
    gated.batches.release()
    until(lambda: len(gated.allowed) == 2)
    worker.wait(0)  # it asks for more
    gated.batches.release()
    until(lambda: len(gated.allowed) == 3)
    assert gated.allowed == [1, 1, 2]
    worker.close()
    gated.batches.release(20)


def test_a_finished_plan_is_answered_from_memory() -> None:
    gated = Gated()
    worker = LiveWorker(gated)  # type: ignore[arg-type]
    for _ in range(12):
        gated.batches.release()
    worker.submit("first", PLANS[0])
    first = worker.wait(300)
    worker.submit("again", PLANS[0])
    again = worker.wait(300)
    assert again.key == "again"
    assert again.result is first.result
    assert len(gated.started) == 1
    worker.close()


def test_what_one_visitor_has_measured_another_gets_at_once_also_who_has_waited_for_it() -> None:
    gated, slots = Gated(), threading.Semaphore(1)
    first, second, third = (LiveWorker(gated, slots) for _ in range(3))  # type: ignore[arg-type]
    try:
        first.submit("a", PLANS[0])
        until(lambda: gated.started == [PLANS[0].digest])
        second.submit("b", PLANS[0])  # waits for the one slot
        gated.batches.release(1_000)
        whole = first.wait(300).result
        assert isinstance(whole, Evaluation)
        assert second.wait(300) == ("b", whole, False)
        third.submit("c", PLANS[0])
        assert third.latest() == ("c", whole, False)
        assert gated.started == [PLANS[0].digest]
    finally:
        for worker in (first, second, third):
            worker.close()


def test_two_visitors_who_ask_for_the_same_plan_at_the_same_instant_share_one_measurement() -> None:
    gated, slots = Gated(), threading.Semaphore(2)
    first, second = (LiveWorker(gated, slots) for _ in range(2))  # type: ignore[arg-type]
    try:
        for key, worker in (("a", first), ("b", second)):
            worker.submit(key, PLANS[0])
        until(lambda: len(gated.started) == 1)
        gated.batches.release()
        until(lambda: first.latest().result is not None and second.latest().result is not None)
        assert second.latest().result is first.latest().result  # what there is so far
        assert first.latest().pending
        assert second.latest().pending
        gated.batches.release(1_000)
        whole = first.wait(300).result
        assert isinstance(whole, Evaluation)
        assert whole.complete
        assert second.wait(300) == ("b", whole, False)
        assert gated.started == [PLANS[0].digest]
    finally:
        for worker in (first, second):
            worker.close()


def test_who_follows_a_measurement_that_is_given_up_goes_on_with_it() -> None:
    gated, slots = Gated(), threading.Semaphore(2)
    first, second = (LiveWorker(gated, slots) for _ in range(2))  # type: ignore[arg-type]
    try:
        first.submit("a", PLANS[0])
        until(lambda: gated.started == [PLANS[0].digest])
        second.submit("b", PLANS[0])
        first.submit("c", PLANS[1])  # given up after its first partial result
        gated.batches.release(1_000)
        assert second.wait(300).result.complete  # type: ignore[union-attr]
        assert first.wait(300).key == "c"
        assert gated.started.count(PLANS[1].digest) == 1
    finally:
        for worker in (first, second):
            worker.close()


def test_asking_again_for_the_running_plan_does_not_start_it_anew() -> None:
    gated = Gated()
    worker = LiveWorker(gated)  # type: ignore[arg-type]
    worker.submit("a", PLANS[0])
    until(lambda: len(gated.started) == 1)
    worker.submit("b", PLANS[1])
    for _ in range(3):
        worker.submit("a, still", PLANS[0])
        gated.batches.release()
    for _ in range(7):
        gated.batches.release()
    latest = worker.wait(300)
    assert (latest.key, latest.result.complete) == ("a, still", True)
    assert gated.started == [PLANS[0].digest]
    worker.close()


def test_returning_to_a_known_plan_shows_it_at_once_and_for_good() -> None:
    gated = Gated()
    worker = LiveWorker(gated)  # type: ignore[arg-type]
    for _ in range(7):
        gated.batches.release()
    worker.submit("known", PLANS[0])
    worker.wait(300)
    worker.submit("other", PLANS[1])
    until(lambda: len(gated.started) == 2)
    worker.submit("known again", PLANS[0])
    assert worker.latest().key == "known again"
    assert not worker.latest().pending
    gated.batches.release()
    until(lambda: gated.n_ended == 2)  # the answer to the other request has come, too late
    assert worker.latest().key == "known again"
    worker.close()


def test_an_error_is_shown_and_the_worker_goes_on(evaluator: Evaluator) -> None:
    worker = LiveWorker(evaluator)
    worker.submit("bad", models.plan(models.load("recurrent"), 0.5))
    bad = worker.wait(300)
    assert isinstance(bad.result, ExplorerError)
    assert bad.key == "bad"
    worker.submit("good", PLANS[1])
    assert worker.wait(300).result.complete
    worker.close()


def test_slots_bound_how_many_workers_evaluate_at_once() -> None:
    slots = Turnstile(1)
    first, second = Gated(), Gated()
    workers = [LiveWorker(g, slots=slots) for g in (first, second)]  # type: ignore[arg-type]
    workers[0].submit(0, PLANS[0])
    until(lambda: len(first.started) == 1)
    workers[1].submit(0, PLANS[0])
    workers[1].submit(1, PLANS[1])
    until(lambda: slots.n_asked == 2)  # the second worker stands before the slot
    assert second.started == []
    for gated in (first, second):
        for _ in range(7):
            gated.batches.release()
    assert workers[0].wait(300).result.complete
    assert workers[1].wait(300).key == 1
    assert second.started == [PLANS[1].digest]  # the newest when its turn came
    for worker in workers:
        worker.close()


def live_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "live"]


def test_the_thread_ends_when_closed_and_when_the_worker_is_forgotten(evaluator: Evaluator) -> None:
    before = set(live_threads())  # other tests of this process may have left some
    worker = LiveWorker(evaluator)
    worker.submit(0, PLANS[0])
    worker.wait(300)
    worker.close()
    until(lambda: not set(live_threads()) - before)
    assert worker.latest().result.complete
    forgotten = LiveWorker(evaluator)
    assert len(set(live_threads()) - before) == 1
    del forgotten
    gc.collect()
    until(lambda: not set(live_threads()) - before)


def test_four_workers_that_share_an_evaluator_get_what_each_gets_alone(evaluator: Evaluator) -> None:
    workers = [LiveWorker(evaluator, slots=threading.Semaphore(4)) for _ in range(4)]
    for round_ in range(3):
        for i, worker in enumerate(workers):
            worker.submit(round_, PLANS[(i + round_) % 5])
        for i, worker in enumerate(workers):
            wanted = Evaluator(MODEL, models.split(MODEL)).final(PLANS[(i + round_) % 5])
            found = worker.wait(300).result
            assert found.predictions.equal(wanted.predictions)
            assert found.loss.value == wanted.loss.value
    for worker in workers:
        worker.close()
