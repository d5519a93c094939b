"""A queue as files on a shared directory. Nothing there is ever locked, and no file is written by two.

``jobs/JOB/`` holds a job's description, its ``pieces``, and what workers add: a lease for each try of a piece, created
by one worker alone and touched as long as it lives; the end of each try that gave nothing; the results, renamed into
place. A try without an end whose lease is touched no more is ended by whoever sees it. So a worker may be killed, and
come back late, without harm: the next try has a lease of its own, and equal pieces have equal results.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from explorer.engine.backends.base import MOST_TRIES, Piece, PieceJob, digest_of
from explorer.engine.backends.files import create_json, last_touched, names_in, read_json, write_json
from explorer.engine.backends.machine import has_ended
from explorer.errors import ExplorerError, clean
from explorer.store.atomic import cannot_write
from explorer.types.aliases import JsonDict, JsonObject

LEASE_S = 60.0  # a lease that was not touched for so long is given up
BEAT_S = 5.0
FORMAT = 1
_PARTS = ("pieces", "leases", "ends", "results", "refusals")
Why = Literal["failed", "lost", "left"]
COUNTS: tuple[Why, ...] = ("failed", "lost")  # a worker that was asked to go has not failed at its piece


@dataclass(frozen=True)
class Lease:
    """One try of one piece, which is this worker's alone."""

    key: str
    number: int
    work: JsonObject


@dataclass(frozen=True)
class QueueState:
    """How far a job is. ``aside``: the last error of pieces that are not tried again."""

    pieces: tuple[str, ...]
    results: frozenset[str]
    leased: Mapping[str, int]  # piece -> the number of its try that is under way
    free: Mapping[str, int]  # piece -> the number of its next try
    aside: Mapping[str, str]

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to do."""
        return len(self.results) + len(self.aside) >= len(self.pieces)


class JobFolder:
    """The files of one job, as its coordinator, its workers and onlookers see them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        self._touched: dict[str, tuple[int, float]] = {}  # lease -> when its server says, and when that was seen first
        self._errors: dict[str, tuple[str, str]] = {}  # end -> why, and in words: ends never change

    @property
    def about(self) -> JsonObject | None:
        """What all pieces have in common; None where this is no job that can be read."""
        data = read_json(self.path / "job.json")
        about = data.get("about") if data is not None and data.get("format") == FORMAT else None
        return about if isinstance(about, Mapping) else None

    @property
    def title(self) -> str:
        """What it is, in words."""
        return clean(str((read_json(self.path / "job.json") or {}).get("title", self.name)))

    def is_marked(self, mark: Literal["cancelled", "done"]) -> bool:
        """Whether somebody has ended it."""
        return (self.path / mark).exists()

    def mark(self, mark: Literal["cancelled", "done"]) -> None:
        """End it: workers leave it."""
        create_json(self.path / mark, {"time": time.time()})

    def begin_again(self) -> None:
        """Go on where it was ended; what was set aside is tried anew."""
        for mark in ("cancelled", "done"):
            (self.path / mark).unlink(missing_ok=True)
        for name in names_in(self.path / "refusals"):  # what was missing may be there now
            (self.path / "refusals" / name).unlink(missing_ok=True)
        aside = self.state().aside
        for part in ("ends", "leases"):
            for name in names_in(self.path / part):
                if name.split(".")[0] in aside:
                    (self.path / part / name).unlink(missing_ok=True)
        self._errors.clear()

    def state(self) -> QueueState:
        """How far it is now."""
        pieces = tuple(name.removesuffix(".json") for name in names_in(self.path / "pieces"))
        results = frozenset(name.removesuffix(".json") for name in names_in(self.path / "results"))
        leases, ends = names_in(self.path / "leases"), set(names_in(self.path / "ends"))
        last: dict[str, int] = {}
        n_counted: dict[str, int] = {}
        errors: dict[str, str] = {}
        for key, number in sorted(filter(None, map(_try_of, leases))):
            last[key] = number
            if f"{key}.{number}.json" in ends:
                why, text = self._end(f"{key}.{number}.json")
                n_counted[key] = n_counted.get(key, 0) + (why in COUNTS)
                errors[key] = text
        aside = {key: errors[key] for key, n in n_counted.items() if n >= MOST_TRIES and key not in results}
        unanswered = [key for key in pieces if key not in results and key not in aside]
        ended = {key for key in unanswered if f"{key}.{last.get(key, 0)}.json" in ends}
        leased = {key: last[key] for key in unanswered if key in last and key not in ended}
        free = {key: last.get(key, 0) + 1 for key in unanswered if key not in leased}
        return QueueState(pieces, results, leased, free, aside)

    def claim(self, key: str, number: int, worker: JsonObject) -> Lease | None:
        """This try of a piece, if nobody else was first."""
        if not create_json(self._lease(key, number), worker):
            return None
        work = (read_json(self.path / "pieces" / f"{key}.json") or {}).get("work")
        if not isinstance(work, Mapping):
            self.end(key, number, "failed", "The file of this piece cannot be read.")
            return None
        return Lease(key, number, work)

    def beat(self, claim: Lease) -> None:
        """Say that this try is still under way."""
        with suppress(OSError):  # the next one may succeed; if none does, the piece is done by another one, too
            os.utime(self._lease(claim.key, claim.number))

    def end(self, key: str, number: int, why: Why, text: str) -> bool:
        """A try has given nothing; False where another one has said so before."""
        return create_json(self.path / "ends" / f"{key}.{number}.json", {"why": why, "text": clean(text, 600)})

    def finish(self, claim: Lease, values: Sequence[JsonObject], worker: JsonObject) -> None:
        """Put the results of a piece in their place."""
        content = {"key": claim.key, "values": list(values), "by": dict(worker)}
        write_json(self.path / "results" / f"{claim.key}.json", content)

    def values(self, key: str) -> list[JsonObject] | None:
        """The results of a piece; None where the file does not hold them."""
        data = read_json(self.path / "results" / f"{key}.json") or {}
        values = data.get("values")
        is_whole = data.get("key") == key and isinstance(values, list)
        return values if is_whole and all(isinstance(value, Mapping) for value in values or ()) else None

    def reject(self, key: str, number: int, why: str) -> None:
        """Results that are none: the piece is tried again."""
        self.end(key, number, "failed", why)
        (self.path / "results" / f"{key}.json").unlink(missing_ok=True)

    def last_try(self, key: str) -> int:
        """The number of a piece's last try."""
        tries = [one for one in map(_try_of, names_in(self.path / "leases")) if one is not None]
        return max((number for other, number in tries if other == key), default=1)

    def refuse(self, worker: str, why: str) -> None:
        """This worker takes no piece of the job."""
        write_json(self.path / "refusals" / f"{worker}.json", {"why": clean(why, 600)})

    def is_refused_by(self, worker: str) -> bool:
        """Whether this worker has said so."""
        return (self.path / "refusals" / f"{worker}.json").exists()

    def refusals(self) -> dict[str, str]:
        """Which workers take no piece of the job, and why."""
        folder = self.path / "refusals"
        return {name.removesuffix(".json"): _text(read_json(folder / name), "why") for name in names_in(folder)}

    def end_stale(self, state: QueueState, lease_s: float = LEASE_S) -> int:
        """End tries whose worker lives no more; how many there were."""
        return sum(self._is_stale(key, number, lease_s) for key, number in state.leased.items())

    def _is_stale(self, key: str, number: int, lease_s: float) -> bool:
        path = self._lease(key, number)
        holder = read_json(path) or {}
        name = _text(holder, "worker") or "A worker"
        if has_ended(holder):
            return self.end(key, number, "lost", f"{name} has ended in the midst of it.")
        touched, now = last_touched(path), time.monotonic()
        # Clocks of machines differ: what counts is how long this process has seen no change.
        before = self._touched.get(path.name)
        if touched is not None and (before is None or before[0] != touched):
            self._touched[path.name] = (touched, now)
            return False
        if before is None or now - before[1] < lease_s:
            return False
        return self.end(key, number, "lost", f"{name} was not heard of for {lease_s:g} seconds.")

    def _end(self, name: str) -> tuple[str, str]:
        if name not in self._errors:
            data = read_json(self.path / "ends" / name)
            if data is None:  # created, and not written yet
                return "left", ""
            self._errors[name] = _text(data, "why"), clean(_text(data, "text"), 600)
        return self._errors[name]

    def _lease(self, key: str, number: int) -> Path:
        return self.path / "leases" / f"{key}.{number}.json"


class Queue:
    """The jobs of a shared directory."""

    def __init__(self, folder: Path | str) -> None:
        self.path = Path(folder)
        self._open: dict[str, JobFolder] = {}

    def jobs(self) -> list[JobFolder]:
        """Every job that is there, in the order of their names; also those that have ended."""
        for name in names_in(self.path / "jobs"):
            if name not in self._open:
                self._open[name] = JobFolder(self.path / "jobs" / name)
        return [job for name, job in sorted(self._open.items()) if (job.path / "job.json").exists()]

    def put(self, pieces: Sequence[Piece], job: PieceJob) -> JobFolder:
        """The folder of this job: a new one, or the one of the same work that was begun before."""
        name = digest_of([job.about, sorted(piece.key for piece in pieces)])
        path = self.path / "jobs" / name
        if not (path / "job.json").exists():
            self._create(path, pieces, job)
        folder = JobFolder(path)
        folder.begin_again()
        return folder

    def _create(self, path: Path, pieces: Sequence[Piece], job: PieceJob) -> None:
        draft = path.parent / f".{path.name}.{uuid.uuid4().hex}"
        try:
            for part in _PARTS:
                (draft / part).mkdir(parents=True)
            for piece in pieces:
                (draft / "pieces" / f"{piece.key}.json").write_text(json.dumps({"work": dict(piece.work)}), "utf-8")
            about = {"format": FORMAT, "title": job.title, "about": dict(job.about), "n": len(pieces)}
            write_json(draft / "job.json", about)
            os.replace(draft, path)
        except OSError as error:
            if not (path / "job.json").exists():  # unless another one was first
                raise cannot_write(path, error) from error

    def greet(self, worker: JsonObject, doing: str = "") -> None:
        """Say that a worker is there, and what it does."""
        with suppress(ExplorerError):  # a sign of life that is missing harms nobody
            self._folder("workers")
            write_json(self.path / "workers" / f"{_text(worker, 'worker')}.json", {**worker, "doing": doing})

    def leave(self, worker: JsonObject) -> None:
        """Say that a worker has gone."""
        with suppress(OSError):
            (self.path / "workers" / f"{_text(worker, 'worker')}.json").unlink(missing_ok=True)

    def workers(self) -> list[JsonDict]:
        """The workers that have not said that they go, with the seconds since their last sign of life."""
        folder, now, all_of_them = self.path / "workers", time.time(), []
        for name in names_in(folder):
            data, touched = read_json(folder / name), last_touched(folder / name)
            if data is not None and touched is not None and not has_ended(data):
                all_of_them.append({**data, "seconds": max(0.0, now - touched / 1e9)})
        return all_of_them

    def _folder(self, name: str) -> None:
        try:
            (self.path / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(self.path / name, error) from error


def _try_of(name: str) -> tuple[str, int] | None:
    key, _, rest = name.partition(".")
    number = rest.removesuffix(".json")
    return (key, int(number)) if number.isdecimal() else None


def _text(data: JsonObject | None, name: str) -> str:
    value = (data or {}).get(name)
    return value if isinstance(value, str) else ""
