"""A chart in words."""

from __future__ import annotations

import plotly.graph_objects as go

from explorer.charts.alternative import alternative
from explorer.charts.frame import empty
from explorer.charts.theme import Theme


def test_a_chart_says_its_axes_and_what_each_mark_says_when_pointed_at() -> None:
    figure = go.Figure(layout={"xaxis": {"title": "size"}, "yaxis": {"title": "accuracy"}})
    figure.add_scatter(x=[1, 2], y=[3, 4], hoverinfo="skip", name="a band")
    figure.add_scatter(x=[1, 2], y=[0.9, 0.8], name="magnitude", hovertext=["<b>dense</b><br>90%", "half<br>80%"])
    figure.add_bar(x=[0.25], y=["a &amp; b"])
    figure.add_heatmap(z=[[1.0, 2.0]], customdata=[["first", "second"]])
    assert alternative(figure) == (
        "Chart. across: size; up: accuracy. magnitude: dense, 90%; half, 80%. 0.25, a & b. first; second."
    )


def test_of_many_marks_it_says_the_first_and_that_there_are_more() -> None:
    figure = go.Figure(go.Scatter(x=list(range(500)), y=list(range(500))))
    words = alternative(figure)
    assert "39, 39; and more" in words
    assert "40, 40" not in words


def test_an_empty_chart_says_why() -> None:
    assert (
        alternative(empty(Theme.light(), "Nothing has been measured yet.")) == "Chart. Nothing has been measured yet."
    )
