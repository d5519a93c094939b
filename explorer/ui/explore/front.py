"""Between safer and smaller: a slider over the settings that no other measured one beats."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explorer.analysis.tradeoff import pareto
from explorer.pruning.spec import PruneSpec
from explorer.text.delta import delta_text
from explorer.text.numbers import times
from explorer.types import TradeOff, TradeOffPoint
from explorer.ui.explore.view import View
from explorer.ui.widgets.persistent_widget import tell
from explorer.workbench.workspace import Workspace

KEY = "front_slider"
_FEWEST = 3
_ABOUT = (
    "From safer to smaller over the measured points of this chart that no other is both smaller and better than. "
    "The setting of the point is taken over; undo goes back."
)


def slider(view: View, curves: Sequence[TradeOff]) -> None:
    """Where the present setting stands on the measured front, to be moved along it; nothing for a short front."""
    points = settings(curves, view.work.tried)
    if len(points) < _FEWEST:
        return
    tell(KEY, nearest(points, view))
    st.select_slider(
        "From safer to smaller, along the measured front",
        range(len(points)),
        key=KEY,
        format_func=lambda at: _label(points[min(at, len(points) - 1)]),
        on_change=_go,
        args=(view.work, points),
        help=_ABOUT,
    )
    if is_beaten(points, view):
        st.caption("The present setting is not on the front: a measured one is smaller and at least as good.")


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


def nearest(points: Sequence[TradeOffPoint], view: View) -> int:
    """The place of the present setting, else of the one that is nearest to it in size."""
    present, ratio = view.work.spec.to_json(), view.planned.counts["compression_ratio"].value
    return min(range(len(points)), key=lambda i: (points[i].spec != present, abs(points[i].compression_ratio - ratio)))


def is_beaten(points: Sequence[TradeOffPoint], view: View) -> bool:
    """Whether the present setting is measured, and one of these is smaller and at least as good."""
    present = view.point
    if present is None or view.evaluation is None or not view.evaluation.complete:
        return False
    return not any(p.spec == present.spec or p.compression_ratio == present.compression_ratio == 1 for p in points)


def _label(point: TradeOffPoint) -> str:
    """ "4×, −0.4 pt"."""
    return f"{times(point.compression_ratio)}, {delta_text(point.drop)}"


def _go(work: Workspace, points: Sequence[TradeOffPoint]) -> None:
    at = st.session_state[KEY]
    if isinstance(at, int) and 0 <= at < len(points):
        work.set(PruneSpec.from_json(points[at].spec))
