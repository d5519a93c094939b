from __future__ import annotations

import pytest
import torch

from explorer.analysis.criteria_compared import compared
from explorer.charts import Theme, criteria_scatter
from explorer.types import PruningGroup, Scores


def two(n: int, sparsity: float = 0.5, name: str = "one"):
    group = PruningGroup("fc", ("fc",), n, "weight", n, "fc", "Linear")
    generator = torch.Generator().manual_seed(0)
    both = {
        label: Scores((group,), {"fc": torch.rand(n, generator=generator)}, layers=None, ranks={}, deviations={})
        for label in (name, "other")
    }
    return compared(both, "fc", sparsity=sparsity)


def test_every_unit_is_a_point_of_the_kind_that_it_is():
    found = two(100)
    figure = criteria_scatter(found)
    counts = {trace.name: len(trace.x) for trace in figure.data}
    n_one = found.n_pruned - found.n_both
    assert counts["goes under both"] == found.n_both
    assert counts["goes under one only"] == counts["goes under other only"] == n_one
    assert sum(counts.values()) == 100
    for trace in figure.data:
        for x, y, (unit, first, second) in zip(trace.x, trace.y, trace.customdata, strict=True):
            assert (first, second) == pytest.approx([float(s[int(unit)]) for s in found.scores])
            assert x == pytest.approx(int(found.ranks()[0][int(unit)]) / 99)
            assert y == pytest.approx(int(found.ranks()[1][int(unit)]) / 99)


@pytest.mark.parametrize("by", ["rank", "score"])
def test_the_lines_stand_between_what_goes_and_what_stays(by):
    figure = criteria_scatter(two(100, 0.3), by=by)
    x, y = figure.layout.shapes[0].x0, figure.layout.shapes[1].y0
    sides = {t.name: ({px < x for px in t.x}, {py < y for py in t.y}) for t in figure.data}
    assert sides["stays"] == ({False}, {False})
    assert sides["goes under both"] == ({True}, {True})
    assert sides["goes under one only"] == ({True}, {False})
    assert sides["goes under other only"] == ({False}, {True})


def test_the_small_print_tells_correlation_overlap_and_chance():
    found = two(100)
    text = criteria_scatter(found).layout.annotations[0].text
    assert f"Rank correlation {found.correlation:.2f} over 100 weights" in text
    assert f"{100 * found.overlap:.1f}% of what goes is the same (50.0% by chance)" in text


def test_a_large_layer_is_thinned_evenly_and_says_so():
    figure = criteria_scatter(two(200_000), theme=Theme.dark())
    assert sum(len(trace.x) for trace in figure.data) == 3000
    assert "3,000 of them are drawn" in figure.layout.annotations[0].text
    assert len(figure.to_json()) < 1_000_000


def test_where_nothing_goes_there_are_no_lines_and_names_are_text():
    figure = criteria_scatter(two(10, 0.0, "<b>$x$</b>"))
    assert not figure.layout.shapes
    assert "<b>" not in figure.to_json().replace("\\u003c", "<")
    assert criteria_scatter(two(0)).layout.annotations[0].text == "This layer has no units."
