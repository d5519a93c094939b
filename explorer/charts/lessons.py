"""A prediction and its measurement on one chart."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from explorer.charts.frame import axis, framed
from explorer.charts.theme import Theme
from explorer.lessons.blocks import UNITS
from explorer.lessons.lesson import Answer, Choice, Curve, Form, Number
from explorer.lessons.readings import Reading
from explorer.text.names import clean_plotly
from explorer.text.numbers import percent_asked

_ROW, _ABOVE, _SMALLEST, _CURVE = 34, 84, 150, 300
_LONG_LABEL = 44


def prediction(form: Form, answer: Answer, readings: Sequence[Reading], *, theme: Theme | None = None) -> go.Figure:
    """What was predicted beside what was measured: bars with their intervals, or two curves and a band."""
    theme = theme or Theme.light()
    if isinstance(form, Curve) and isinstance(answer, tuple):
        return _curves(form, answer, readings, theme)
    return _bars(form, answer, readings, theme)


def _factor(form: Form, readings: Sequence[Reading]) -> tuple[float, str]:
    """What a value is multiplied by to be shown, and the unit behind it."""
    if not isinstance(form, Choice):
        return UNITS[form.unit], form.unit
    is_share = bool(readings) and readings[0].measurement.unit == "fraction"
    return (UNITS["%"], "%") if is_share else (1.0, "×" if readings and readings[0].measurement.unit == "x" else "")


def _bars(form: Form, answer: Answer, readings: Sequence[Reading], theme: Theme) -> go.Figure:
    factor, unit = _factor(form, readings)
    is_one = isinstance(form, Number) and len(readings) == 1
    names = ["measured" if is_one else reading.label or "measured" for reading in readings]
    places = list(range(len(readings)))
    height = max(_SMALLEST, _ROW * len(readings) + _ABOVE)
    ticks = [clean_plotly(name, _LONG_LABEL) for name in names]
    down = axis(theme, autorange="reversed", tickvals=places, ticktext=ticks)
    top = max([factor * _high(reading) for reading in readings] + [answer if isinstance(answer, float) else 0.0])
    top = max(top, 94.4) if unit == "%" else top  # shares of the same whole look the same
    least = min([0.0, *(factor * reading.value for reading in readings)])
    across = axis(theme, grid=True, ticksuffix=unit, range=[1.06 * least, max(1e-9, 1.06 * top)])
    figure = framed(theme, height=height, x=across, y=down, bargap=0.45)
    figure.add_trace(_measured(names, readings, factor, theme, is_chosen=answer if isinstance(answer, str) else ""))
    if isinstance(form, Number) and isinstance(answer, float):
        figure.add_trace(_line(answer, unit, places, theme))
    return figure


def _high(reading: Reading) -> float:
    return reading.value if reading.measurement.high is None else reading.measurement.high


def _measured(names: list[str], readings: Sequence[Reading], factor: float, theme: Theme, *, is_chosen: str) -> go.Bar:
    values = [factor * reading.value for reading in readings]
    lows = [reading.measurement.low for reading in readings]
    return go.Bar(
        x=values,
        y=list(range(len(readings))),
        orientation="h",
        name="measured",
        marker={"color": [theme.now if name == is_chosen else theme.accent for name in names], "opacity": 0.85},
        error_x={
            "type": "data",
            "array": [factor * _high(reading) - value for reading, value in zip(readings, values, strict=True)],
            "arrayminus": [
                0.0 if low is None else value - factor * low for low, value in zip(lows, values, strict=True)
            ],
            **{"color": theme.muted, "thickness": 1, "width": 3},
        },
        hovertext=[
            f"<b>{clean_plotly(name)}</b>{' (your prediction)' * (name == is_chosen)}: {reading.words}"
            for name, reading in zip(names, readings, strict=True)
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _line(answer: float, unit: str, places: list[int], theme: Theme) -> go.Scatter:
    return go.Scatter(
        x=[answer] * len(places),
        y=places,
        mode="markers",
        name="your prediction",
        marker={"symbol": "line-ns-open", "size": 24, "color": theme.now, "line": {"width": 4}},
        hovertext=[f"your prediction: {answer:g}{unit}"] * len(places),
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _curves(form: Curve, answer: tuple[float, ...], readings: Sequence[Reading], theme: Theme) -> go.Figure:
    factor = UNITS[form.unit]
    by_level = {reading.x: reading for reading in readings}
    measured = [by_level[level] for level in form.levels if level in by_level]
    # As far from one another as where they were drawn.
    levels = [float(i) for i, level in enumerate(form.levels) if level in by_level]
    places = [float(i) for i in range(len(form.levels))]
    ticks = [percent_asked(level) for level in form.levels]
    across = axis(theme, clean_plotly(form.across), tickvals=places, ticktext=ticks)
    up = axis(theme, clean_plotly(form.up), grid=True, ticksuffix=form.unit, range=[form.low, 1.03 * form.high])
    figure = framed(theme, height=_CURVE, x=across, y=up)
    highs = [factor * _high(reading) for reading in measured]
    lows = [
        factor * (reading.value if reading.measurement.low is None else reading.measurement.low) for reading in measured
    ]
    figure.add_trace(
        go.Scatter(
            x=[*levels, *levels[::-1]],
            y=[*highs, *lows[::-1]],
            fill="toself",
            fillcolor=theme.translucent(theme.accent, theme.band),
            line={"width": 0},
            hoverinfo="skip",
            showlegend=False,
        )
    )
    values = [factor * reading.value for reading in measured]
    words = [f"measured at {percent_asked(reading.x or 0)}: {reading.words}" for reading in measured]
    figure.add_trace(_drawn("measured", levels, values, words, {"color": theme.accent, "width": 2.5}))
    said = [
        f"your prediction at {percent_asked(x)}: {y:g}{form.unit}" for x, y in zip(form.levels, answer, strict=True)
    ]
    dashed = {"color": theme.now, "width": 2.5, "dash": "dash"}
    figure.add_trace(_drawn("your prediction", places, list(answer), said, dashed))
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
