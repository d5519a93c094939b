"""Measured points on disk: kept as they come, and shown again for the same model and data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from explorer.analysis.comparison.naming import in_words_of
from explorer.analysis.comparison.protocol import in_words
from explorer.errors import ExplorerError
from explorer.store.records import PointRecord
from explorer.text.delta import IN_POINTS, delta
from explorer.text.numbers import count, percent, points_bare, times
from explorer.types import Dataset, LoadedModel, TradeOffPoint
from explorer.types.aliases import JsonDict
from explorer.types.results import FIRST_NAMES
from explorer.ui.shell import cache, session, tasks
from explorer.ui.widgets.metric_columns import columns, texts
from explorer.ui.widgets.table import Texts
from explorer.ui.widgets.table import draw as draw_table

# What asked for a point, in words.
KINDS = {
    "drag": "Explore",
    "sweep": "curve",
    "evaluate": "evaluated",
    "recover": "recovered",
    "search": "searched",
    "quantize": "quantized",
    "advise": "advice",
}
_MOST = 200
_FAILED = "_keeping_failed"


def keep(point: TradeOffPoint, model: LoadedModel, dataset: Dataset, kind: str) -> None:
    """Record one point. A disk that refuses is said once; the work goes on."""

    def report(error: ExplorerError) -> None:
        if not st.session_state.get(_FAILED):
            st.session_state[_FAILED] = True
            session.notify(error)

    context = tasks.context(model, dataset)
    context.report = report
    context.record(point, kind=kind)


def earlier(model: LoadedModel, dataset: Dataset) -> list[PointRecord]:
    """Points of this model on this data's tune split by the present metric, newest first; none when the store cannot
    be read."""
    metric = session.workspace().source.metric
    try:
        records = cache.store().points(model_digest=model.digest, data_digest=dataset.digest, split="tune", limit=_MOST)
        names = FIRST_NAMES if metric is None else {metric}
        return [record for record in records if record.point.accuracy.name in names]
    except ExplorerError as error:
        session.refusal(error)
        return []


def chosen(records: Sequence[PointRecord], key: str) -> list[PointRecord]:
    """The records whose rows are chosen in the table of this key; none before it was drawn."""
    state: Any = st.session_state.get(key)
    rows = state["selection"]["rows"] if state else []
    return [records[row] for row in sorted(rows) if row < len(records)]


def table(records: Sequence[PointRecord], key: str) -> list[PointRecord]:
    """The records as a table; the chosen rows."""
    rows = [
        {
            "time": record.time[:16].replace("T", " "),
            "kind": KINDS.get(record.kind, record.kind),
            "setting": in_words_of(record.point.spec) or record.point.label,
            "protocol": in_words(record.point.protocol),
            "asked": "" if record.point.asked_ratio is None else times(record.point.asked_ratio),
            "smaller": record.point.compression_ratio,
            "speedup": record.point.theoretical_speedup,
            "sparsity": record.point.sparsity,
            "accuracy": record.point.accuracy.value,
            "change": delta(record.point.drop),
            "n": record.n,
        }
        for record in records
    ]
    height = min(320, 38 + 35 * len(rows))
    first = records[0].point if records else None
    shown = _COLUMNS if first is None else _COLUMNS | columns(first.accuracy, first.drop)
    read = _TEXTS if first is None else {**_TEXTS, **texts(first.accuracy, first.drop)}
    draw_table(rows, shown, read, height=height, on_select="rerun", selection_mode="multi-row", key=key)
    return chosen(records, key)


_COLUMN = st.column_config
_COLUMNS: JsonDict = {
    "time": _COLUMN.TextColumn("Time (UTC)", width=125),
    "kind": _COLUMN.TextColumn("From", width=75),
    "setting": _COLUMN.TextColumn("Setting", width=300),
    "protocol": _COLUMN.TextColumn("Beside pruning", width=170, help="What was done to the network beside pruning."),
    "asked": _COLUMN.TextColumn("Asked", width=65, help="The ratio asked for; empty for a share."),
    "smaller": _COLUMN.NumberColumn("Reached", width=75, help="All parameters / parameters left."),
    "speedup": _COLUMN.NumberColumn("Fewer MACs", width=90, help="Theoretical speed-up, counted."),
    "sparsity": _COLUMN.NumberColumn("Sparsity", width=75),
    "accuracy": _COLUMN.NumberColumn("Accuracy", width=80),
    "change": _COLUMN.NumberColumn(
        IN_POINTS, width=85, help="Pruned minus dense on the same samples: negative is worse."
    ),
    "n": _COLUMN.NumberColumn("n", width=55),
}
_TEXTS: Texts = {
    "smaller": times,
    "speedup": times,
    "sparsity": percent,
    "accuracy": percent,
    "change": points_bare,
    "n": count,
}
