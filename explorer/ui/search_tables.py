"""The tables of the budget page: asked, predicted and measured side by side, and every plan."""

from __future__ import annotations

from typing import Any

import streamlit as st

from explorer.analysis.search import SearchResult, Tried
from explorer.analysis.search_result import ORIGINS, amount
from explorer.charts.text import percent, points
from explorer.types import Measurement
from explorer.ui.tables import csv_text

_COLUMN = st.column_config


def answer(found: SearchResult) -> None:
    """What was asked, predicted and measured: a row for the cost, the drop and the accuracy."""
    best, question = found.best, found.question
    ceiling = question.ceiling(best.dense_cost)
    asked_cost = "as little as possible" if ceiling is None else f"≤ {_amount(best.cost, ceiling)}"
    asked_drop = "as little as possible" if question.max_drop is None else f"≤ {100 * question.max_drop:g} pt"
    accuracy = best.point.accuracy
    dense = accuracy.value + best.drop.value
    predicted = None if best.predicted is None else best.predicted.value
    rows = [
        {
            "": question.words[0].upper() + question.words[1:],
            "Asked": asked_cost,
            "Predicted": "",
            "Reached": f"{amount(best.cost)} ({percent(best.share)} of dense, {best.cost.origin})",
        },
        {
            "": "Change of accuracy",
            "Asked": asked_drop,
            "Predicted": "" if predicted is None else points(-predicted),
            "Reached": f"{points(-best.drop.value)}{_ends(best.drop)}, measured on {best.drop.n:,}",
        },
        {
            "": accuracy.name.capitalize(),
            "Asked": "",
            "Predicted": "" if predicted is None else percent(dense - predicted),
            "Reached": f"{percent(accuracy.value)} (dense {percent(dense)})",
        },
    ]
    st.table(rows, border="horizontal")


def _amount(cost: Measurement, value: float) -> str:
    return (
        f"{value:.3g} ms"
        if cost.unit == "milliseconds"
        else amount(cost).replace(f"{cost.value:,.0f}", f"{value:,.0f}")
    )


def _ends(drop: Measurement) -> str:
    if drop.low is None or drop.high is None:
        return ""
    return f" ({-100 * drop.high:+.1f} to {-100 * drop.low:+.1f})".replace("-", "−")


def plans(found: SearchResult, stem: str) -> Tried | None:
    """Draw every plan, the best first; returns the one whose setting is to be opened."""
    ranked = sorted(found.tried, key=lambda tried: tried.rank)
    rows = [_row(tried, found) for tried in ranked]
    with st.container(horizontal=True, vertical_alignment="center", key="plans_head"):
        st.markdown(f"**Plans, the best first** ({len(rows)})", width="stretch")
        place = st.container(width="content")
        st.download_button(
            "CSV",
            lambda: csv_text(rows),
            f"{stem}-search.csv",
            "text/csv",
            key="search_csv",
            icon=":material/download:",
            on_click="ignore",
        )
    chosen: Any = st.dataframe(
        rows,
        key="search_plans_table",
        on_select="rerun",
        selection_mode="single-row",
        hide_index=True,
        height=min(320, 38 + 35 * len(rows)),
        column_config=_COLUMNS,
    )
    at = chosen.selection.rows[0] if chosen.selection.rows else None
    tried = ranked[at] if at is not None and at < len(ranked) else None
    opened = place.button(
        "Open on Explore", key="open_plan", icon=":material/tune:", disabled=tried is None,
        help="Choose a row first." if tried is None else "Takes this row's setting to the explore page.",
    )  # fmt: skip
    return tried if opened else None


def _row(tried: Tried, found: SearchResult) -> dict[str, Any]:
    return {
        "plan": found.tried.index(tried) + 1,
        "from": ORIGINS[tried.by],
        "keeps": tried.meets,
        "share": 100 * tried.share,
        "predicted": None if tried.predicted is None else -100 * tried.predicted.value,
        "change": -100 * tried.drop.value,
        "accuracy": 100 * tried.point.accuracy.value,
        "sparsity": 100 * tried.point.sparsity,
        "n": tried.drop.n,
    }


_COLUMNS: dict[str, Any] = {
    "plan": _COLUMN.NumberColumn("Plan", width=50, help="In the order of trial."),
    "from": _COLUMN.TextColumn("From", width=230),
    "keeps": _COLUMN.CheckboxColumn("Keeps to it", width=85, help="Whether it is within what was asked."),
    "share": _COLUMN.NumberColumn("Cost, of dense", format="%.1f %%", width=105),
    "predicted": _COLUMN.NumberColumn(
        "Predicted, pt", format="%+.1f", width=100, help="The sum of the single drops, corrected by the plans before."
    ),
    "change": _COLUMN.NumberColumn("Measured, pt", format="%+.1f", width=100, help="Pruned minus dense."),
    "accuracy": _COLUMN.NumberColumn("Accuracy", format="%.1f %%", width=80),
    "sparsity": _COLUMN.NumberColumn("Pruned", format="%.1f %%", width=75, help="Share of the prunable weights."),
    "n": _COLUMN.NumberColumn("n", format="localized", width=55, help="Samples of the tune split."),
}
