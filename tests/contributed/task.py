"""A task as somebody adds one: the test of CONTRIBUTING.md puts it among the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from explorer.tasks.base import TaskRequest
from explorer.tasks.context import Context
from explorer.tasks.parts import part, whole


@dataclass(frozen=True)
class LargestRequest(TaskRequest[float]):
    """The largest weights of a model in magnitude, ``n`` of them."""

    kind: ClassVar[str] = "largest"

    n: int = part(whole(1), 3)

    def title(self, context: Context) -> str:
        return f"largest weights of {context.model.address}"

    def size(self, context: Context) -> int:
        return self.n

    def run(self, context: Context) -> Iterator[float]:
        magnitudes = [float(value) for w in context.model.weights.values() for value in w.abs().flatten()]
        yield from sorted(magnitudes, reverse=True)[: self.n]
