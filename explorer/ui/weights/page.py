"""The weights page: all layers at a glance and as a table, then one layer in full."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from explorer.analysis.histogram import LayerMap
from explorer.analysis.statistics import LayerStatistics
from explorer.charts import overview
from explorer.charts.overview import picked
from explorer.errors import ExplorerError
from explorer.export.naming import export_name
from explorer.pruning.plan import plan as make_plan
from explorer.text.names import clean
from explorer.text.numbers import count, number, percent
from explorer.text.spreadsheet import csv_text
from explorer.types import Dataset, LoadedModel
from explorer.types.aliases import JsonDict
from explorer.ui.shell import cache, session
from explorer.ui.shell.theme import chart_theme
from explorer.ui.weights import activations, one_layer, two_criteria
from explorer.ui.weights.view import View
from explorer.ui.widgets import chart, one_output, table
from explorer.ui.widgets.persistent_widget import remembered, value

_TABLE, _EVERY, _PICKED = "weights_table", "every_tensor", "_row_clicked"
_HEIGHT = 420


@st.fragment
def draw(model: LoadedModel, dataset: Dataset | None) -> None:
    """Choosing a layer reruns only this."""
    session.show_notices()
    view = _view(model, dataset)
    rows = _rows(view)
    if not rows:
        st.info("This file holds no weights to show.", icon=":material/grid_off:")
        return
    _setting(view)
    listed = _listed(rows)
    name = _chosen(listed)
    left, right = st.columns([1, 1.6], gap="medium")
    with left, st.container(border=True, key="overview_card", height="stretch"):
        _overview(view, name)
    with right, st.container(border=True, key="table_card", height="stretch"):
        _table(view, rows, listed, name)
    with st.container(border=True, key="layer_card"):
        row = next(row for row in listed if row.name == name)
        with st.container(horizontal=True, vertical_alignment="center", key="layer_head"):
            _select(listed, name)
            st.text(f"{clean(row.kind)} · {_shape(row)} · {row.n_weights:,} weights · {row.dtype}", width="content")
        one_layer.draw(view, row)
        if row.kind == "Conv2d" and model.module is not None and dataset is not None:
            one_output.draw(model, dataset, row.name, view.spec)
    if model.module is not None:
        activations.card(view, dataset, name)
    if any(name in group.layers for group in view.scores.groups):
        two_criteria.card(model, dataset, name)
    session.write_link(session.workspace())


def _view(model: LoadedModel, dataset: Dataset | None) -> View:
    scores = session.scores(model, dataset)
    spec = session.workspace().spec
    try:
        return View(model, spec, scores, make_plan(model, spec, scores))
    except ExplorerError as error:
        session.refusal(error)
        dense = replace(spec, allocation=type(spec.allocation)(), limits=(), then=None)
        return View(model, dense, scores, make_plan(model, dense, scores))


def _rows(view: View) -> list[LayerStatistics]:
    layers = list(view.plan.layers)
    statistics = cache.statistics(view.model)
    return [replace(row, n_pruned=view.plan.n_pruned_in(of)) for row, of in zip(statistics, layers, strict=True)]


def _setting(view: View) -> None:
    """Which masks are shown, and where to change them."""
    with st.container(horizontal=True, vertical_alignment="center", key="setting_line"):
        n, of = view.plan.n_pruned, view.plan.layers.n_prunable
        if n:
            unit, criterion = view.spec.granularity.label.lower(), view.spec.criterion.label.lower()
            words = f"{percent(view.plan.pruned_share)} pruned ({n:,} of {of:,} weights), {unit} by {criterion}."
            st.caption(f"The masks are those of the present setting: {words}", width="content")
        else:
            st.caption(
                "Nothing is pruned yet. Move a line on Explore: what it removes turns grey here.", width="content"
            )
        st.page_link("pages/explore.py", label="Change it on Explore", icon=":material/tune:", width="content")


def _listed(rows: list[LayerStatistics]) -> list[LayerStatistics]:
    """What can be pruned, and what is broken; biases and norms only when asked for."""
    broken_or_prunable = [row for row in rows if row.prunable or row.n_nan or row.n_inf]
    every = value(_EVERY, False) or not broken_or_prunable
    return rows if every else broken_or_prunable


def _chosen(listed: list[LayerStatistics]) -> str:
    """The chosen layer's name: kept across pages and in the link; the first one where it is not in the list."""
    names = [row.name for row in listed]
    layer = session.workspace().layer
    return layer if layer in names else names[0]


def _choose(name: str | None) -> None:
    if name is not None:
        session.workspace().layer = name


def _overview(view: View, name: str) -> None:
    st.header("All layers", anchor=False)
    magnitudes = cache.magnitudes(view.model)
    if not magnitudes.names:
        st.caption("No layer of this model can be pruned, so there is nothing to compare.")
        return
    by_weight = view.spec.granularity.key == "weight" and view.spec.criterion.on_weight_scale
    shares = {layer.name: view.plan.n_pruned_in(layer) / layer.n_weights for layer in view.plan.layers.prunable}
    figure = overview(
        magnitudes,
        sparsities=shares if view.plan.n_pruned else None,
        thresholds={k.group.name: k.threshold for k in view.plan.groups} if by_weight else None,
        chosen=name,
        theme=chart_theme(),
        height=min(_HEIGHT - 42, max(200, 28 * len(magnitudes.names) + 98)),
    )
    clicks = chart.draw(figure, "overview", on_select="rerun", selection_mode="points")
    _clicked(getattr(getattr(clicks, "selection", None), "points", None) or [], magnitudes)
    lines = " Orange: the present line." if by_weight and view.plan.n_pruned else ""
    st.caption(f"Where each layer has most of its weights. Click a row to see that layer below.{lines}")


def _clicked(points: Sequence[JsonDict], magnitudes: LayerMap) -> None:
    """Take the layer whose row was clicked, once for each click: the table and the box may choose another one."""
    data = points[0].get("customdata") if points else None
    if data == st.session_state.get(_PICKED):
        return
    st.session_state[_PICKED] = data
    layer = picked(data, magnitudes)
    if layer is not None:
        _choose(layer)
        st.rerun(scope="fragment")


def _table(view: View, rows: list[LayerStatistics], listed: list[LayerStatistics], name: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="table_head"):
        st.header("Layer by layer", anchor=False, width="stretch")
        if len(listed) < len(rows) or value(_EVERY, False):
            _every(len(rows))
        st.download_button(
            "CSV",
            lambda: csv_text([_record(row) for row in rows]),
            f"{_stem(view)}.csv",
            "text/csv",
            key="weights_csv",
            icon=":material/download:",
            on_click="ignore",
            help=f"All {len(rows):,} tensors with every column, numbers in full.",
        )
    at = next(i for i, row in enumerate(listed) if row.name == name)
    part = table.window(len(listed), at)
    shown = listed[part]
    st.session_state[_TABLE] = {"selection": {"rows": [at - part.start]}}
    height = min(_HEIGHT - 10, 37 + 35 * len(shown))
    options = {"key": _TABLE, "on_select": lambda: _picked(shown), "selection_mode": "single-row", "height": height}
    table.draw([_cells(row) for row in shown], _COLUMNS, _TEXTS, **options)
    if len(shown) < len(listed):
        st.caption(f"{part.start + 1:,} to {part.stop:,} of {len(listed):,}: those around the layer chosen below.")


def _stem(view: View) -> str:
    return export_name(view.model.address, "weights", settings=[view.spec], share=view.plan.pruned_share)


def _every(n: int) -> None:
    st.toggle(
        f"All {n:,} tensors",
        key=_EVERY,
        help="Also biases, normalisation and whatever else is not pruned.",
        on_change=remembered(_EVERY, False),
    )


def _picked(listed: list[LayerStatistics]) -> None:
    """The row that was clicked; a click on the chosen one leaves it chosen."""
    rows = st.session_state[_TABLE]["selection"]["rows"]
    _choose(listed[rows[0]].name if rows and rows[0] < len(listed) else None)


def _select(listed: list[LayerStatistics], name: str) -> None:
    st.session_state["layer_box"] = name
    st.selectbox(
        "Layer",
        [row.name for row in listed],
        key="layer_box",
        format_func=lambda n: clean(n, 60),
        on_change=lambda: _choose(st.session_state["layer_box"]),
        label_visibility="collapsed",
        width=420,
    )


def _record(row: LayerStatistics) -> dict[str, object]:
    """One row of the file: everything that is known, in full."""
    return {
        "layer": row.name,
        "parameter": row.parameter,
        "kind": row.kind,
        "shape": "x".join(map(str, row.shape)),
        "dtype": row.dtype,
        "weights": row.n_weights,
        "pruned": row.n_pruned,
        "zeros": row.n_zeros,
        "mean": row.mean,
        "std": row.std,
        "excess_kurtosis": row.kurtosis,
        "min": row.minimum,
        "max": row.maximum,
        "nan": row.n_nan,
        "inf": row.n_inf,
        "why_not_prunable": row.why_not or "",
    }


def _shape(row: LayerStatistics) -> str:
    return " × ".join(map(str, row.shape)) or "one number"


def _cells(row: LayerStatistics) -> dict[str, object]:
    """One row on the screen."""
    return {
        "layer": clean(row.name),
        "pruned": row.n_pruned / row.n_weights if row.n_weights else 0.0,
        "shape": _shape(row),
        "weights": row.n_weights,
        "zeros": row.n_zeros,
        "mean": row.mean,
        "std": row.std,
        "kurtosis": row.kurtosis,
        "nan": row.n_nan + row.n_inf,
        "kind": clean(row.kind),
        "why_not": clean(row.why_not or "", 200),
    }


_COLUMN = st.column_config
_COLUMNS: JsonDict = {
    "layer": _COLUMN.TextColumn("Layer", pinned=True, width=140),
    "pruned": _COLUMN.NumberColumn("Pruned", width=70, help="Share of its weights that go."),
    "shape": _COLUMN.TextColumn("Shape", width=100, help="Outputs first, then inputs, then the kernel."),
    "weights": _COLUMN.NumberColumn("Weights", width=70),
    "zeros": _COLUMN.NumberColumn("Zeros", width=58, help="Exactly zero in the dense model, before any pruning."),
    "mean": _COLUMN.NumberColumn("Mean", width=70),
    "std": _COLUMN.NumberColumn("Std", width=66, help="Standard deviation, dividing by n."),
    "kurtosis": _COLUMN.NumberColumn(
        "Kurtosis",
        width=72,
        help="Excess kurtosis: 0 for a normal distribution, 3 for a Laplace one. Higher: longer tails.",
    ),
    "nan": _COLUMN.NumberColumn("NaN", width=50, help="NaN or infinite weights. Any at all makes a layer unusable."),
    "kind": _COLUMN.TextColumn("Kind", width=100),
    "why_not": _COLUMN.TextColumn("Why it is not pruned", width=320),
}
_TEXTS: table.Texts = {
    "pruned": percent,
    "weights": count,
    "zeros": count,
    "mean": number,
    "std": number,
    "kurtosis": number,
    "nan": count,
}
