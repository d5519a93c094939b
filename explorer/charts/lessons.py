"""A prediction and its measurement on one chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from explorer.charts.frame import axis, framed
from explorer.charts.theme import Theme
from explorer.lessons.blocks import UNITS
from explorer.lessons.languages import Translate, english
from explorer.lessons.lesson import Answer, ChoiceQuestion, CurveQuestion, Form, Number
from explorer.lessons.readings import Reading
from explorer.text.names import clean_plotly
from explorer.text.numbers import percent_asked

_ROW, _ABOVE, _SMALLEST, _CURVE = 34, 84, 150, 300
_LONG_LABEL = 44
_WHOLE = 95.0


@dataclass(frozen=True)
class _Look:
    """How it is drawn: the colours, and the language."""

    theme: Theme
    t: Translate


def prediction(
    form: Form,
    answer: Answer,
    readings: Sequence[Reading],
    *,
    theme: Theme | None = None,
    t: Translate = english,
) -> go.Figure:
    """What was predicted beside what was measured: bars with their intervals, or two curves and a band."""
    look = _Look(theme or Theme.light(), t)
    if isinstance(form, CurveQuestion) and isinstance(answer, tuple):
        return _curves(form, answer, readings, look)
    return _bars(form, answer, readings, look)


def _factor(form: Form, readings: Sequence[Reading]) -> tuple[float, str]:
    """What a value is multiplied by to be shown, and the unit behind it."""
    if not isinstance(form, ChoiceQuestion):
        return UNITS[form.unit], form.unit
    is_share = bool(readings) and readings[0].measurement.unit == "fraction"
    return (UNITS["%"], "%") if is_share else (1.0, "×" if readings and readings[0].measurement.unit == "x" else "")


def _bars(form: Form, answer: Answer, readings: Sequence[Reading], look: _Look) -> go.Figure:
    theme, t = look.theme, look.t
    factor, unit = _factor(form, readings)
    is_one = isinstance(form, Number) and len(readings) == 1
    names = ["measured" if is_one else reading.label or "measured" for reading in readings]
    places = list(range(len(readings)))
    height = max(_SMALLEST, _ROW * len(readings) + _ABOVE)
    ticks = [clean_plotly(t(name), _LONG_LABEL) for name in names]
    down = axis(theme, autorange="reversed", tickvals=places, ticktext=ticks)
    across = axis(theme, grid=True, ticksuffix=unit, range=_range(readings, factor, unit, answer))
    figure = framed(theme, height=height, x=across, y=down, bargap=0.45)
    figure.add_trace(_measured(names, readings, factor, look, is_chosen=answer if isinstance(answer, str) else ""))
    if isinstance(form, Number) and isinstance(answer, float):
        figure.add_trace(_line(answer, unit, places, look))
    return figure


def _range(readings: Sequence[Reading], factor: float, unit: str, answer: Answer) -> list[float]:
    """From zero, or from the lowest change, to the highest; shares of the same whole up to all of it."""
    least = min([0.0, *(factor * reading.shown[1] for reading in readings)])
    given = answer if isinstance(answer, float) else 0.0
    top = max([given, *(factor * reading.shown[2] for reading in readings)])
    is_share = unit == "%" and least == 0
    return [1.06 * least, 1.06 * max(1e-9, top, _WHOLE if is_share else 0.0)]


def _measured(names: list[str], readings: Sequence[Reading], factor: float, look: _Look, *, is_chosen: str) -> go.Bar:
    theme, t = look.theme, look.t
    values = [factor * reading.shown[0] for reading in readings]
    lows = [factor * reading.shown[1] for reading in readings]
    chosen = f" ({t('your prediction')})"
    return go.Bar(
        x=values,
        y=list(range(len(readings))),
        orientation="h",
        name=t("measured"),
        marker={"color": [theme.now if name == is_chosen else theme.accent for name in names], "opacity": 0.85},
        error_x={
            "type": "data",
            "array": [factor * reading.shown[2] - value for reading, value in zip(readings, values, strict=True)],
            "arrayminus": [value - low for low, value in zip(lows, values, strict=True)],
            **{"color": theme.muted, "thickness": 1, "width": 3},
        },
        hovertext=[
            f"<b>{clean_plotly(t(name))}</b>{chosen * (name == is_chosen)}: {reading.words}"
            for name, reading in zip(names, readings, strict=True)
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _line(answer: float, unit: str, places: list[int], look: _Look) -> go.Scatter:
    return go.Scatter(
        x=[answer] * len(places),
        y=places,
        mode="markers",
        name=look.t("your prediction"),
        marker={"symbol": "line-ns-open", "size": 24, "color": look.theme.now, "line": {"width": 4}},
        hovertext=[f"{look.t('your prediction')}: {answer:g}{unit}"] * len(places),
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _curves(form: CurveQuestion, answer: tuple[float, ...], readings: Sequence[Reading], look: _Look) -> go.Figure:
    theme, t = look.theme, look.t
    factor = UNITS[form.unit]
    by_level = {reading.x: reading for reading in readings}
    measured = [by_level[level] for level in form.levels if level in by_level]
    # As far from one another as where they were drawn.
    levels = [float(i) for i, level in enumerate(form.levels) if level in by_level]
    places = [float(i) for i in range(len(form.levels))]
    ticks = [percent_asked(level) for level in form.levels]
    across = axis(theme, clean_plotly(t(form.across)), tickvals=places, ticktext=ticks)
    up = axis(theme, clean_plotly(t(form.up)), grid=True, ticksuffix=form.unit, range=[form.low, 1.03 * form.high])
    figure = framed(theme, height=_CURVE, x=across, y=up)
    highs = [factor * reading.shown[2] for reading in measured]
    lows = [factor * reading.shown[1] for reading in measured]
    figure.add_trace(
        go.Scatter(
            x=[*levels, *levels[::-1]],
            y=[*highs, *lows[::-1]],
            mode="lines",
            fill="toself",
            fillcolor=theme.translucent(theme.accent, theme.band),
            line={"width": 0},
            hoverinfo="skip",
            showlegend=False,
        )
    )
    values = [factor * reading.value for reading in measured]
    words = [f"{t('measured')}, {percent_asked(reading.x or 0)}: {reading.words}" for reading in measured]
    figure.add_trace(_drawn(t("measured"), levels, values, words, {"color": theme.accent, "width": 2.5}))
    labels = [
        f"{t('your prediction')}, {percent_asked(x)}: {y:g}{form.unit}"
        for x, y in zip(form.levels, answer, strict=True)
    ]
    dashed = {"color": theme.now, "width": 2.5, "dash": "dash"}
    figure.add_trace(_drawn(t("your prediction"), places, list(answer), labels, dashed))
    return figure


def _drawn(name: str, x: list[float], y: list[float], words: list[str], line: dict[str, object]) -> go.Scatter:
    return go.Scatter(
        x=x,
        y=y,
        mode="lines+markers",
        name=name,
        line=line,
        marker={"size": 7},
        hovertext=words,
        hovertemplate="%{hovertext}<extra></extra>",
    )
