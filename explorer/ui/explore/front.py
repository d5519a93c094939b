"""Between safer and smaller: a slider over the settings that no other measured one beats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st

from explorer.analysis.tradeoff import pareto
from explorer.pruning.spec import PruneSpec
from explorer.text.delta import delta_text
from explorer.text.numbers import times
from explorer.types import TradeOff, TradeOffPoint
from explorer.ui.explore.view import View
from explorer.ui.widgets.controlled_widget import mirrored
from explorer.workbench.workspace import Workspace

NAME = "front_slider"
PRESENT = "present setting"
_FEWEST = 3
_ABOUT = (
    "The measured points of this chart that no other is both smaller and better than, from safer to smaller. "
    "A stop opens the setting of its point; undo goes back."
)


def slider(view: View, curves: Sequence[TradeOff]) -> None:
    """Where the present setting stands on the measured front, to be moved along it; nothing for a short front."""
    front = settings(curves, view.work.tried)
    if len(front) < _FEWEST:
        return
    stops = labelled(front)
    opened = view.work.spec.to_json()
    here = next((label for label, point in stops.items() if point.spec == opened), PRESENT)
    labels = list(stops) if here in stops else _with_present(stops, view)
    st.select_slider(
        "From safer to smaller, along the measured front",
        labels,
        help=_ABOUT,
        **mirrored(NAME, here, partial(_open, view.work, stops), drawn_from=tuple(labels)),
    )


def settings(curves: Sequence[TradeOff], tried: Sequence[TradeOffPoint]) -> tuple[TradeOffPoint, ...]:
    """The front of all points measured by the metric of the chart; the largest network is first, even if beaten.

    Who gives up nothing begins at the dense network, though a smaller one may have done better by chance.
    """
    every = [*(point for curve in curves for point in curve.points), *tried]
    metric = every[0].accuracy.name if every else ""
    same = [point for point in every if point.accuracy.name == metric]
    front = pareto(same)
    largest = min(same, key=lambda point: point.compression_ratio, default=None)
    beaten = largest is not None and largest.compression_ratio < front[0].compression_ratio
    return (largest, *front) if largest is not None and beaten else front


def labelled(front: Sequence[TradeOffPoint]) -> dict[str, TradeOffPoint]:
    """The points by what their stops are called, "4×, −0.4 pt"; of those that read alike, later ones are numbered."""
    stops: dict[str, TradeOffPoint] = {}
    for point in front:
        label = text = f"{times(point.compression_ratio)}, {delta_text(point.drop)}"
        n = 1
        while label in stops:
            n += 1
            label = f"{text} ({n})"
        stops[label] = point
    return stops


def _with_present(stops: Mapping[str, TradeOffPoint], view: View) -> list[str]:
    """The stops, and among them by its size a setting that is not on the front."""
    ratio = view.planned.counts["compression_ratio"].value
    n_larger = sum(point.compression_ratio <= ratio for point in stops.values())
    return [*list(stops)[:n_larger], PRESENT, *list(stops)[n_larger:]]


def _open(work: Workspace, stops: Mapping[str, TradeOffPoint], label: str) -> None:
    if label in stops:
        work.set(PruneSpec.from_json(stops[label].spec))
