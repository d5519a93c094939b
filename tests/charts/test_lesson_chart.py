"""A prediction and its measurement on one chart: both are there, with the interval, at the right places."""

from __future__ import annotations

from explorer.charts.alternative import alternative
from explorer.charts.lessons import prediction
from explorer.lessons.languages import translator
from explorer.lessons.lesson import ChoiceQuestion, CurveQuestion, Number
from explorer.lessons.readings import Reading
from explorer.types import Measurement


def reading(
    label: str, value: float, low: float, high: float, x: float | None = None, name: str = "accuracy"
) -> Reading:
    return Reading(label, Measurement(name, value, "fraction", "measured", low, high, n=100), x)


def test_a_number_is_a_bar_with_its_interval_and_a_mark_where_it_was_predicted() -> None:
    figure = prediction(Number(), 40.0, [reading("", 0.5, 0.4, 0.7)])
    bar, mark = figure.data
    assert (bar.x[0], bar.error_x.array[0], bar.error_x.arrayminus[0]) == (50.0, 20.0, 10.0)
    assert set(mark.x) == {40.0}
    assert "your prediction: 40%" in alternative(figure)


def test_the_chosen_option_has_another_colour_and_says_so() -> None:
    readings = [reading("a", 0.2, 0.1, 0.3), reading("b", 0.9, 0.8, 1.0)]
    (bar,) = prediction(ChoiceQuestion(("a", "b")), "b", readings).data
    colours = bar.marker.color
    assert colours[0] != colours[1]
    assert [("your prediction" in text) for text in bar.hovertext] == [False, True]


def test_both_curves_stand_over_the_same_places_and_the_band_is_the_interval() -> None:
    form = CurveQuestion((0.1, 0.9), "across", "up")
    readings = [reading("10%", 0.9, 0.8, 0.95, 0.1), reading("90%", 0.3, 0.2, 0.4, 0.9)]
    band, measured, drawn = prediction(form, (100.0, 50.0), readings).data
    assert list(measured.x) == list(drawn.x) == [0.0, 1.0]
    assert list(measured.y) == [90.0, 30.0]
    assert list(drawn.y) == [100.0, 50.0]
    assert list(band.y) == [95.0, 40.0, 20.0, 80.0]
    assert drawn.line.dash == "dash"


def test_a_drop_is_drawn_downwards_as_it_is_said() -> None:
    drop = reading("a", 0.1, 0.05, 0.2, name="drop")
    assert drop.words == "−10.0 pt (−20.0 to −5.0 pt)"
    (bar,) = prediction(ChoiceQuestion(("a", "b")), "a", [drop]).data
    assert (round(bar.x[0], 9), round(bar.error_x.array[0], 9), round(bar.error_x.arrayminus[0], 9)) == (-10, 5, 10)


def test_the_chart_is_in_the_language_of_the_learner() -> None:
    figure = prediction(Number(), 40.0, [reading("", 0.5, 0.4, 0.7)], t=translator("de"))
    assert [trace.name for trace in figure.data] == ["gemessen", "deine Vorhersage"]
