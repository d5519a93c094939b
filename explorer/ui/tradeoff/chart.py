"""The chart of the trade-off page, what it is drawn against, and its pictures for print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import plotly.graph_objects as go
import streamlit as st

from explorer import charts
from explorer.analysis.comparison.comparison import Comparison
from explorer.analysis.comparison.protocol import mismatch
from explorer.charts import clicked, tradeoff
from explorer.charts.multiples import multiples
from explorer.charts.scale import XName, is_control
from explorer.text.names import clean_markdown
from explorer.types import TradeOff, TradeOffPoint
from explorer.ui.shell import session
from explorer.ui.shell.theme import chart_theme
from explorer.ui.tradeoff import tables
from explorer.ui.tradeoff.tables import judged_by
from explorer.ui.widgets import chart
from explorer.ui.widgets.persistent_widget import remembered, value

_AXES: dict[XName, str] = {
    "compression_ratio": "Compression",
    "macs": "MACs",
    "size_bytes": "File size",
    "sparsity": "Sparsity",
}
_CHART, _AXIS, _CONTROLS = "compare_chart", "compare_axis", "compare_controls"
_EACH, _BRUSH = "compare_each", "compare_brush"
# A longer legend, and a longer table beside it, need more room.
_HEIGHT, _MORE, _TALLEST = 430, 26, 560


@dataclass(frozen=True)
class Picked:
    """What a hand chose on the chart: the point that was clicked, or those that a box was drawn around."""

    point: TradeOffPoint | None = None
    brushed: tuple[TradeOffPoint, ...] = ()


def draw(comparison: Comparison, shown: Sequence[TradeOff], budget: float, stem: str) -> Picked:
    """The curves, and beside them points of earlier runs; returns what was chosen on it."""
    measured_curves = comparison.curves
    axis: XName = value(_AXIS, "compression_ratio", list(_AXES))
    with st.container(horizontal=True, vertical_alignment="center", key="compare_head"):
        name = comparison.subject.classifier
        held = f", {clean_markdown(name, 40)} locked" if name and comparison.lock_classifier else ""
        st.header(f"{judged_by(measured_curves)} against size{held}", anchor=False, width="stretch")
        _axis()
        has_chance = _chance()
        is_each = _toggle("One each", _EACH, "A small chart for each method, on the same axes.")
        is_brush = _toggle("Brush", _BRUSH, "Draw a box around points: the table below shows those alone.")
    drawn = [curve for curve in (*measured_curves, *shown) if has_chance or not is_control(curve)]
    figure = _figure(comparison, drawn, axis, budget, is_each=is_each)
    if is_brush:
        figure.update_layout(dragmode="select")
    # Another way to choose is another chart: what was chosen the one way is no choice the other.
    key = f"{_CHART}{'_each' * is_each}{'_brush' * is_brush}"
    chosen = chart.draw(figure, key, on_select="rerun", selection_mode="box" if is_brush else "points")
    points = chosen.selection.points if chosen else []
    unequal = mismatch(drawn)
    if unequal:
        st.caption(f":material/balance: {clean_markdown(unequal, 400)}")
    with st.container(horizontal=True, vertical_alignment="center", key="compare_foot"):
        hand = "Draw a box around points to list them below." if is_brush else "Click a point to open it on Explore."
        st.caption(f"{hand} A row that is chosen in the table has a ring here.", width="stretch")
        _pictures(drawn, axis, stem)
    under = [point for one in points if (point := clicked(one.get("customdata"), drawn, ())) is not None]
    return Picked(brushed=tuple(under)) if is_brush else Picked(under[0] if under else None)


def _figure(comparison: Comparison, drawn: list[TradeOff], axis: XName, budget: float, *, is_each: bool) -> go.Figure:
    if is_each:
        return multiples(drawn, x=axis, theme=chart_theme())
    height, marked = min(_TALLEST, _HEIGHT + _MORE * max(0, len(drawn) - 3)), tables.chosen(comparison)
    return tradeoff(drawn, now=_now(), marked=marked, budget=budget, x=axis, theme=chart_theme(), height=height)


def _toggle(label: str, key: str, about: str) -> bool:
    return st.toggle(label, key=key, help=about, on_change=remembered(key, False))


def _axis() -> None:
    st.segmented_control(
        "Against",
        list(_AXES),
        key=_AXIS,
        format_func=lambda name: _AXES[name],
        label_visibility="collapsed",
        wrap=True,
        required=True,
        help="MACs are theoretical: no dense kernel skips zeros. File size: of the smallest kind of file.",
        on_change=remembered(_AXIS, "compression_ratio", list(_AXES)),
    )


def _now() -> TradeOffPoint | None:
    """Where Explore stands, if that is measured."""
    work = session.workspace()
    present = work.spec.to_json()
    return next((p for p in reversed(work.tried) if p.spec == present), None)


def _pictures(measured_curves: list[TradeOff], axis: XName, stem: str) -> None:
    measured = [curve for curve in measured_curves if curve.points]
    for kind in ("PNG", "SVG"):
        st.download_button(
            kind,
            partial(_picture, kind, measured, axis),
            f"{stem}.{kind.lower()}",
            "image/png" if kind == "PNG" else "image/svg+xml",
            key=f"compare_{kind}",
            icon=":material/download:",
            on_click="ignore",
            disabled=not measured,
            help=f"For print, on white{', 300 dpi' if kind == 'PNG' else ', sharp at any size'}.",
        )


def _picture(kind: str, measured: list[TradeOff], axis: XName) -> bytes:
    """Made when the button is pressed: Matplotlib is not loaded before."""
    return charts.tradeoff_png(measured, x=axis) if kind == "PNG" else charts.tradeoff_svg(measured, x=axis)


def _chance() -> bool:
    """Whether chance and the other controls are drawn; verdicts and tables have them in any case."""
    return st.toggle(
        "Controls",
        key=_CONTROLS,
        help="Chance and plain magnitude, in grey. Off: the curves have the chart to themselves.",
        on_change=remembered(_CONTROLS, True),
    )
