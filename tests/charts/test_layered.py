"""Boxes in rows: arrows lead down, nothing overlaps, and what can be drawn without a crossing is."""

from __future__ import annotations

import random
from itertools import combinations, pairwise

from explorer.charts.layered import GraphLayout, layered

SIZE = (80.0, 30.0)


def drawn(edges: list[tuple[str, str]]) -> GraphLayout:
    return layered({name: SIZE for edge in edges for name in edge}, edges)


def overlap(layout: GraphLayout) -> list[tuple[str, str]]:
    return [
        (a, b)
        for (a, (x, y)), (b, (u, v)) in combinations(layout.places.items(), 2)
        if abs(x - u) < SIZE[0] and abs(y - v) < SIZE[1]
    ]


def test_a_chain_is_a_straight_column() -> None:
    layout = drawn([("a", "b"), ("b", "c")])
    assert layout.places == {"a": (40.0, 15.0), "b": (40.0, 79.0), "c": (40.0, 143.0)}
    assert (layout.width, layout.height) == (80.0, 158.0)


def test_a_diamond_is_symmetric_and_a_shortcut_passes_beside_the_boxes_between() -> None:
    layout = drawn([("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")])
    assert layout.places["a"][0] == layout.places["d"][0] == (layout.places["b"][0] + layout.places["c"][0]) / 2
    residual = drawn([("a", "b"), ("b", "c"), ("a", "c")])
    bend = residual.paths[2][1]
    assert abs(bend[0] - residual.places["b"][0]) >= SIZE[0] / 2
    assert bend[1] == residual.places["b"][1]


def test_two_crossed_pairs_are_uncrossed() -> None:
    layout = drawn([("a", "d"), ("b", "c"), ("a", "e"), ("b", "f")])
    a_first = layout.places["a"][0] < layout.places["b"][0]
    left, right = (("d", "e"), ("c", "f")) if a_first else (("c", "f"), ("d", "e"))
    assert max(layout.places[name][0] for name in left) < min(layout.places[name][0] for name in right)


def test_random_networks_lead_down_without_overlap_whatever_they_hold() -> None:
    rng = random.Random(0)
    for n in (2, 5, 12, 40):
        edges = [(f"n{i}", f"n{j}") for i in range(n) for j in range(i + 1, n) if rng.random() < 2 / n] or [
            ("n0", "n1")
        ]
        layout = drawn(edges)
        assert overlap(layout) == []
        assert len(layout.paths) == len(edges)
        for (a, b), path in zip(edges, layout.paths, strict=True):
            assert (path[0], path[-1]) == (layout.places[a], layout.places[b])
            assert all(below[1] > above[1] for above, below in pairwise(path))


def test_a_circle_and_a_loop_end_and_the_edge_that_closes_the_circle_leads_up() -> None:
    layout = drawn([("a", "b"), ("b", "a"), ("a", "a")])
    assert layout.places["a"][1] < layout.places["b"][1]
    assert layout.paths == ((layout.places["a"], layout.places["b"]), (layout.places["b"], layout.places["a"]))


def test_nothing_is_an_empty_layout() -> None:
    assert layered({}, []) == GraphLayout({}, (), 0.0, 0.0)
