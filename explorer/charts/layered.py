"""Where the boxes of a directed graph stand: in rows, so that arrows lead down and cross seldom.

The four steps of Sugiyama, Tagawa and Toda (1981), IEEE Transactions on Systems, Man, and Cybernetics 11(2): rows by
the longest path, places within a row by the mean place of the neighbours, and coordinates as near to theirs as
boxes that must not overlap can come (a least-squares problem, solved exactly by pooling).
"""

from __future__ import annotations

from bisect import bisect, insort
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

Edge = tuple[str, str]
Point = tuple[float, float]
_SWEEPS = 8
_GAP, _DROP = 18.0, 34.0  # pixels between boxes of a row, and between rows


@dataclass(frozen=True)
class GraphLayout:
    """``places``: the middle of each box. ``paths``: for each edge the points that its line passes. All in pixels."""

    places: Mapping[str, Point]
    paths: tuple[tuple[Point, ...], ...]
    width: float
    height: float


def layered(sizes: Mapping[str, Point], edges: Sequence[Edge]) -> GraphLayout:
    """Places for boxes of these (width, height) in pixels. An edge that closes a circle leads up.

    Example:
        >>> layered({"a": (60, 30), "b": (60, 30)}, [("a", "b")]).places
        {'a': (30.0, 15.0), 'b': (30.0, 79.0)}
    """
    down = _without_circles(list(sizes), edges)
    row_of = _rows(list(sizes), down)
    chains = {edge: _chain(edge, row_of) for edge in down}
    rows: list[list[str]] = [[] for _ in range(max(row_of.values(), default=-1) + 1)]
    for name, row in row_of.items():
        rows[row].append(name)
    links = [link for chain in chains.values() for link in pairwise(chain)]
    rows = _ordered(rows, links)
    across = _across(rows, links, {name: width for name, (width, _) in sizes.items()})
    heights = [max((sizes[name][1] for name in row if name in sizes), default=0.0) for row in rows]
    tops = [sum(heights[:i]) + i * _DROP for i in range(len(rows))]
    places = {
        name: (across[name], tops[i] + heights[i] / 2) for i, row in enumerate(rows) for name in row
    }  # fmt: skip
    flipped = {(b, a): tuple(reversed(chain)) for (a, b), chain in chains.items()}
    paths = tuple(
        tuple(places[name] for name in (chains.get(edge) or flipped[edge])) for edge in edges if edge[0] != edge[1]
    )
    width = max((across[name] + sizes[name][0] / 2 for name in sizes), default=0.0)
    return GraphLayout({name: places[name] for name in sizes}, paths, width, tops[-1] + heights[-1] if rows else 0.0)


def _without_circles(names: Sequence[str], edges: Iterable[Edge]) -> list[Edge]:
    """The edges, each once, with those that close a circle turned round."""
    after: dict[str, list[str]] = defaultdict(list)
    for a, b in edges:
        if a != b:
            after[a].append(b)
    state: dict[str, int] = {}
    turned: dict[Edge, None] = {}
    for start in names:
        stack = [(start, iter(after[start]))] if start not in state else []
        state.setdefault(start, 1)
        while stack:
            name, rest = stack[-1]
            reader = next(rest, None)
            if reader is None:
                state[name] = 2
                stack.pop()
                continue
            closes = state.get(reader) == 1
            turned[(reader, name) if closes else (name, reader)] = None
            if reader not in state:
                state[reader] = 1
                stack.append((reader, iter(after[reader])))
    return list(turned)


def _rows(names: Sequence[str], edges: Iterable[Edge]) -> dict[str, int]:
    """The longest way from a start; a start itself stands right above the first that reads it."""
    after: dict[str, list[str]] = defaultdict(list)
    n_before = dict.fromkeys(names, 0)
    for a, b in edges:
        after[a].append(b)
        n_before[b] += 1
    starts = [name for name in names if not n_before[name]]
    row_of, ready = dict.fromkeys(names, 0), list(starts)
    while ready:
        name = ready.pop()
        for reader in after[name]:
            row_of[reader] = max(row_of[reader], row_of[name] + 1)
            n_before[reader] -= 1
            if not n_before[reader]:
                ready.append(reader)
    for name in starts:
        if after[name]:
            row_of[name] = min(row_of[reader] for reader in after[name]) - 1
    return row_of


def _chain(edge: Edge, row_of: dict[str, int]) -> tuple[str, ...]:
    """The edge as steps of one row each; the bends between get a place like a box without width."""
    a, b = edge
    between = range(row_of[a] + 1, row_of[b])
    bends = tuple(f"{a}\0{b}\0{row}" for row in between)
    row_of.update(zip(bends, between, strict=True))
    return (a, *bends, b)


def _ordered(rows: list[list[str]], links: Sequence[Edge]) -> list[list[str]]:
    """The order within each row: by the mean place of the neighbours above, then below, and the best of all sweeps."""
    above, below = _neighbours(links)
    best, fewest = [list(row) for row in rows], _crossings(rows, below)
    for sweep in range(_SWEEPS):
        neighbours, walk = (above, rows) if sweep % 2 == 0 else (below, rows[::-1])
        place = {name: i for row in rows for i, name in enumerate(row)}
        for row in walk:
            row.sort(key=lambda name: _mean([place[x] for x in neighbours[name]], place[name]))
            place |= {name: i for i, name in enumerate(row)}
        crossings = _crossings(rows, below)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    return best


def _neighbours(links: Iterable[Edge]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    above: dict[str, list[str]] = defaultdict(list)
    below: dict[str, list[str]] = defaultdict(list)
    for a, b in links:
        above[b].append(a)
        below[a].append(b)
    return above, below


def _mean(places: Sequence[float], own: float) -> float:
    return sum(places) / len(places) if places else own


def _crossings(rows: Sequence[Sequence[str]], below: Mapping[str, Sequence[str]]) -> int:
    """How many pairs of links cross: the inversions of the lower ends, read in the order of the upper ones."""
    total = 0
    for upper, lower in pairwise(rows):
        place = {name: i for i, name in enumerate(lower)}
        seen: list[int] = []
        for name in upper:
            ends = sorted(place[x] for x in below.get(name, ()))
            total += sum(len(seen) - bisect(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total


def _across(rows: Sequence[Sequence[str]], links: Sequence[Edge], widths: Mapping[str, float]) -> dict[str, float]:
    """The middle of each box and bend, from 0 at the left edge of the leftmost."""
    above, below = _neighbours(links)
    at: dict[str, float] = {}
    for row in rows:
        at |= dict(zip(row, _apart(row, widths), strict=True))
    for sweep in range(_SWEEPS):
        neighbours = (above, below)[sweep % 2]
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            desired = [_mean([at[x] for x in neighbours[name]], at[name]) for name in row]
            at |= dict(zip(row, _nearest(desired, _apart(row, widths)), strict=True))
    left = min((at[name] - width / 2 for name, width in widths.items()), default=0.0)
    return {name: x - left for name, x in at.items()}


def _apart(row: Sequence[str], widths: Mapping[str, float]) -> list[float]:
    """The middles of the boxes of a row that stand as close as they may, from 0."""
    at, places = 0.0, []
    for name in row:
        half = widths.get(name, 0.0) / 2
        places.append(at + half)
        at += 2 * half + _GAP
    return places


def _nearest(desired: Sequence[float], closest: Sequence[float]) -> list[float]:
    """Places with at least the distances of ``closest`` and the least sum of squares to ``desired``.

    What is left of a place when the distances are taken off must rise: isotonic regression, by pooling neighbours
    that are in the wrong order.
    """
    pools: list[tuple[float, int]] = []  # mean, how many
    for place, least in zip(desired, closest, strict=True):
        mean, n = place - least, 1
        while pools and pools[-1][0] > mean:
            before, m = pools.pop()
            mean, n = (before * m + mean * n) / (m + n), m + n
        pools.append((mean, n))
    free = [mean for mean, n in pools for _ in range(n)]
    return [x + least for x, least in zip(free, closest, strict=True)]
