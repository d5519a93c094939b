"""The chart of the grid: where points stand, what is filled, and what the legend says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from explorer import data, models
from explorer.charts.activations import skipped_activations
from explorer.charts.quantization import hover, quantization_grid, quantization_heatmap
from explorer.charts.theme import Theme
from explorer.engine.evaluator import Evaluator
from explorer.recovery.activation_threshold import ActivationPoint
from explorer.recovery.grid import Form, GridPoint, RecoveryKind
from explorer.types import Measurement, Origin, TradeOffPoint


def point(form: Form, size: int, accuracy: float, *, recovery: RecoveryKind = "none", asked: float = 0.0) -> GridPoint:
    origin: Origin = "measured" if form in ("dynamic", "static") else "counted"
    judged = Measurement("accuracy", accuracy, "fraction", "measured", accuracy - 0.01, accuracy + 0.01, n=450)
    size_of = Measurement("int8_bitmask", size, "bytes", origin)
    measured = TradeOffPoint({}, "", asked, asked, 1.0, 1.0, size, judged, judged)
    return GridPoint(asked, asked, form, 8, recovery, size=size_of, point=measured)


POINTS = [
    point("float32", 200_000, 0.99),
    point("float32", 100_000, 0.9, asked=0.5),
    point("int8", 50_000, 0.99),
    point("static", 60_000, 0.98),
    GridPoint(0.0, 0.0, "dynamic", 8, why_not="No."),
]


def test_points_stand_at_their_bytes_and_accuracy_smaller_to_the_right() -> None:
    figure = quantization_grid(POINTS)
    line = next(t for t in figure.data if t.name == "float32" and t.hovertext)
    assert (list(line.x), list(line.y)) == ([200_000, 100_000], [0.99, 0.9])
    left, right = figure.layout.xaxis.range
    assert left > right


def test_a_counted_size_is_hollow_and_a_measured_one_filled() -> None:
    figure = quantization_grid(POINTS)
    marks = {t.name: t.marker.symbol for t in figure.data if t.hovertext}
    assert marks["float32"] == ("circle-open", "circle-open")
    assert marks["ONNX Runtime, static"] == ("circle",)


def test_the_legend_names_formats_once_and_recoveries_only_where_there_are_several() -> None:
    names = [t.name for t in quantization_grid(POINTS).data if t.showlegend is not False]
    assert names[-3:] == ["float32", "int8 weights, simulated", "ONNX Runtime, static"]
    more = [*POINTS, point("int8", 50_000, 0.995, recovery="distil")]
    names = [t.name for t in quantization_grid(more, theme=Theme.dark()).data if t.showlegend is not False]
    assert names[-2:] == ["as pruned", "distilled"]


def test_the_words_of_a_point_say_size_origin_and_interval() -> None:
    said = hover(POINTS[2])
    assert "50 kB (counted, int8 bitmask)" in said.replace("50.0", "50")
    assert "(95%: 98.0 – 100.0%)" in said


@pytest.mark.parametrize("given", [[], [GridPoint(0.0, 0.0, "static", 8, why_not="No.")]])
def test_nothing_measured_is_said(given: list[GridPoint]) -> None:
    assert quantization_grid(given).layout.annotations[0].text == "Nothing has been measured yet."


def test_skipped_activations_stand_at_their_measured_share_beside_what_is_zero_anyway() -> None:
    model = models.load("digits-mlp")
    dense = Evaluator(model, data.load("digits", model=model).splits["tune"]).dense()

    def at(share: float) -> ActivationPoint:
        zero, before = (Measurement("a", value, "fraction", "measured") for value in (share, 0.5))
        return ActivationPoint(share, {"act<b>": 1.0}, {"act<b>": share}, zero, before, dense)

    figure = skipped_activations([at(0.9), at(0.5)])

    line = next(t for t in figure.data if t.hovertext)
    assert list(line.x) == [0.5, 0.9]
    assert figure.layout.shapes[0].x0 == 0.5
    assert "act&lt;b&gt;: 90%" in line.hovertext[1]
    assert skipped_activations([]).layout.annotations[0].text == "Nothing has been measured yet."


def test_the_heat_map_has_a_format_a_row_and_no_colour_where_the_interval_covers_zero() -> None:
    points = [*POINTS[:3], point("int8", 30_000, 0.5, asked=0.5)]
    drops = [(0.0, -0.01, 0.01), (0.09, 0.05, 0.12), (0.01, -0.01, 0.03), (0.49, 0.4, 0.6)]
    measured = [
        replace(p, point=replace(p.point, drop=Measurement("drop", value, "fraction", "measured", low, high, n=450)))
        for p, (value, low, high) in zip(points, drops, strict=True)
        if p.point is not None
    ]
    figure = quantization_heatmap([*measured, POINTS[-1]])
    cells = figure.data[0]

    assert list(figure.layout.yaxis.ticktext) == ["float32", "int8 weights, simulated"]
    assert list(figure.layout.xaxis.ticktext) == ["0%", "50%"]
    assert [list(row) for row in cells.text] == [["99.0%", "90.0%"], ["99.0%", "50.0%"]]
    assert [list(row) for row in cells.z] == [
        [0.0, pytest.approx(0.3)],
        [0.0, pytest.approx(0.7)],
    ]  # roots of the drops


def test_a_metric_that_is_no_share_keeps_its_own_unit_and_its_worst_value_is_the_strongest_colour() -> None:
    def of(asked: float, nats: float, more: float) -> GridPoint:
        judged = Measurement("loss", nats, "nats", "measured", nats - 0.01, nats + 0.01, n=450, best="lowest")
        drop = replace(judged, name="drop", value=more, low=more - 0.001, high=more + 0.001)
        measured = TradeOffPoint({}, "", asked, asked, 1.0, 1.0, 9, judged, drop)
        size = Measurement("int8_bitmask", 9 - asked, "bytes", "counted")
        return GridPoint(asked, asked, "int8", 8, "none", size=size, point=measured)

    points = [of(0.0, 0.4, 0.1), of(0.5, 0.7, 0.4)]

    heat = quantization_heatmap(points).data[0]
    assert [*heat.text[0]] == ["0.4", "0.7"]
    assert [*heat.z[0]] == pytest.approx([0.5, 1.0])  # the square roots of 0.1 / 0.4 and 0.4 / 0.4
    assert quantization_grid(points).layout.yaxis.title.text == "loss"
    assert "loss <b>0.7</b>" in hover(points[1])
