"""Layers of a network of repeated blocks, by kind and by depth: ``blocks.3.mlp.down`` is ``mlp.down`` of block 3."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

_NUMBERED = re.compile(r"(?P<place>(?:[^.]+\.)*?[^.]+)\.(?P<number>\d+)\.(?P<kind>.+)")
_MOST_LISTS = 2  # an encoder and a decoder; more are the stages of a network for pictures


@dataclass(frozen=True)
class BlockGrid:
    """The kinds of layer and the numbers of the blocks, both in their order, and the layer at each place.

    Examples:
        >>> table = by_block(["head", "blocks.0.q", "blocks.0.up", "blocks.1.q", "blocks.1.up"])
        >>> table.kinds, table.blocks, table.layers[1][0]
        (('q', 'up'), (0, 1), 'blocks.0.up')
    """

    kinds: tuple[str, ...]
    blocks: tuple[int, ...]
    layers: tuple[tuple[str | None, ...], ...]


def by_block(layers: Sequence[str]) -> BlockGrid | None:
    """These layers by kind and block; None unless most of them are in one or two lists of blocks of several kinds."""
    parts = {layer: match for layer in layers if (match := _NUMBERED.fullmatch(layer)) is not None}
    lists = Counter(match["place"] for match in parts.values())
    if not lists or len(lists) > _MOST_LISTS or 2 * len(parts) <= len(layers):
        return None
    places = {(_kind(match, len(lists)), int(match["number"])): layer for layer, match in parts.items()}
    kinds = tuple(dict.fromkeys(kind for kind, _ in places))
    blocks = tuple(sorted({block for _, block in places}))
    if len(kinds) < 2 or len(blocks) < 2 or len(places) != len(parts):
        return None
    return BlockGrid(kinds, blocks, tuple(tuple(places.get((kind, block)) for block in blocks) for kind in kinds))


def _kind(match: re.Match[str], n_lists: int) -> str:
    return match["kind"] if n_lists == 1 else f"{match['place']}: {match['kind']}"
