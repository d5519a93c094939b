"""A kind of input that nobody vouches for: valid ones, how they are changed, and how they are opened."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random

Mutation = Callable[[Random, bytes, Sequence[bytes]], bytes]


@dataclass(frozen=True)
class Kind:
    """``open`` takes a content and an empty folder; it says "opens" or "warns", or raises. ``share``: of all cases."""

    name: str
    make: Callable[[], list[bytes]]
    mutate: Mutation
    open: Callable[[bytes, Path], str]
    share: float

    @cached_property
    def seeds(self) -> list[bytes]:
        """The valid ones, made once."""
        return self.make()

    def content(self, seed: str, number: int) -> bytes:
        """The case of this number: the first ones are the valid inputs themselves."""
        original = self.seeds[number % len(self.seeds)]
        if number < len(self.seeds):
            return original
        return self.mutate(Random(f"{seed}/{self.name}/{number}"), original, self.seeds)

    def tried(self, seed: str, number: int) -> str:
        """The case opened, in a folder of its own."""
        content = self.content(seed, number)
        folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
        try:
            return self.open(content, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
