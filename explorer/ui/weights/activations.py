"""What flows out of the chosen layer: its distribution, its channels and what excites them, the maps of a sample."""

from __future__ import annotations

import streamlit as st
import torch
from torch import Tensor

from explorer.analysis.layer_activations.maps import activation_maps
from explorer.analysis.layer_activations.result import ActivationStatistics, LayerActivations
from explorer.charts import layer_activations as charts
from explorer.errors import ExplorerError
from explorer.export.naming import export_name
from explorer.pruning.spec import PruneSpec
from explorer.tasks.layer_activations import LayerActivationsRequest, usual_split
from explorer.text.names import clean_html, clean_markdown
from explorer.text.numbers import number, percent
from explorer.text.spreadsheet import csv_text
from explorer.types import Dataset
from explorer.types.inputs import one_tensor
from explorer.ui.shell import live, running, tasks, ticker
from explorer.ui.shell.theme import chart_theme
from explorer.ui.weights.view import View
from explorer.ui.widgets import chart, progress, thumbnails
from explorer.ui.widgets.persistent_widget import remembered, value

_SHOWN, _CHANNEL, _SAMPLE = "activations_shown", "activation_channel", "activation_sample"
_EVERY_MS = 500
_EDGE = 56
_ALL = "all channels"


@st.fragment
def card(view: View, dataset: Dataset | None, layer: str) -> None:
    """A switch, and behind it what the chosen layer gives for the first samples, dense and under the setting."""
    with st.container(border=True, key="activations_card"):
        st.header("Activations of this layer", anchor=False)
        why = live.why_not(view.model, dataset)
        if why is not None or dataset is None:
            st.caption(f":material/info: {clean_markdown(str(why or ''), 300)}")
            return
        running.drawing()
        st.toggle("Count them", key=_SHOWN, on_change=remembered(_SHOWN, False))
        if not value(_SHOWN, False):
            st.caption(
                "Some samples run through the network: how the outputs of each channel are distributed, how many are "
                "zero, which pictures excite a channel, and the maps of one sample; dense and with the present setting."
            )
            return
        _measured(view, dataset, layer)


def _measured(view: View, dataset: Dataset, layer: str) -> None:
    spec = view.spec if view.plan.n_pruned else PruneSpec()
    job = tasks.submitted(view.model, dataset, LayerActivationsRequest(spec, usual_split(dataset)))
    if job.results:
        _drawn(view, dataset, job.results[-1], layer)
    else:
        progress.card(job, "count")
        progress.stop_button([job], "activations_stop")
    if running.unfinished(job):
        ticker.tick("activations", _EVERY_MS)


def _drawn(view: View, dataset: Dataset, counted: ActivationStatistics, layer: str) -> None:
    each = counted.get(layer)
    if each is None:
        st.caption("This layer runs neither as a linear layer nor as a convolution, so none of its outputs are seen.")
        return
    _words(counted, each)
    with st.container(horizontal=True, vertical_alignment="bottom", key="activation_channel_row"):
        channel = _channel(each)
        _take_away(view, counted)
    left, right = st.columns(2, gap="medium")
    with left:
        chart.draw(charts.activation_histogram(each, channel, theme=chart_theme()), "activation_histogram")
    with right:
        chart.draw(charts.channel_ridgeline(each, theme=chart_theme()), "activation_ridges")
    _exciting(dataset, counted, each, channel)
    _maps(view, dataset, counted, layer)


def _words(counted: ActivationStatistics, each: LayerActivations) -> None:
    what = f"after {each.after}" if each.after else "its own outputs, as no nonlinearity reads them"
    zeros = ", ".join(f"{side} **{percent(spread.zero_share)}**" for side, spread in each.sides)
    silent = ", ".join(f"{side} {spread.n_silent}" for side, spread in each.sides)
    st.markdown(
        f"Measured on the first {counted.n:,} samples of the {counted.split} split, {what}. Zero: {zeros}. "
        f"Channels that are always zero, of {each.dense.n_channels:,}: {silent}."
    )
    broken = sum(int(spread.not_finite.sum()) for _, spread in each.sides)
    if broken:
        st.caption(f":material/error: {broken:,} values are NaN or infinite and are in no bin.")


def _take_away(view: View, counted: ActivationStatistics) -> None:
    name = export_name(view.model.address, "activations", settings=[view.spec], share=view.plan.pruned_share)
    st.download_button(
        "All channels",
        lambda: csv_text([row for each in counted.layers for row in each.channels()]),
        f"{name}.csv",
        "text/csv",
        key="activations_csv",
        icon=":material/download:",
        on_click="ignore",
        help="A table (CSV) with a row for each channel of every layer.",
    )


def _channel(each: LayerActivations) -> int | None:
    names = [_ALL, *(str(channel) for channel in range(each.dense.n_channels))]
    name = st.selectbox("Channel", names, key=_CHANNEL, on_change=remembered(_CHANNEL, _ALL, names), width=220)
    return None if name in (None, _ALL) else int(name)


def _exciting(dataset: Dataset, counted: ActivationStatistics, each: LayerActivations, channel: int | None) -> None:
    """The pictures in which the channel is strongest, in either network."""
    if not dataset.images or not each.dense.samples.shape[1]:
        return
    if channel is None:
        st.caption("Choose a channel to see the pictures that excite it most.")
        return
    for (side, spread), column in zip(each.sides, st.columns(2, gap="medium"), strict=False):
        which = spread.samples[channel]
        words = [number(float(peak)) for peak in spread.peaks[channel]]
        with column:
            st.caption(f"Pictures that excite channel {channel} most, {side}, and its largest value in each")
            st.html(_pictures(_shown(dataset, counted.split, which), which, words))


def _shown(dataset: Dataset, split: str, which: Tensor) -> Tensor | None:
    x = one_tensor(dataset.splits[split].x[which], "A picture")  # type: ignore[index]
    return x if x.dim() == 4 and x.shape[1] in (1, 3) else None


def _pictures(x: Tensor | None, which: Tensor, words: list[str]) -> str:
    cells = [
        f'<figure style="margin:0;width:{_EDGE + 12}px;font-size:.72rem;text-align:center">'
        f'<img src="{thumbnails.picture(x[i])}" width="{_EDGE}" height="{_EDGE}" alt="sample {int(sample)}" '
        f'title="sample {int(sample)}" style="border-radius:.3rem;image-rendering:pixelated">'
        f"<figcaption>{clean_html(words[i])}</figcaption></figure>"
        for i, sample in enumerate(which)
        if x is not None
    ]
    return f'<div class="exciting" style="display:flex;flex-wrap:wrap;gap:.4rem">{"".join(cells)}</div>'


def _maps(view: View, dataset: Dataset, counted: ActivationStatistics, layer: str) -> None:
    """The maps of one sample, beside the sample."""
    split = dataset.splits[counted.split]  # type: ignore[index]
    ends = (0, len(split) - 1)
    with st.container(horizontal=True, vertical_alignment="bottom", key="activation_sample_row"):
        chosen = st.number_input(
            f"Maps of sample (of {counted.split})", *ends, key=_SAMPLE, width=220,
            on_change=remembered(_SAMPLE, 0, within=ends),
        )  # fmt: skip
        sample = int(chosen or 0)
        x = _shown(dataset, counted.split, torch.tensor([sample])) if dataset.images else None
        if x is not None:
            st.html(_pictures(x, torch.tensor([sample]), [_label(dataset, split.y, sample)]))
    try:
        maps = activation_maps(view.model, split, layer, sample, view.plan)
    except ExplorerError as error:
        st.caption(f":material/block: {clean_markdown(str(error), 300)}")
        return
    sides = ["dense", *(["pruned"] if maps.pruned is not None else [])]
    for side, column in zip(sides, st.columns(len(sides), gap="medium"), strict=True):
        with column:
            st.markdown("**Dense**" if side == "dense" else "**With the present setting**")
            chart.draw(charts.activation_maps(maps, side=side, theme=chart_theme()), f"activation_maps_{side}")
    st.caption("A tile a channel, from the top left. Blue: positive. Orange: negative. Faint: near zero. One scale.")


def _label(dataset: Dataset, y: Tensor | None, sample: int) -> str:
    return dataset.class_name(int(y[sample])) if y is not None and y.dim() == 1 and not y.is_floating_point() else ""
