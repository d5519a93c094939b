"""Pruning and quantization on one chart: bytes against accuracy, every number format in its own colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log10

import plotly.graph_objects as go

from explorer.charts.frame import axis, empty, framed
from explorer.charts.scale import SCALES, measured_axis
from explorer.charts.sensitivity import cost_scale, depth
from explorer.charts.theme import Theme
from explorer.recovery.grid import FORMS, RECOVERIES, Form, GridPoint, RecoveryKind, pareto
from explorer.text.delta import delta_with_ends, direction, named
from explorer.text.names import clean_plotly
from explorer.text.numbers import bytes_text, interval, level, percent, provenance

FORM_NAMES: dict[Form, str] = {
    "float32": "float32",
    "int8": "int8 weights, simulated",
    "dynamic": "ONNX Runtime, dynamic",
    "static": "ONNX Runtime, static",
}
RECOVERY_NAMES: dict[RecoveryKind, str] = {"none": "as pruned", "finetune": "fine-tuned", "distil": "distilled"}
_LOOKS: dict[RecoveryKind, tuple[str, str]] = {
    "none": ("circle", "solid"),
    "finetune": ("square", "6px,4px"),
    "distil": ("diamond", "1px,3px"),
}


def quantization_grid(points: Sequence[GridPoint], *, theme: Theme | None = None, height: int = 430) -> go.Figure:
    """Smaller to the right, better above. Filled: a real file was measured; hollow: its bytes were counted.

    Points of one format and one recovery are joined from less to more pruned; the dotted line joins those that no
    other beats in both size and accuracy. Points that do not exist are left out.
    """
    theme, scale = theme or Theme.light(), SCALES["size_bytes"]
    shown = [p for p in points if p.size is not None and p.accuracy is not None]
    if not shown:
        return empty(theme, "Nothing has been measured yet.", height=height)
    values = [p.size.value for p in shown if p.size is not None]
    low, high = scale.span(values)
    places, texts = scale.ticks(values)
    across = axis(theme, "bytes of the file (counted where hollow)", tickvals=places, ticktext=texts)
    across |= {"type": "log", "range": [log10(high) + 0.05, log10(low) - 0.05]}
    up = measured_axis(theme, [p.accuracy for p in shown if p.accuracy is not None])
    figure = framed(theme, height=height, x=across, y=up)
    figure.add_traces([*_front(shown, theme), *_lines(shown, theme), *_legend(shown, theme)])
    return figure


def quantization_heatmap(points: Sequence[GridPoint], *, theme: Theme | None = None) -> go.Figure:
    """Share pruned x number format: accuracy in each cell, its colour the stronger the more was lost; none where the
    interval of the change covers zero. What was not measured, or does not exist, is empty.
    """
    theme = theme or Theme.light()
    shown = [p for p in points if p.accuracy is not None and p.drop is not None]
    if not shown:
        return empty(theme, "Nothing has been measured yet.", height=200)
    rows = list(dict.fromkeys((p.form, p.recovery) for p in sorted(shown, key=_place)))
    levels = sorted({p.asked for p in shown})
    cells = {((p.form, p.recovery), p.asked): p for p in shown}
    # Of a share all can be lost; of another metric the colours go up to the worst that was measured.
    worst = max([1e-12, *(p.drop.value for p in shown if p.drop is not None and p.drop.unit != "fraction")])
    table = [[cells.get((row, level)) for level in levels] for row in rows]
    several = len({recovery for _, recovery in rows}) > 1
    names = {(p.form, p.recovery): name_of(p) + (f", {RECOVERY_NAMES[p.recovery]}" if several else "") for p in shown}
    across = axis(theme, "share pruned", tickvals=list(range(len(levels))))
    across |= {"ticktext": [percent(level, 0) for level in levels], "range": [-0.5, len(levels) - 0.5]}
    down = axis(theme, range=[len(rows) - 0.5, -0.5], tickvals=list(range(len(rows))))
    down["ticktext"] = [names[row] for row in rows]
    figure = framed(theme, height=30 * len(rows) + 80, x=across, y=down, showlegend=False)
    return figure.add_trace(
        go.Heatmap(
            z=[[None if p is None else _shade(p, worst) for p in row] for row in table],
            text=[["" if p is None or p.accuracy is None else level(p.accuracy) for p in row] for row in table],
            texttemplate="%{text}",
            colorscale=[list(stop) for stop in cost_scale(theme)],
            zmin=0.0,
            zmax=1.0,
            xgap=2,
            ygap=2,
            showscale=False,
            hoverongaps=False,
            customdata=[["" if p is None else hover(p) for p in row] for row in table],
            hovertemplate="%{customdata}<extra></extra>",
        )
    )


def _place(p: GridPoint) -> tuple[int, int]:
    return FORMS.index(p.form), RECOVERIES.index(p.recovery)


def _shade(p: GridPoint, worst: float) -> float:
    if p.drop is None or direction(p.drop) != "worse":
        return 0.0
    return depth(p.drop.value, 1.0 if p.drop.unit == "fraction" else worst)


def _colour(form: Form, theme: Theme) -> str:
    return theme.curves[FORMS.index(form)]


def _rim(form: Form, theme: Theme) -> dict[str, object]:
    return {"width": 2, "color": _colour(form, theme)}


def _lines(shown: Sequence[GridPoint], theme: Theme) -> Iterator[go.Scatter]:
    for form in FORMS:
        for recovery in RECOVERIES:
            row = sorted((p for p in shown if (p.form, p.recovery) == (form, recovery)), key=lambda p: p.asked)
            if not row:
                continue
            symbol, dash = _LOOKS[recovery]
            marks = [symbol if p.size and p.size.origin == "measured" else f"{symbol}-open" for p in row]
            yield go.Scatter(
                x=[p.size.value if p.size else None for p in row],
                y=[p.accuracy.value if p.accuracy else None for p in row],
                mode="lines+markers",
                name=name_of(row[0]),
                showlegend=False,
                line={"color": _colour(form, theme), "width": 1.8, "dash": dash, "shape": "linear"},
                marker={"color": _colour(form, theme), "size": 9, "symbol": marks, "line": _rim(form, theme)},
                hovertext=[hover(p) for p in row],
                hovertemplate="%{hovertext}<extra></extra>",
            )


def _front(shown: Sequence[GridPoint], theme: Theme) -> Iterator[go.Scatter]:
    best = pareto(shown)
    if len(best) < 2:
        return
    yield go.Scatter(
        x=[p.size.value if p.size else None for p in best],
        y=[p.accuracy.value if p.accuracy else None for p in best],
        mode="lines+markers",
        name="best of all (Pareto)",
        legendrank=2000,
        line={"color": theme.muted, "width": 1, "dash": "1px,3px"},
        marker={"size": 16, "symbol": "circle-open", "color": theme.muted, "line": {"width": 1}},
        hoverinfo="skip",
    )


def _legend(shown: Sequence[GridPoint], theme: Theme) -> Iterator[go.Scatter]:
    """One entry a format, and one a recovery where there are several: not one for each pair."""
    for form in FORMS:
        first = next((p for p in shown if p.form == form), None)
        if first is not None:
            yield _entry(name_of(first), _colour(form, theme), "circle", "solid")
    recoveries = [h for h in RECOVERIES if any(p.recovery == h for p in shown)]
    for recovery in recoveries if len(recoveries) > 1 else ():
        yield _entry(RECOVERY_NAMES[recovery], theme.muted, *_LOOKS[recovery])


def _entry(name: str, colour: str, symbol: str, dash: str) -> go.Scatter:
    looks = {"line": {"color": colour, "width": 1.8, "dash": dash}, "marker": {"symbol": symbol, "size": 8}}
    return go.Scatter(x=[None], y=[None], mode="lines+markers", name=name, hoverinfo="skip", **looks)


def name_of(p: GridPoint) -> str:
    """The number format in words, with the width that it has here: "int4 weights, simulated"."""
    return FORM_NAMES[p.form].replace("int8", p.number_format)


def speed_in_words(ratio: float) -> str:
    """ "1.52× the speed"; below one it says so."""
    return f"{ratio:.2f}× the speed" + (" (slower)" if ratio < 1 else "")


def hover(p: GridPoint) -> str:
    """What is known about a point, line by line."""
    lines = [f"<b>{name_of(p)}, {RECOVERY_NAMES[p.recovery]}</b>", f"sparsity {percent(p.sparsity)}"]
    if p.size is not None:
        lines.append(f"{bytes_text(p.size.value)} ({p.size.origin}, {clean_plotly(p.size.name.replace('_', ' '))})")
    if p.accuracy is not None:
        spread = f" (95%: {interval(p.accuracy)})" if interval(p.accuracy) else ""
        lines.append(f"{clean_plotly(p.accuracy.name)} <b>{level(p.accuracy)}</b>{spread}")
    if p.drop is not None and p.accuracy is not None:
        lines.append(f"{clean_plotly(named(p.accuracy.name))} {delta_with_ends(p.drop)} · {provenance(p.accuracy)}")
    if p.latency is not None:
        lines.append(f"{speed_in_words(p.latency.ratio.value)} of its float file (measured)")
    return "<br>".join(lines)
