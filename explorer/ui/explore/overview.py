"""All layers in one picture, above the list where that is long."""

from __future__ import annotations

import streamlit as st

from explorer.charts import overview
from explorer.types import LoadedModel, Plan
from explorer.ui.shell import cache
from explorer.ui.shell.theme import chart_theme
from explorer.ui.widgets import chart

_MANY, _MOST = 12, 2000  # of more layers no picture has a row each


def draw(model: LoadedModel, plan: Plan) -> None:
    """One heat map of layers x magnitudes with the lines across it; only where the list is long, and on request."""
    movable = [k for k in plan.groups if k.group.why_not is None]
    if not _MANY < len(movable) <= _MOST or not st.toggle(f"Overview of all {len(movable)} lines", key="overview_on"):
        return
    magnitudes = cache.magnitudes(model)
    by_weight = all(k.group.unit == "weight" for k in movable)
    shares = {layer.name: plan.n_pruned_in(layer) / layer.n_weights for layer in plan.layers.prunable}
    figure = overview(
        magnitudes,
        sparsities=shares if plan.n_pruned else None,
        thresholds={k.group.name: k.threshold for k in movable} if by_weight else None,
        theme=chart_theme(),
    )
    chart.draw(figure, "lines_overview")
