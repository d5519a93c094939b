"""The tables of the trade-off page: how far each method gets within a budget, and every point that was measured."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.analysis.comparison.comparison import Comparison, Reach
from explorer.text.delta import IN_POINTS, delta, delta_ends
from explorer.text.names import clean_markdown
from explorer.text.numbers import (
    bytes_text,
    count,
    interval,
    percent,
    points_bare,
    times,
    valued,
)
from explorer.text.spreadsheet import csv_text
from explorer.types import TradeOff, TradeOffPoint
from explorer.types.aliases import JsonDict
from explorer.ui.widgets import table
from explorer.ui.widgets.metric_columns import columns, texts

_TABLE = "compare_points"
_COLUMN = st.column_config


def within(comparison: Comparison, budget: float) -> None:
    """The smallest measured model of each method whose accuracy fell by no more than ``budget`` (a fraction)."""
    rows = comparison.reach(budget)
    if not rows:
        st.caption("No point is within it." if comparison.points else "The first points are being measured.")
        return
    st.table(
        [
            {
                "Method": clean_markdown(_name(row), 120),
                "Smaller": times(row.compression_ratio),
                judged_by(comparison.curves): valued(row.accuracy, row.unit),
            }
            for row in rows
        ],
        border="horizontal",
        hide_index=True,
    )


def _name(row: Reach) -> str:
    return f"{row.method.label} (mean of {row.n_seeds})" if row.n_seeds > 1 else row.method.label


def judged_by(curves: Sequence[TradeOff]) -> str:
    """What the curves are evaluated by, as a heading: accuracy, or agreement where there are no labels."""
    name = next((curve.points[0].accuracy.name for curve in curves if curve.points), "accuracy")
    return name.replace("_", " ").capitalize()


def chosen(comparison: Comparison) -> TradeOffPoint | None:
    """The point whose row is chosen, where all rows are shown."""
    state = st.session_state.get(_TABLE)
    rows = state["selection"]["rows"] if state else []
    measured = [point for curve in comparison.curves for point in curve.points]
    return measured[rows[0]] if rows and rows[0] < len(measured) else None


def points(comparison: Comparison, stem: str, brushed: Sequence[TradeOffPoint] = ()) -> TradeOffPoint | None:
    """Draw all points, or those that a box was drawn around; returns the one whose setting is to be opened."""
    rows, measured = _listed(comparison, brushed)
    place = _head(f"{'The points in the box' if brushed else 'Every point'} ({len(measured):,})", rows, stem)
    if not measured:
        st.caption("Each measured point becomes a row here.")
        return None
    picked = table.draw(
        [_cells(row, point) for row, point in zip(rows, measured, strict=True)],
        _columns(measured[0]),
        {**_TEXTS, **texts(measured[0].accuracy, measured[0].drop)},
        key=f"{_TABLE}_brushed" if brushed else _TABLE,
        on_select="rerun",
        selection_mode="single-row",
        height=min(420, 37 + 35 * len(rows)),
    )
    at = picked.selection.rows[0] if picked.selection.rows else None
    point = measured[at] if at is not None and at < len(measured) else None
    opened = place.button(
        "Open on Explore",
        key="open_point",
        icon=":material/tune:",
        disabled=point is None,
        help="Choose a row first." if point is None else "Takes this row's setting to the explore page.",
    )
    return point if opened else None


def _listed(
    comparison: Comparison, brushed: Sequence[TradeOffPoint]
) -> tuple[tuple[JsonDict, ...], list[TradeOffPoint]]:
    """The rows with their points: all, or those that a box was drawn around."""
    measured = [point for curve in comparison.curves for point in curve.points]
    around = {id(point) for point in brushed or measured}
    both = [(row, point) for row, point in zip(comparison.records(), measured, strict=True) if id(point) in around]
    return tuple(row for row, _ in both), [point for _, point in both]


def _head(title: str, rows: tuple[JsonDict, ...], stem: str) -> DeltaGenerator:
    """The heading with its download; returns the place beside it for what opens a row."""
    with st.container(horizontal=True, vertical_alignment="center", key="points_head"):
        st.header(title, anchor=False, width="stretch")
        place = st.container(width="content")
        st.download_button(
            "CSV",
            lambda: csv_text(rows),
            f"{stem}.csv",
            "text/csv",
            key="compare_csv",
            icon=":material/download:",
            on_click="ignore",
            disabled=not rows,
        )
    return place


def _columns(point: TradeOffPoint) -> JsonDict:
    measured = "Of the pruned model on the tune split, measured."
    usual = _COLUMN.NumberColumn(point.accuracy.name.capitalize(), width=80, help=measured)
    return _COLUMNS | {"accuracy": usual} | columns(point.accuracy, point.drop, on=measured)


def _cells(row: JsonDict, point: TradeOffPoint) -> JsonDict:
    first, drop = point.accuracy, point.drop
    seed = "" if row["seed"] is None else f", seed {row['seed']}"
    return {
        "unit": row["unit"],
        "criterion": f"{row['criterion']}{seed}",
        "allocation": row["allocation"],
        "ratio": row["compression_ratio_asked"],
        "compression": row["compression_ratio"],
        "speedup": row["theoretical_speedup"],
        "asked": row["sparsity_asked"],
        "reached": row["sparsity"],
        "size": row["smallest_file_bytes"],
        "accuracy": first.value,
        "interval": interval(first),
        "change": delta(drop),
        "change_interval": delta_ends(drop),
        "n": row["n"],
    }


_COLUMNS: JsonDict = {
    "unit": _COLUMN.TextColumn("Unit", width=80),
    "criterion": _COLUMN.TextColumn("Criterion", width=165),
    "allocation": _COLUMN.TextColumn("Allocation", width=175),
    "ratio": _COLUMN.NumberColumn(
        "Asked", width=65, help="The compression ratio of the whole model that was asked for."
    ),
    "compression": _COLUMN.NumberColumn(
        "Reached", width=75, help="All parameters of the model / parameters left, counted."
    ),
    "speedup": _COLUMN.NumberColumn(
        "Fewer MACs",
        width=90,
        help="Dense MACs / MACs left: the theoretical speed-up that the asked size brings. No dense kernel skips "
        "zeros, so this is no measured time.",
    ),
    "asked": _COLUMN.NumberColumn("Set", width=65, help="Share of the units, weights or channels, that was set to go."),
    "reached": _COLUMN.NumberColumn(
        "Sparsity",
        width=75,
        help="Share of the prunable weights that went, counted. Channels take the weights that read them along.",
    ),
    "size": _COLUMN.NumberColumn(
        "File", width=75, help="The smallest kind of file that holds the pruned model, counted."
    ),
    "interval": _COLUMN.TextColumn("95 % interval", width=100, help="Wilson interval, in percent."),
    "change": _COLUMN.NumberColumn(
        IN_POINTS, width=90, help="Pruned minus dense on the same samples, measured: negative is worse."
    ),
    "change_interval": _COLUMN.TextColumn("95 % interval", width=115, help="Paired interval of the change, in points."),
    "n": _COLUMN.NumberColumn("n", width=55, help="Samples of the tune split that were looked at."),
}
_TEXTS: table.Texts = {
    "ratio": times,
    "compression": times,
    "speedup": times,
    "asked": percent,
    "reached": percent,
    "size": bytes_text,
    "accuracy": percent,
    "change": points_bare,
    "n": count,
}
