"""The chart of a search: every plan is there, the answer stands out, what does not keep to the question is hollow."""

from __future__ import annotations

from dataclasses import replace

import pytest

from explorer.analysis.search.result import Tried, sentences_of, ties
from explorer.analysis.search.search import SearchResult, search
from explorer.charts import search as charts
from explorer.charts.theme import Theme
from tests.analysis.scans import small


@pytest.fixture(scope="module")
def budget() -> SearchResult:
    model, data = small("digits-mlp")
    found = SearchResult.of(search(model, data, budget="params=0.3", levels=(0.5, 0.8), evaluations=9))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def drop() -> SearchResult:
    model, data = small("digits-mlp")
    found = SearchResult.of(search(model, data, max_drop=0.02, levels=(0.5, 0.8), evaluations=12))
    assert found is not None
    return found


def test_every_plan_is_one_point_at_its_accuracy_in_the_order_of_trial(budget: SearchResult) -> None:
    figure = charts.search(budget)
    marks = [t for t in figure.data if t.mode == "markers" and t.name != "the answer"]
    places = {c[0]: (x, y) for t in marks for c, x, y in zip(t.customdata, t.x, t.y, strict=True)}
    assert places == {i: (i + 1, t.point.accuracy.value) for i, t in enumerate(budget.tried)}
    assert {"global", "uniform", "layer shapes (ERK)", "equal single drops"} <= {t.name for t in marks}


def test_the_answer_is_the_large_orange_point_and_the_line_never_falls(budget: SearchResult) -> None:
    figure = charts.search(budget, theme=Theme.light())
    answer = next(t for t in figure.data if t.name == "the answer")
    assert answer.marker.color == Theme.light().now
    assert answer.customdata[0][0] == budget.tried.index(budget.best)
    line = next(t for t in figure.data if t.name == "best so far")
    assert list(line.y) == sorted(line.y)
    assert line.y[-1] == budget.best.point.accuracy.value


def test_plans_beyond_the_drop_are_hollow(drop: SearchResult) -> None:
    figure = charts.search(drop)
    for trace in figure.data:
        if trace.name == "the answer":
            continue
        for (index,), symbol in zip(trace.customdata, trace.marker.symbol, strict=True):
            assert symbol.endswith("-open") == (not drop.tried[index].meets)
    assert "allowed: −2 pt" in {a.text for a in figure.layout.annotations}


def test_an_answer_that_falls_short_is_called_the_nearest(budget: SearchResult) -> None:
    short = [replace(t, question=replace(t.question, limit=0.0001)) for t in budget.tried]
    found = SearchResult.of(short)
    assert found is not None
    assert not found.met
    assert "the nearest" in {t.name for t in charts.search(found).data}


def test_before_the_first_plan_the_chart_says_what_is_coming() -> None:
    assert "after the scan" in charts.search(None).layout.annotations[0].text


def test_a_hover_tells_predicted_and_measured(budget: SearchResult) -> None:
    text = charts.hover(budget.tried[0])
    assert "predicted" in text
    assert f"{100 * budget.tried[0].point.accuracy.value:.1f}%" in text
    assert "counted" in text


def test_what_each_layer_keeps_stands_beside_what_goes(drop: SearchResult) -> None:
    kept, gone = charts.shares(drop.best).data
    assert [one + other for one, other in zip(kept.x, gone.x, strict=True)] == pytest.approx([1.0] * len(kept.x))
    assert list(gone.x) == [share for _, share in drop.best.shares]


def test_a_plan_far_below_all_others_stands_on_the_end_of_the_axis_with_an_arrow(budget: SearchResult) -> None:
    first = budget.tried[0]
    dense = first.point.accuracy.value + first.drop.value
    point = replace(
        first.point,
        accuracy=replace(first.point.accuracy, value=dense - 0.9),
        drop=replace(first.drop, value=0.9, low=0.88, high=0.92),
    )
    ruined = replace(first, by="move", point=point)
    figure = charts.search(replace(budget, tried=(*budget.tried, ruined)))
    marks = [t for t in figure.data if t.mode == "markers" and t.name != "the answer"]
    looks = {c[0]: (y, s) for t in marks for c, y, s in zip(t.customdata, t.y, t.marker.symbol, strict=True)}
    height, symbol = looks.pop(len(budget.tried))

    assert symbol.startswith("triangle-down")
    assert figure.layout.yaxis.range[0] < height
    assert height > dense - 0.9
    assert [looks[i][0] for i in sorted(looks)] == [t.point.accuracy.value for t in budget.tried]
    assert not any(symbol.startswith("triangle-down") for _, symbol in looks.values())


def test_plans_whose_intervals_overlap_that_of_the_best_tie_with_it(budget: SearchResult) -> None:
    def with_drop(low: float, high: float) -> Tried:
        drop = replace(budget.best.drop, value=(low + high) / 2, low=low, high=high)
        return replace(budget.best, point=replace(budget.best.point, drop=drop))

    best, near, far = with_drop(0.0, 0.02), with_drop(0.01, 0.03), with_drop(0.021, 0.05)
    result = replace(budget, tried=(best, near, far))

    assert result.best is best
    assert ties(result) == (near,)
    assert any(
        sentence.startswith("1 of the 2 other plans within the budget ties with it")
        for sentence in sentences_of(result)
    )
