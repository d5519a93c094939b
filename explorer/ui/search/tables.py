"""The tables of the budget page: asked, predicted and measured side by side, and every plan."""

from __future__ import annotations

import streamlit as st

from explorer.analysis.search.result import ORIGINS
from explorer.analysis.search.search import SearchResult, Tried
from explorer.text.delta import IN_POINTS, change_of_mean, delta, delta_ends, delta_text, worse_is_up
from explorer.text.numbers import bytes_text, count, level, percent, points_bare, valued
from explorer.text.spreadsheet import csv_text
from explorer.types import Measurement
from explorer.types.aliases import JsonDict
from explorer.ui.widgets import table
from explorer.ui.widgets.metric_columns import columns, texts

_COLUMN = st.column_config
_AT_MOST, _AT_LEAST = "≤\N{NO-BREAK SPACE}", "≥\N{NO-BREAK SPACE}"


def answer(result: SearchResult) -> None:
    """What was asked, predicted and measured, side by side: the cost, the change of accuracy, the accuracy."""
    best = result.best
    reached = best.cost.origin.capitalize() + ", measured" * (best.cost.origin == "counted")
    head = ("", "Asked", "Predicted", reached)
    rows = [*_cost_rows(best), *_accuracy_rows(best)]
    st.table([dict(zip(head, row, strict=True)) for row in rows], border="horizontal")
    st.caption(
        f"From {ORIGINS[best.by]}; measured on {best.drop.n:,} samples of the tune split, where the dense "
        f"model has {valued(best.dense_value, best.point.accuracy.unit)}."
    )


def _cost_rows(best: Tried) -> list[tuple[str, str, str, str]]:
    question = best.question
    ceiling = question.ceiling(best.dense_cost)
    words = question.words[0].upper() + question.words[1:]
    at_most = "" if ceiling is None else f"{_AT_MOST}{percent(ceiling / best.dense_cost)}"
    asked = "least" if ceiling is None else f"{_AT_MOST}{_amount(best.cost, ceiling)}"
    return [(words, asked, "", _amount(best.cost)), ("Share of dense", at_most, "", percent(best.share))]


def _accuracy_rows(best: Tried) -> list[tuple[str, str, str, str]]:
    limit, accuracy = best.question.max_drop, best.point.accuracy
    change, value = "", ""
    if best.predicted is not None:
        change = delta_text(best.predicted)
        value = valued(best.dense_value + delta(best.predicted), accuracy.unit)
    sign = _AT_MOST if worse_is_up(best.drop) else _AT_LEAST
    asked = "least" if limit is None else f"{sign}{change_of_mean(best.drop, limit)}"
    return [
        (best.delta_name, asked, change, delta_text(best.drop)),
        ("95 % interval", "", "", delta_ends(best.drop)),
        (accuracy.name.replace("_", " ").capitalize(), "", value, level(accuracy)),
    ]


def _amount(cost: Measurement, value: float | None = None) -> str:
    value = cost.value if value is None else value
    if cost.unit == "bytes":
        return bytes_text(value)
    return f"{value:.3g} ms" if cost.unit == "milliseconds" else f"{value:,.0f}"


def plans(result: SearchResult, stem: str) -> Tried | None:
    """Draw every plan, the best first; returns the one whose setting is to be opened."""
    ranked = sorted(result.tried, key=lambda tried: tried.rank)
    rows = [_cells(tried, result) for tried in ranked]
    with st.container(horizontal=True, vertical_alignment="center", key="plans_head"):
        st.header(f"Plans, the best first ({len(rows)})", anchor=False, width="stretch")
        place = st.container(width="content")
        st.download_button(
            "CSV",
            lambda: csv_text([_record(row, _texts(result)) for row in rows]),
            f"{stem}.csv",
            "text/csv",
            key="search_csv",
            icon=":material/download:",
            on_click="ignore",
        )
    chosen = table.draw(
        rows,
        _columns(result),
        _texts(result),
        key="search_plans_table",
        on_select="rerun",
        selection_mode="single-row",
        height=min(320, 38 + 35 * len(rows)),
    )
    at = chosen.selection.rows[0] if chosen.selection.rows else None
    tried = ranked[at] if at is not None and at < len(ranked) else None
    opened = place.button(
        "Open on Explore", key="open_plan", icon=":material/tune:", disabled=tried is None,
        help="Choose a row first." if tried is None else "Takes this row's setting to the explore page.",
    )  # fmt: skip
    return tried if opened else None


def _columns(result: SearchResult) -> JsonDict:
    best = result.best
    chosen = columns(best.point.accuracy, best.drop)
    if not chosen:
        return _COLUMNS
    about = "The sum of the single drops, corrected by the plans before."
    return (
        _COLUMNS | chosen | {"predicted": _COLUMN.NumberColumn(f"Predicted {best.delta_name}", width=110, help=about)}
    )


def _texts(result: SearchResult) -> table.Texts:
    return {**_TEXTS, **texts(result.best.point.accuracy, result.best.drop)}


def _record(cells: JsonDict, read: table.Texts) -> JsonDict:
    """A row of the file, with its shares in percent."""
    shares = [name for name, text in read.items() if text in (percent, points_bare)]
    return cells | {name: 100 * cells[name] for name in shares if cells[name] is not None}


def _cells(tried: Tried, result: SearchResult) -> JsonDict:
    return {
        "plan": result.tried.index(tried) + 1,
        "from": ORIGINS[tried.by],
        "keeps": tried.meets,
        "share": tried.share,
        "predicted": None if tried.predicted is None else delta(tried.predicted),
        "change": delta(tried.drop),
        "accuracy": tried.point.accuracy.value,
        "sparsity": tried.point.sparsity,
        "n": tried.drop.n,
    }


_COLUMNS: JsonDict = {
    "plan": _COLUMN.NumberColumn("Plan", width=50, help="In the order of trial."),
    "from": _COLUMN.TextColumn("From", width=230),
    "keeps": _COLUMN.CheckboxColumn("Keeps to it", width=85, help="Whether it is within what was asked."),
    "share": _COLUMN.NumberColumn("Cost, of dense", width=105),
    "predicted": _COLUMN.NumberColumn(
        f"Predicted {IN_POINTS}",
        width=150,
        help="The sum of the single drops, corrected by the plans before.",
    ),
    "change": _COLUMN.NumberColumn(IN_POINTS, width=100, help="Pruned minus dense, measured: negative is worse."),
    "accuracy": _COLUMN.NumberColumn("Accuracy", width=80),
    "sparsity": _COLUMN.NumberColumn("Pruned", width=75, help="Share of the prunable weights."),
    "n": _COLUMN.NumberColumn("n", width=55, help="Samples of the tune split."),
}
_TEXTS: table.Texts = {
    "share": percent,
    "predicted": points_bare,
    "change": points_bare,
    "accuracy": percent,
    "sparsity": percent,
    "n": count,
}
