"""What a back end is handed and what it gives back.

A piece is a pure function of what stands in it and in its job: the model's identity, the data's digest, the setting
and the part of the work. So it may be done anywhere, twice even, and in any order.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import ClassVar, Protocol, Self, cast

from explorer.types.aliases import JsonDict, JsonObject

MOST_TRIES = 3  # after so many a piece is set aside with its error


@dataclass(frozen=True)
class Piece:
    """The smallest part of a work that is handed out. Equal ``key`` = equal results; ``work`` is JSON-able."""

    key: str
    work: JsonObject

    @classmethod
    def of(cls, about: JsonObject, work: JsonObject) -> Piece:
        """A piece of the job that ``about`` describes."""
        return cls(digest_of([about, work]), work)


@dataclass(frozen=True)
class Result:
    """One value that a piece gave, JSON-able; or, where it was set aside, the ``error`` of its last try."""

    key: str
    value: JsonObject
    error: str = ""


@dataclass(frozen=True)
class PieceJob:
    """What all pieces have in common.

    ``about`` says of what kind they are, and of which model, data and setting (JSON-able); ``here`` does pieces in this
    process.
    """

    title: str
    about: JsonObject
    here: Callable[[Sequence[Piece]], Iterator[Result]]

    @cached_property
    def kind(self) -> str:
        """The kind of its pieces."""
        return str(self.about["kind"])


class Backend(ABC):
    """Where pieces of work are done. ``form`` is how one writes it; ``place`` is what follows the colon there."""

    key: ClassVar[str]
    form: ClassVar[str]

    @classmethod
    @abstractmethod
    def of(cls, place: str) -> Self:
        """The one that is written so; raises ExplorerError."""

    def telling(self, tell: Callable[[str], object]) -> Backend:
        """The same, where whoever waits hears by ``tell`` what they should know."""
        return self

    @abstractmethod
    def run(self, pieces: Sequence[Piece], job: PieceJob) -> Iterator[Result]:
        """The results of all pieces, as they come. Stop any time: what is under way elsewhere ends as well."""


class Performer(Protocol):
    """What does pieces in a worker."""

    def open(self, about: JsonObject) -> None:
        """Open model and data of a job, and verify them; raises ExplorerError where they are others."""
        ...

    def perform(self, about: JsonObject, work: JsonObject) -> list[JsonDict]:
        """The values that a piece gives."""
        ...


@dataclass(frozen=True)
class Allowed:
    """What a worker may do: run code that an address names, fetch models; and with how many threads it computes."""

    trust_code: bool = False
    allow_download: bool = False
    threads: int | None = None


def performer(allowed: Allowed) -> Performer:
    """What does pieces. It stands above the engine, so that it is looked up by its name, as the work of a command."""
    module = import_module("explorer.analysis.pieces.work")
    return cast(Performer, module.PiecesOfWork(allowed))


def digest_of(value: object) -> str:
    """Equal digest = equal JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:24]


def as_object(value: object) -> Mapping[str, object] | None:
    """A JSON object, or None for everything else."""
    return value if isinstance(value, Mapping) else None
