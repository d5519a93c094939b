"""Results as figures: Plotly for screens and notebooks, Matplotlib for paper. No Streamlit here."""

from __future__ import annotations

from explorer.charts.frame import CONFIG
from explorer.charts.overview import overview
from explorer.charts.printed import tradeoff_png, tradeoff_svg
from explorer.charts.theme import Theme
from explorer.charts.tradeoff import clicked, tradeoff
from explorer.charts.weights import signed_histogram, unit_norms, weight_heatmap

__all__ = [
    "CONFIG",
    "Theme",
    "clicked",
    "overview",
    "signed_histogram",
    "tradeoff",
    "tradeoff_png",
    "tradeoff_svg",
    "unit_norms",
    "weight_heatmap",
]
