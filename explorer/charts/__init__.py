"""Results as figures: Plotly for screens and notebooks, Matplotlib for paper. No Streamlit here.

Examples:
    >>> import explorer as ex
    >>> curve = ex.TradeOff("magnitude", tuple(ex.sweep("digits-mlp", ratios=(1, 2))))
    >>> type(ex.charts.tradeoff([curve])).__name__
    'Figure'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from explorer.charts.criteria import criteria_scatter
from explorer.charts.frame import CONFIG
from explorer.charts.overview import overview
from explorer.charts.theme import Theme
from explorer.charts.tradeoff import clicked, tradeoff
from explorer.charts.weights import group_heatmap, signed_histogram, unit_norms, weight_heatmap

if TYPE_CHECKING:
    from explorer.charts.printed import tradeoff_png as tradeoff_png
    from explorer.charts.printed import tradeoff_svg as tradeoff_svg
    from explorer.charts.printed_sensitivity import sensitivity_png as sensitivity_png

# Matplotlib takes as long to load as the rest together: only who prints waits for it.
_PRINTED = {"tradeoff_png": "printed", "tradeoff_svg": "printed", "sensitivity_png": "printed_sensitivity"}

__all__ = [
    "CONFIG",
    "Theme",
    "clicked",
    "criteria_scatter",
    "group_heatmap",
    "overview",
    "sensitivity_png",
    "signed_histogram",
    "tradeoff",
    "tradeoff_png",
    "tradeoff_svg",
    "unit_norms",
    "weight_heatmap",
]


def __getattr__(name: str) -> Any:
    if name not in _PRINTED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PRINTED[name]}"), name)
