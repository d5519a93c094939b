"""What nothing else beats: the one rule behind every front."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def unbeaten(items: Iterable[T], reduction: Callable[[T], float], accuracy: Callable[[T], float]) -> list[T]:
    """The items that no other beats in both reduction and accuracy, by rising reduction; of equal ones the first."""
    best, front = float("-inf"), []
    for item in sorted(items, key=lambda item: (-reduction(item), -accuracy(item))):
        if accuracy(item) > best:
            best = accuracy(item)
            front.append(item)
    return front[::-1]
