"""Requested work is a value: a frozen request that any face can make, share, run and resume.

A request is a frozen dataclass whose fields are made by :func:`explorer.tasks.parts.part`. It lives in a file of its
own and is named in one line of ``MEMBERS`` in ``explorer/tasks/__init__.py``.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields
from typing import Any, ClassVar, Generic, Self, TypeAlias, TypeVar

from explorer.errors import ExplorerError
from explorer.tasks.context import Context
from explorer.tasks.parts import as_json
from explorer.types import SplitName, TradeOffPoint

R = TypeVar("R")


class TaskRequest(ABC, Generic[R]):
    """One piece of long work. Equal requests give equal results on the same machine.

    ``kind`` is its name in JSON and in the store; ``unit`` what :meth:`size` counts. A result whose ``complete`` is
    False will come again, better known, or is only a sign of life.
    """

    kind: ClassVar[str]
    unit: ClassVar[str] = "points"

    def __post_init__(self) -> None:
        for each in fields(self):  # type: ignore[arg-type]  # every member is a dataclass
            object.__setattr__(self, each.name, _read(each, getattr(self, each.name)))

    @abstractmethod
    def title(self, context: Context) -> str:
        """What is done to which model, in a few words."""

    @abstractmethod
    def size(self, context: Context) -> int:
        """How many complete results come. Raises ExplorerError for what is refused before anything is measured."""

    @abstractmethod
    def run(self, context: Context) -> Iterator[R]:
        """The results, one after another; the caller may stop any time. Nothing is recorded but cells of scans."""

    def describe(self, result: R) -> str:
        """A result in a few words, for whoever watches the work go on."""
        return ""

    def point(self, result: R) -> TradeOffPoint | None:
        """What of a result is recorded in the store; None where nothing is."""
        return None

    def evaluated_on(self) -> SplitName:
        """The split that :meth:`point` was measured on."""
        return "tune"

    def key(self, context: Context) -> str:
        """A digest of request, model, data and metric: equal key = the same work."""
        parts = {each.name: as_json(getattr(self, each.name)) for each in fields(self) if each.compare}  # type: ignore[arg-type]
        what = [self.kind, parts, context.model.identity, context.dataset.digest]
        what += [] if context.metric_key is None else [context.metric_key]
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:24]

    def to_json(self) -> dict[str, object]:
        """One JSON-able object, from which :meth:`from_json` makes an equal request."""
        parts = {each.name: as_json(getattr(self, each.name)) for each in fields(self)}  # type: ignore[arg-type]
        return {"task": self.kind, **parts}

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Self:
        """The inverse of :meth:`to_json`; every value is checked, and what is left out has its default."""
        names = [each.name for each in fields(cls)]  # type: ignore[arg-type]
        unknown = sorted(set(data) - {*names, "task"})
        if unknown:
            raise ExplorerError(f"A {cls.kind} has no part {unknown[0]!r}.", fix=f"Its parts: {', '.join(names)}.")
        absent = [each.name for each in fields(cls) if each.default is MISSING and each.name not in data]  # type: ignore[arg-type]
        if absent:
            raise ExplorerError(f"A {cls.kind} needs {absent[0]!r}.", fix=f"Its parts: {', '.join(names)}.")
        return cls(**{name: value for name, value in data.items() if name != "task"})


AnyRequest: TypeAlias = TaskRequest[Any]
"""A request of any kind."""


def _read(each: Field[object], value: object) -> object:
    try:
        return each.metadata["read"](value)
    except ExplorerError as error:
        raise ExplorerError(f"{each.name}: {error.what}", why=error.why, fix=error.fix) from None
