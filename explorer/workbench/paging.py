"""Long lists of groups, a page at a time: searched and sorted over all of them, sent only what is on the screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from explorer.types import PruningGroup

Order = Literal["model", "size"]
ORDERS: tuple[Order, ...] = ("model", "size")
AT_ONCE = 200  # up to so many a list is shown whole, and so many are on a page


@dataclass(frozen=True)
class Page:
    """``groups`` are those on page ``number`` (from 1) of ``n_pages``; ``n_matching`` of all answer the search."""

    groups: tuple[PruningGroup, ...]
    number: int
    n_pages: int
    n_matching: int

    @property
    def first(self) -> int:
        """The place of its first group among those that match, from 1."""
        return (self.number - 1) * AT_ONCE + 1


def is_long(groups: Sequence[PruningGroup]) -> bool:
    """Whether so many groups are shown in pages."""
    return len(groups) > AT_ONCE


def page_of(groups: Sequence[PruningGroup], *, query: str = "", order: Order = "model", number: int = 1) -> Page:
    """One page of the groups whose name, block, kind or a layer of theirs holds ``query``, whatever its case.

    A ``number`` that is not there gives the nearest page; a search without an answer gives an empty one.
    """
    asked = query.strip().casefold()
    matching = [group for group in groups if _answers(group, asked)]
    if order == "size":
        matching.sort(key=lambda group: -group.n_units)
    n_pages = max(1, -(-len(matching) // AT_ONCE))
    number = min(max(1, number), n_pages)
    start = (number - 1) * AT_ONCE
    return Page(tuple(matching[start : start + AT_ONCE]), number, n_pages, len(matching))


def _answers(group: PruningGroup, asked: str) -> bool:
    return not asked or any(asked in text.casefold() for text in (group.name, group.block, group.kind, *group.layers))
