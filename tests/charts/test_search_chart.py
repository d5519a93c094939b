"""The chart of a search: every plan is there, the answer stands out, what does not keep to the question is hollow."""

from __future__ import annotations

from dataclasses import replace

import pytest

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
