"""Measured points on disk: kept as they come, and shown again for the same model and data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import streamlit as st

from explorer.charts.text import percent, times
from explorer.errors import ExplorerError
from explorer.store.records import PointRecord, record_of
from explorer.types import Dataset, LoadedModel, TradeOffPoint
from explorer.ui import cache, session

_MOST = 200
_FAILED = "_keeping_failed"


def keep(point: TradeOffPoint, model: LoadedModel, dataset: Dataset, kind: str) -> None:
    """Keep one point. A disk that refuses is said once; the work goes on."""
    try:
        cache.store().keep_point(record_of(point, model, dataset, split="tune", kind=kind))
    except ExplorerError as error:
        if not st.session_state.get(_FAILED):
            st.session_state[_FAILED] = True
            session.notify(error)


def keeping(
    points: Iterable[TradeOffPoint], model: LoadedModel, dataset: Dataset, kind: str
) -> Iterator[TradeOffPoint]:
    """The points of a background job, each kept as it comes; for threads that have no page."""
    store = cache.store()
    works = True
    for point in points:
        if works:
            try:
                store.keep_point(record_of(point, model, dataset, split="tune", kind=kind))
            except ExplorerError:
                # The page says it at the next drag; a sweep goes on without the disk.
                works = False
        yield point


def earlier(model: LoadedModel, dataset: Dataset) -> list[PointRecord]:
    """Points of this model on this data's tune split, newest first; none when the store cannot be read."""
    try:
        return cache.store().points(model.digest, dataset.digest, "tune", limit=_MOST)
    except ExplorerError as error:
        session.refusal(error)
        return []


def table(records: list[PointRecord], key: str) -> PointRecord | None:
    """The records as a table; the chosen row, or None."""
    rows = [
        {
            "time": record.time[:16].replace("T", " "),
            "kind": record.kind,
            "setting": record.label,
            "sparsity": percent(record.sparsity),
            "smaller": times(record.compression_ratio),
            "accuracy": percent(record.accuracy.value),
            "n": record.n,
        }
        for record in records
    ]
    chosen = st.dataframe(
        rows,
        hide_index=True,
        height=min(320, 38 + 35 * len(rows)),
        on_select="rerun",
        selection_mode="single-row",
        key=key,
        column_config={
            "time": st.column_config.TextColumn("Time (UTC)", width=130),
            "kind": st.column_config.TextColumn("From", width=70),
            "setting": st.column_config.TextColumn("Setting", width="medium"),
            "sparsity": st.column_config.TextColumn("Sparsity", width=80),
            "smaller": st.column_config.TextColumn("Smaller", width=70),
            "accuracy": st.column_config.TextColumn("Accuracy", width=80),
            "n": st.column_config.NumberColumn("n", width=60),
        },
    )
    picked = chosen.selection.rows
    return records[picked[0]] if picked and picked[0] < len(records) else None
