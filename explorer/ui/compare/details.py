"""One model against the first: its classes, every changed answer, its weights, and where the outputs part."""

from __future__ import annotations

import math
from collections.abc import Sequence

import streamlit as st
import torch

from explorer.analysis.models_compared.changed import DIRECTIONS, ChangedSample, Direction
from explorer.analysis.models_compared.layers import LayerDifference
from explorer.analysis.models_compared.result import ModelsCompared
from explorer.charts import compared as charts
from explorer.charts.classes import recall_by_class
from explorer.report import compared as words
from explorer.text.names import clean_markdown, clean_plotly
from explorer.types import Dataset
from explorer.types.inputs import one_tensor
from explorer.ui.compare.overview import DETAILS
from explorer.ui.shell.theme import chart_theme
from explorer.ui.widgets import chart, thumbnails
from explorer.ui.widgets.persistent_widget import remembered

_PAGE = 25
_MOST_CLASSES = 100
_MATRICES = {"difference": "Difference", "other": "This model", "first": "The first"}
_ALL = "every class"


def draw(compared: ModelsCompared, dataset: Dataset) -> None:
    """What is behind the numbers of the chosen model."""
    others = list(compared.names[1:])
    with st.container(border=True, key="details_card"):
        st.header("What is behind a difference", anchor=False)
        name = st.selectbox(
            "The first against", others, key=DETAILS, on_change=remembered(DETAILS, others[-1], others), width=420
        )
        i = compared.names.index(name)
        tabs = st.tabs(["Changed answers", "Classes", "Weights", "Layers"])
        with tabs[0]:
            _changed(compared, i, dataset)
        with tabs[1]:
            _classes(compared, i)
        with tabs[2]:
            _weights(compared, i)
        with tabs[3]:
            _layers(compared, i)


def _changed(compared: ModelsCompared, i: int, dataset: Dataset) -> None:
    samples = compared.changed(i)
    if not samples:
        why = "Both choose the same class for every sample." if compared.pairs else "They do not choose among classes."
        st.caption(why)
        return
    directions = _directions(compared)
    with st.container(horizontal=True, vertical_alignment="bottom", key="changed_filters"):
        samples = _filtered(compared, samples, directions)
        page = _page(len(samples))
    shown = samples[page * _PAGE : (page + 1) * _PAGE]
    st.caption(
        f"{len(samples):,} samples, the largest change of the "
        f"{'right' if compared.labels is not None else 'first'} class's probability first."
    )
    table = [dict(zip(words.CHANGED_HEAD, row, strict=True)) for row in words.changed_rows(compared, shown)]
    pictures = _pictures(dataset, compared.split, shown)
    rows = [{"picture": p} | row for p, row in zip(pictures, table, strict=True)] if pictures else table
    column = {"picture": st.column_config.ImageColumn("picture", width="small")}
    st.dataframe(rows, hide_index=True, key="changed_table", column_config=column)


def _directions(compared: ModelsCompared) -> list[Direction]:
    """Those that were chosen; a row of its own, which a narrow screen breaks."""
    if compared.labels is None:
        return []
    return st.pills(
        "Direction", DIRECTIONS, selection_mode="multi", key="changed_direction",
        on_change=remembered("changed_direction", [], list(DIRECTIONS)), help="None chosen: all of them.",
    )  # fmt: skip


def _filtered(
    compared: ModelsCompared, samples: tuple[ChangedSample, ...], directions: Sequence[Direction]
) -> tuple[ChangedSample, ...]:
    if compared.labels is None:
        return samples
    names = [_ALL, *(compared.class_name(c.index) for c in compared.per_class(0) if c.n)]
    of_class = st.selectbox(
        "Right class", names, key="changed_class", on_change=remembered("changed_class", _ALL, names), width=180
    )
    return tuple(
        sample
        for sample in samples
        if (not directions or sample.direction in directions)
        and (of_class == _ALL or compared.class_name(sample.label or 0) == of_class)
    )


def _page(n: int) -> int:
    pages = max(1, math.ceil(n / _PAGE))
    if pages == 1:
        return 0
    number = st.number_input(f"Page of {pages}", 1, pages, key="changed_page", width=140)
    return int(number) - 1


def _pictures(dataset: Dataset, split: str, samples: Sequence[ChangedSample]) -> list[str]:
    if not dataset.images or not samples:
        return []
    which = torch.tensor([sample.index for sample in samples])
    x = one_tensor(dataset.splits[split].x[which], "A picture")  # type: ignore[index]
    return [thumbnails.picture(each) for each in x] if x.dim() == 4 and x.shape[1] in (1, 3) else []


def _classes(compared: ModelsCompared, i: int) -> None:
    if compared.labels is None:
        st.caption("The data has no labels, or the models do not choose among classes.")
        return
    counts = compared.per_class(i), compared.per_class(0)
    names = [compared.class_name(c.index) for c in counts[0]]
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Right answers of every class** (mark: the first)")
        figure = recall_by_class(names, *counts, theme=chart_theme())
        for trace, j in zip(figure.data, (i, 0), strict=False):
            trace.name = clean_plotly(compared.names[j], 40)
        chart.draw(figure, "compared_classes")
    with right:
        _confusion(compared, i, names)
    head = words.class_head(compared)
    st.dataframe(
        [dict(zip(head, row, strict=True)) for row in words.class_rows(compared)], hide_index=True, key="class_table"
    )


def _confusion(compared: ModelsCompared, i: int, names: list[str]) -> None:
    if len(names) > _MOST_CLASSES:
        st.caption(f"A matrix of {len(names):,} classes is not drawn.")
        return
    which = st.segmented_control(
        "Confusion matrix", list(_MATRICES), key="confusion_of", format_func=_MATRICES.__getitem__, required=True,
        on_change=remembered("confusion_of", "difference", list(_MATRICES)),
    )  # fmt: skip
    first, other = compared.confusion(0), compared.confusion(i)
    counts = {"first": first, "other": other}.get(str(which), other - first).tolist()
    figure = charts.confusion(counts, names, is_difference=which == "difference", theme=chart_theme())
    chart.draw(figure, "compared_confusion")


def _weights(compared: ModelsCompared, i: int) -> None:
    against = compared.models[i].against
    if against is None:
        return
    st.caption("Of each layer the weights that are not zero: in both models, in one alone, in neither.")
    chart.draw(charts.weights_shared(against, theme=chart_theme()), "compared_weights")
    head = words.WEIGHT_HEAD
    rows = [dict(zip(head, row, strict=True)) for row in words.weight_rows(against)]
    st.dataframe(rows, hide_index=True, key="weights_table")


def _layers(compared: ModelsCompared, i: int) -> None:
    against = compared.models[i].against
    if against is None:
        return
    n = against.layers[0].n if against.layers else 0
    where = f"Their outputs part at **{clean_markdown(against.parts_at)}**." if against.parts_at else "They never part."
    st.markdown(f"{where} The same {n} samples went through both.")
    left, right = st.columns(2, gap="medium")
    with left:
        chart.draw(charts.layers_apart(against, theme=chart_theme()), "compared_layers")
    with right:
        _activations(compared, i, [each for each in against.layers if each.activations is not None])


def _activations(compared: ModelsCompared, i: int, layers: Sequence[LayerDifference]) -> None:
    """One layer's outputs in both models; at first of the one where they part."""
    if not layers:
        return
    names, against = [each.layer for each in layers], compared.models[i].against
    usual = against.parts_at if against is not None and against.parts_at in names else names[-1]
    name = st.selectbox(
        "Activations of", names, key="activations_of", on_change=remembered("activations_of", usual, names)
    )
    figure = charts.activations(layers[names.index(name)], (compared.names[0], compared.names[i]), theme=chart_theme())
    chart.draw(figure, "compared_activations")
