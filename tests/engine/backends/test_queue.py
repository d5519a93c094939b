"""A queue of files: one worker a piece, whatever dies, comes late or is damaged."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from explorer.analysis.pieces.handing import SetAsideError, handed
from explorer.engine.backends import SharedFolder, Threads, backend_of
from explorer.engine.backends.base import Piece, PieceJob
from explorer.engine.backends.machine import this_machine
from explorer.engine.backends.queue import JobFolder, Queue
from explorer.engine.backends.worker import Terms, Worker
from explorer.errors import ExplorerError
from explorer.types.aliases import JsonDict, JsonObject

ABOUT = {"kind": "double", "data": {"address": "numbers"}, "metric": None}
JOB = PieceJob("doubles", ABOUT, lambda pieces: iter(()))
PIECES = [Piece.of(ABOUT, {"number": n}) for n in range(6)]
ELSEWHERE = {"worker": "gone", "machine": "another", "pid": 1}


class Doubling:
    """Does pieces: twice the number. ``fault`` is called with each number before."""

    def __init__(self, fault: Callable[[int], object] = lambda number: None) -> None:
        self._fault = fault
        self.seen: list[int] = []

    def open(self, about: JsonObject) -> None:
        if about["kind"] != "double":
            raise ExplorerError("This is no doubling.")

    def perform(self, about: JsonObject, work: JsonObject) -> list[JsonDict]:
        self.seen.append(work["number"])
        self._fault(work["number"])
        return [{"double": 2 * work["number"]}]


def worker(folder: Path, performer: Doubling, lease_s: float = 60.0) -> Worker:
    """One that goes as soon as there is nothing to take."""
    return Worker(Queue(folder), performer, Terms(idle_s=0.0, poll_s=0.0, lease_s=lease_s))


def gathered(folder: Path) -> list[int]:
    """What the coordinator gets, from results that are there."""
    return sorted(r.value["double"] for r in handed(SharedFolder(folder, poll_s=0.01), PIECES, JOB))


def put(folder: Path) -> JobFolder:
    return Queue(folder).put(PIECES, JOB)


def test_of_many_that_reach_for_a_piece_one_gets_it(tmp_path: Path) -> None:
    job = put(tmp_path)
    with ThreadPoolExecutor(16) as pool:
        claims = list(pool.map(lambda n: job.claim(PIECES[0].key, 1, {"worker": str(n)}), range(64)))
    assert sum(claim is not None for claim in claims) == 1


def test_pieces_are_done_once_by_all_workers_together_and_gathered(tmp_path: Path) -> None:
    put(tmp_path)
    workers = [Doubling() for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        counts = list(pool.map(lambda performer: worker(tmp_path, performer).work(), workers))
    assert sum(counts) == 6
    assert sorted(number for performer in workers for number in performer.seen) == list(range(6))
    assert gathered(tmp_path) == [0, 2, 4, 6, 8, 10]


def test_a_lease_that_nobody_touches_is_given_up_and_one_that_is_touched_is_not(tmp_path: Path) -> None:
    job = put(tmp_path)
    claim = job.claim(PIECES[0].key, 1, ELSEWHERE)
    assert claim is not None
    assert job.end_stale(job.state(), lease_s=0.0) == 0  # only now it is seen at all
    os.utime(job.path / "leases" / f"{claim.key}.1.json", ns=(1, 1))  # a beat, of a clock that is far behind
    assert job.end_stale(job.state(), lease_s=0.0) == 0
    assert job.end_stale(job.state(), lease_s=60.0) == 0
    assert job.end_stale(job.state(), lease_s=0.0) == 1
    assert job.state().free[claim.key] == 2
    worker(tmp_path, Doubling()).work()
    job.finish(claim, [{"double": 0}], ELSEWHERE)  # the first one was only slow: equal pieces have equal results
    assert gathered(tmp_path) == [0, 2, 4, 6, 8, 10]


def test_a_lease_of_a_process_of_this_machine_that_has_ended_is_given_up_at_once(tmp_path: Path) -> None:
    job = put(tmp_path)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for key, pid in ((PIECES[0].key, ended.pid), (PIECES[1].key, os.getpid())):
        job.claim(key, 1, {"worker": "here", "machine": this_machine(), "pid": pid})
    assert job.end_stale(job.state()) == 1
    assert PIECES[0].key in job.state().free


def test_a_piece_that_fails_three_times_is_set_aside_with_its_error_and_tried_anew_by_the_next_start(
    tmp_path: Path,
) -> None:
    def fault(number: int) -> None:
        if number == 3:
            raise RuntimeError("three is odd")

    put(tmp_path)
    performer = Doubling(fault)
    worker(tmp_path, performer).work()
    assert performer.seen.count(3) == 3
    results = []
    with pytest.raises(SetAsideError, match="1 of 6 pieces .* RuntimeError: three is odd"):
        results.extend(handed(_AsItIs(tmp_path), PIECES, JOB))
    assert sorted(result.value["double"] for result in results) == [0, 2, 4, 8, 10]
    put(tmp_path)
    worker(tmp_path, Doubling()).work()
    assert gathered(tmp_path) == [0, 2, 4, 6, 8, 10]


class _AsItIs(SharedFolder):
    """A coordinator that comes while the job goes on: what was set aside stays so."""

    def run(self, pieces, job):  # type: ignore[no-untyped-def]
        return self._gathered(Queue(self.path).jobs()[0])


def test_a_worker_that_is_asked_to_go_gives_its_piece_back_and_has_not_failed(tmp_path: Path) -> None:
    def interrupt(number: int) -> None:
        raise KeyboardInterrupt

    job = put(tmp_path)
    for _ in range(4):
        with pytest.raises(KeyboardInterrupt):
            worker(tmp_path, Doubling(interrupt)).work()
    assert not job.state().aside
    assert worker(tmp_path, Doubling()).work() == 6


def test_a_job_that_is_cancelled_is_left_by_its_workers_and_goes_on_when_it_is_begun_again(tmp_path: Path) -> None:
    job = put(tmp_path)
    last = Doubling(lambda number: job.mark("cancelled") if len(last.seen) == 2 else None)
    worker(tmp_path, last).work()
    assert len(last.seen) == 2
    put(tmp_path)
    rest = Doubling()
    assert worker(tmp_path, rest).work() == 4
    assert sorted(last.seen + rest.seen) == list(range(6))


def test_whoever_gathers_hears_that_somebody_cancelled_the_job(tmp_path: Path) -> None:
    cancelling = SharedFolder(
        tmp_path, poll_s=0.01, on_look=lambda: [job.mark("cancelled") for job in Queue(tmp_path).jobs()]
    )
    with pytest.raises(ExplorerError, match="doubles was cancelled"):
        list(cancelling.run(PIECES, JOB))


def test_a_coordinator_that_stops_cancels_its_job(tmp_path: Path) -> None:
    put(tmp_path)
    worker(tmp_path, Doubling()).work()
    results = SharedFolder(tmp_path).run(PIECES, JOB)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert Queue(tmp_path).jobs()[0].is_marked("cancelled")


def test_files_that_are_damaged_or_no_json_are_refused_and_their_pieces_done_again(tmp_path: Path) -> None:
    job = put(tmp_path)
    worker(tmp_path, Doubling()).work()
    hostile = (pickle.dumps({"key": "x"}), b"[" * 100_000, b"", b"\xff\xfe", json.dumps({"key": "other"}).encode())
    for piece, content in zip(PIECES, hostile, strict=False):
        (job.path / "results" / f"{piece.key}.json").write_bytes(content)
    again = Doubling()

    def work() -> None:
        worker(tmp_path, again).work()

    coordinator = SharedFolder(tmp_path, poll_s=0.01, on_look=work)
    assert sorted(r.value["double"] for r in coordinator.run(PIECES, JOB)) == [0, 2, 4, 6, 8, 10]
    assert sorted(again.seen) == [0, 1, 2, 3, 4]


def test_a_piece_whose_file_is_damaged_is_set_aside_and_says_so(tmp_path: Path) -> None:
    job = put(tmp_path)
    (job.path / "pieces" / f"{PIECES[0].key}.json").write_bytes(b"{")
    while not job.state().is_over:
        worker(tmp_path, Doubling()).work()
    assert len(job.state().results) == 5
    assert job.state().aside == {PIECES[0].key: "The file of this piece cannot be read."}


def test_where_every_worker_refuses_the_reason_is_given_and_nobody_waits(tmp_path: Path) -> None:
    other = PieceJob("halves", {**ABOUT, "kind": "halve"}, lambda pieces: iter(()))
    coordinator = SharedFolder(tmp_path, poll_s=0.01, on_look=worker(tmp_path, Doubling()).work)
    with pytest.raises(ExplorerError, match="No worker can do this. This is no doubling"):
        list(coordinator.run(PIECES, other))


def test_a_worker_that_refused_is_asked_again_by_the_next_start(tmp_path: Path) -> None:
    performer = Doubling()
    one = worker(tmp_path, performer)
    Queue(tmp_path).put(PIECES, PieceJob("halves", {**ABOUT, "kind": "halve"}, lambda pieces: iter(())))
    assert one.work() == 0
    performer.open = lambda about: None  # type: ignore[method-assign]  # what was missing is there now
    assert one.work() == 0
    Queue(tmp_path).put(PIECES, PieceJob("halves", {**ABOUT, "kind": "halve"}, lambda pieces: iter(())))
    assert one.work() == 6


def test_the_ways_to_write_a_back_end() -> None:
    assert backend_of(None) is None
    assert backend_of("threads") == Threads()
    folder = backend_of("folder:/shared/scan1")
    assert isinstance(folder, SharedFolder)
    assert folder.path == Path("/shared/scan1")
    for text in ("thread", "folder:", "processes:0", "processes:x", "threads:2"):
        with pytest.raises(ExplorerError, match="Write"):
            backend_of(text)
