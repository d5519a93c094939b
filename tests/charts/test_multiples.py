"""Small multiples: one panel a method, one pair of axes for all."""

from __future__ import annotations

from explorer.charts import clicked
from explorer.charts.multiples import multiples
from explorer.types import Measurement, TradeOff, TradeOffPoint


def curve(label: str, *heights: float, is_control: bool = False) -> TradeOff:
    points = []
    for i, height in enumerate(heights):
        judged = Measurement("accuracy", height, "fraction", "measured", n=450)
        drop = Measurement("drop", 1 - height, "fraction", "measured", n=450)
        points.append(TradeOffPoint({}, label, 0.1 * i, 0.1 * i, 2.0**i, 1.0, 100, judged, drop))
    return TradeOff(label, tuple(points), is_control=is_control)


def test_each_method_has_a_panel_of_its_own_on_common_axes_with_the_control_in_every_one() -> None:
    curves = [*(curve(f"m{i}", 1.0, 0.9 - 0.1 * i, 0.5) for i in range(4)), curve("chance", 1.0, 0.2, is_control=True)]

    figure = multiples(curves)

    own = [trace for trace in figure.data if trace.hovertext]
    assert [trace.name for trace in own] == ["m0", "m1", "m2", "m3"]
    assert [trace.yaxis for trace in own] == ["y", "y2", "y3", "y4"]
    layout = figure.layout
    assert layout.yaxis.range == layout.yaxis2.range == layout.yaxis4.range
    assert layout.xaxis.range == layout.xaxis2.range == layout.xaxis4.range
    dashed = [trace for trace in figure.data if trace.line.dash not in (None, "solid")]
    assert [trace.yaxis for trace in dashed] == ["y", "y2", "y3", "y4"]
    assert clicked(own[2].customdata[1], curves, ()) is curves[2].points[1]


def test_multiples_of_nothing_say_so() -> None:
    assert "Nothing" in multiples([]).layout.annotations[0].text
