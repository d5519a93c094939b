from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from explorer.charts import Theme, clicked, tradeoff, tradeoff_png, tradeoff_svg
from explorer.charts.scale import SCALES, front
from explorer.errors import ExplorerError
from explorer.types import Measurement, TradeOff, TradeOffPoint


def point(ratio: float, accuracy: float, criterion: str = "lp_norm", label: str = "p") -> TradeOffPoint:
    measured = Measurement("accuracy", accuracy, "fraction", "measured", accuracy - 0.02, accuracy + 0.01, 450)
    drop = Measurement("drop", 0.98 - accuracy, "fraction", "measured", n=450)
    spec = {"criterion": {"key": criterion}}
    asked = 1 - 1 / ratio
    return TradeOffPoint(spec, label, asked, 1 - 1 / ratio, ratio, 0.9 * ratio, int(300_000 / ratio), measured, drop)


MAGNITUDE = TradeOff("global magnitude", (point(1, 0.98), point(4, 0.9), point(16, 0.3)))
RANDOM = TradeOff("random", (point(1, 0.98, "random"), point(2, 0.1, "random")))


def named(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def test_lines_go_straight_through_the_measured_points_in_order_of_compression():
    shuffled = TradeOff("c", (point(16, 0.3), point(1, 0.98), point(4, 0.9)))
    trace = named(tradeoff([shuffled]), "c")
    assert (list(trace.x), list(trace.y)) == ([1, 4, 16], [0.98, 0.9, 0.3])
    assert trace.line.shape == "linear"
    assert trace.mode == "lines+markers"


def test_each_curve_has_a_band_through_its_intervals():
    figure = tradeoff([MAGNITUDE], pareto=False)
    band = next(trace for trace in figure.data if trace.fill == "toself")
    assert list(band.x) == [1, 4, 16, 16, 4, 1]
    assert list(band.y) == pytest.approx([0.99, 0.91, 0.31, 0.28, 0.88, 0.96])
    assert band.hoverinfo == "skip"


def test_the_random_control_is_grey_and_dashed_and_drawn_below_the_others():
    figure = tradeoff([RANDOM, MAGNITUDE], pareto=False)
    control = named(figure, "random")
    assert control.line.color == Theme.light().control
    assert control.line.dash != "solid"
    names = [trace.name for trace in figure.data if trace.name]
    assert names.index("random") < names.index("global magnitude")


def seeded(ratio: float, *accuracies: float) -> list[TradeOffPoint]:
    return [replace(point(ratio, a, "random"), seed=s, asked_ratio=ratio) for s, a in enumerate(accuracies)]


def test_several_seeds_are_one_line_through_their_means_with_a_band_over_their_range():
    curve = TradeOff("random", (*seeded(2, 0.5, 0.8, 0.2), *seeded(4, 0.1, 0.3, 0.2)))
    figure = tradeoff([curve], pareto=False)
    line = named(figure, "random")
    assert (list(line.x), list(line.y)) == ([2, 4], [pytest.approx(0.5), pytest.approx(0.2)])
    band = next(trace for trace in figure.data if trace.fill == "toself")
    assert list(band.x) == [2, 4, 4, 2]
    assert list(band.y) == [0.8, 0.3, 0.1, 0.2]
    assert "mean of 3 seeds" in line.hovertext[0]
    assert "20.0% to 80.0%" in line.hovertext[0]
    assert "asked 2×, reached 2×" in line.hovertext[0]
    # The seed nearest to the mean stands for it: 0.5 of 0.2, 0.5, 0.8 is the first.
    assert clicked(line.customdata[0], [curve], ()) is curve.points[0]
    assert clicked(line.customdata[1], [curve], ()) is curve.points[5]


def test_fewer_than_five_operating_points_are_hollow_and_the_legend_says_so():
    few = TradeOff("few", tuple(point(r, 0.9) for r in (1, 2, 4, 8, 16)))
    enough = TradeOff("enough", (*few.points, point(32, 0.2)))
    figure = tradeoff([few, enough])
    assert named(figure, "few").marker.symbol == "circle-open"
    assert named(figure, "enough").marker.symbol == "square"
    assert named(figure, "hollow: not a curve yet").marker.symbol == "circle-open"
    assert "hollow: not a curve yet" not in [trace.name for trace in tradeoff([enough]).data]


def test_another_protocol_has_stars_and_is_not_on_the_front():
    ratios = (1, 2, 4, 8, 16, 32)
    plain = [TradeOff(name, tuple(point(r, 0.5) for r in ratios)) for name in "ab"]
    tuned = TradeOff("tuned", tuple(replace(point(r, 0.9), protocol={"epochs": 9}) for r in ratios))
    figure = tradeoff([*plain, tuned])
    assert named(figure, "tuned").marker.symbol == "star"
    assert named(figure, "star: another protocol").marker.symbol == "star"
    assert "retrained, 9 epochs" in named(figure, "tuned").hovertext[0]
    assert all(0.9 not in trace.y for trace in figure.data if trace.name == "best of all (Pareto)")
    assert not [trace.name for trace in tradeoff(plain).data if trace.name and "star" in trace.name]


def test_what_says_that_it_is_a_control_is_grey_in_a_dash_of_its_own():
    figure = tradeoff([RANDOM, TradeOff("magnitude, the control", MAGNITUDE.points, is_control=True)])
    one, other = named(figure, "random"), named(figure, "magnitude, the control")
    assert one.line.color == other.line.color == Theme.light().control
    assert len({one.line.dash, other.line.dash, "solid"}) == 3


def test_the_axis_doubles_from_tick_to_tick():
    axis = tradeoff([MAGNITUDE]).layout.xaxis
    assert axis.type == "log"
    assert list(axis.tickvals) == [1, 2, 4, 8, 16]
    assert list(axis.ticktext) == ["1×", "2×", "4×", "8×", "16×"]


@pytest.mark.parametrize("x", SCALES)
def test_every_axis_shows_all_points_inside_its_range_with_more_pruning_to_the_right(x):
    figure = tradeoff([MAGNITUDE], x=x)
    left, right = figure.layout.xaxis.range
    places = [math.log10(v) if figure.layout.xaxis.type == "log" else v for v in named(figure, "global magnitude").x]
    fractions = [(place - left) / (right - left) for place in places]
    assert fractions == sorted(fractions)
    assert all(0 <= f <= 1 for f in fractions)
    assert len(figure.layout.xaxis.tickvals) >= 2


def test_an_unknown_axis_is_refused():
    with pytest.raises(ExplorerError, match="latency"):
        tradeoff([MAGNITUDE], x="latency")


def test_now_is_one_labelled_point_and_the_budget_lies_below_the_dense_accuracy():
    figure = tradeoff([MAGNITUDE], now=point(2.5, 0.95), budget=0.01)
    assert list(named(figure, "now").x) == [2.5]
    texts = [a.text for a in figure.layout.annotations]
    assert "<b>now · 2.5× · 95.0%</b>" in texts
    assert "budget: dense −1 pt" in texts
    assert figure.layout.shapes[0].y0 == pytest.approx(0.97)


def test_a_click_gives_back_the_point_that_was_clicked():
    tried = [point(3, 0.7, label="first"), point(2, 0.9, label="second")]
    figure = tradeoff([RANDOM, MAGNITUDE], tried=tried)
    dots = named(figure, "tried")
    assert [clicked(data, [RANDOM, MAGNITUDE], tried).label for data in dots.customdata] == ["second", "first"]
    line = named(figure, "global magnitude")
    assert clicked(line.customdata[1], [RANDOM, MAGNITUDE], tried) is MAGNITUDE.points[1]
    assert clicked(None, [], []) is None
    assert clicked(["tried", 7], [], tried) is None
    assert clicked(["other", 0], [], tried) is None


def test_the_front_holds_exactly_the_points_that_no_other_beats():
    points = [point(1, 0.98), point(2, 0.99), point(4, 0.9), point(4, 0.8), point(3, 0.7), point(8, 0.9)]
    assert front(points, SCALES["compression_ratio"]) == [1, 5]
    assert front(points, SCALES["size_bytes"]) == [1, 5]
    beaten = {
        i
        for i, p in enumerate(points)
        if any(
            q.compression_ratio >= p.compression_ratio
            and q.accuracy.value >= p.accuracy.value
            and (q.compression_ratio, q.accuracy.value) != (p.compression_ratio, p.accuracy.value)
            for q in points
        )
    }
    assert set(front(points, SCALES["compression_ratio"])) == set(range(6)) - beaten


def test_the_front_is_drawn_only_where_there_is_something_to_choose():
    def names(figure):
        return [trace.name for trace in figure.data]

    assert "best of all (Pareto)" not in names(tradeoff([MAGNITUDE, RANDOM]))
    joined = named(tradeoff([MAGNITUDE, RANDOM], tried=[point(8, 0.8)]), "best of all (Pareto)")
    assert list(joined.x) == [1, 4, 8, 16]
    assert "best of all (Pareto)" not in names(tradeoff([MAGNITUDE], tried=[point(8, 0.8)], pareto=False))


def test_hover_says_accuracy_interval_samples_origin_and_sizes():
    text = named(tradeoff([MAGNITUDE]), "global magnitude").hovertext[1]
    for part in ("90.0%", "88.0 – 91.0%", "measured on 450", "4×", "75 kB", "−8.0 pt"):
        assert part in text


def test_hostile_names_reach_the_browser_as_text():
    evil = '<a href="https://evil.example">x</a> $\\alpha$ & %{x}'
    text = json.dumps(tradeoff([TradeOff(evil, MAGNITUDE.points)], tried=[point(2, 0.5, label=evil)]).to_plotly_json(),
                      default=str)  # fmt: skip
    assert "<a" not in text
    assert "$" not in text
    assert "&lt;a href" in text


def test_without_a_measurement_the_chart_says_so():
    figure = tradeoff([])
    assert len(figure.data) == 0
    assert "Nothing has been measured yet" in figure.layout.annotations[0].text


def test_a_point_with_nothing_left_has_no_place_and_breaks_nothing():
    gone = point(2, 0.1)
    gone = TradeOffPoint(**{**vars(gone), "compression_ratio": math.inf})
    figure = tradeoff([TradeOff("c", (*MAGNITUDE.points, gone))], now=gone)
    assert list(named(figure, "c").x) == [1, 4, 16]


def test_figures_are_transparent_and_follow_the_theme():
    for theme in (Theme.light(), Theme.dark()):
        layout = tradeoff([MAGNITUDE], theme=theme).layout
        assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0,0,0,0)"
        assert layout.font.color == theme.text


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [Theme.light(), Theme.dark()], ids=["light", "dark"])
def test_words_have_the_contrast_that_wcag_asks_for(theme):
    def contrast(colour: str) -> float:
        pair = sorted((luminance(colour), luminance(theme.background)))
        return (pair[1] + 0.05) / (pair[0] + 0.05)

    assert all(contrast(colour) >= 4.5 for colour in (theme.text, theme.muted, theme.good, theme.bad))
    assert all(contrast(colour) >= 2.3 for colour in (theme.control, theme.now, *theme.curves))


def test_print_gives_a_png_of_the_size_asked_and_an_svg_with_its_curves():
    png = tradeoff_png([MAGNITUDE, RANDOM], now=point(2.5, 0.95), dpi=200)
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")) == (1100, 680)
    assert ET.fromstring(tradeoff_svg([MAGNITUDE], x="size_bytes")).tag.endswith("svg")


def test_print_draws_seeds_as_one_line_and_says_what_hollow_marks_and_stars_mean(monkeypatch):
    from matplotlib.axes import Axes

    drawn, bands, plot = [], [], Axes.plot
    monkeypatch.setattr(Axes, "plot", lambda self, *a, **k: drawn.append((a, k)) or plot(self, *a, **k))
    monkeypatch.setattr(Axes, "fill_between", lambda self, *a, **k: bands.append([list(part) for part in a]))
    tuned = TradeOff("tuned", (replace(point(2, 0.9), protocol={"epochs": 9}),))
    tradeoff_svg([TradeOff("random", (*seeded(2, 0.5, 0.8, 0.2), *seeded(4, 0.1, 0.3, 0.2))), tuned])
    labels = [options["label"] for _, options in drawn]
    assert labels == ["random", "tuned", "hollow: not a curve yet", "star: another protocol"]
    assert list(drawn[0][0][0]) == [2, 4]
    assert [options["marker"] for _, options in drawn[:2]] == ["o", "*"]
    assert drawn[0][1]["markerfacecolor"] == "white"
    assert bands == [[[2, 4], [0.2, 0.1], [0.8, 0.3]]]


def test_print_touches_no_global_figure_and_takes_hostile_names_and_no_points():
    from matplotlib import pyplot

    tradeoff_png([TradeOff("_$\\frac$ <b>", MAGNITUDE.points)], dpi=50)
    assert tradeoff_png([], dpi=50)[:4] == b"\x89PNG"
    assert pyplot.get_fignums() == []


def test_agreement_has_no_budget_line():
    agreed = TradeOff(
        MAGNITUDE.label, tuple(replace(p, accuracy=replace(p.accuracy, name="agreement")) for p in MAGNITUDE.points)
    )
    texts = [note.text for note in tradeoff([agreed], budget=0.01).layout.annotations]
    assert not any("budget" in text for text in texts)
    assert any("budget" in note.text for note in tradeoff([MAGNITUDE], budget=0.01).layout.annotations)


def perplexities(*values: float) -> TradeOff:
    points = []
    for ratio, value in zip((1, 2, 4, 8, 16), values, strict=True):
        measured = Measurement("perplexity", value, "x", "measured", value * 0.98, value * 1.02, 608)
        drop = Measurement("drop", values[0] - value, "x", "measured", n=608)
        points.append(replace(point(ratio, 0.5), accuracy=measured, drop=drop))
    return TradeOff("Wanda", tuple(points))


def test_perplexity_has_a_logarithmic_axis_and_notes_where_their_points_are():
    curve = perplexities(4.8, 5.3, 60.0, 900.0, 20_000.0)
    figure = tradeoff([curve], now=curve.points[2])
    assert figure.layout.yaxis.type == "log"
    assert list(named(figure, "Wanda").y) == [4.8, 5.3, 60.0, 900.0, 20_000.0]
    (note,) = (note for note in figure.layout.annotations if "now" in note.text)
    assert note.y == pytest.approx(math.log10(60.0))
    assert tradeoff([MAGNITUDE]).layout.yaxis.type != "log"


def test_a_perplexity_that_is_infinite_leaves_the_axis_as_it_is():
    assert tradeoff([perplexities(4.8, 5.3, 60.0, 900.0, math.inf)]).layout.yaxis.type != "log"
