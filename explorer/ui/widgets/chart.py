"""A chart on the screen, with its text for whoever does not see it."""

from __future__ import annotations

import html
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from explorer.charts import CONFIG
from explorer.charts.alternative import alternative

_MOST = 6_000
# Streamlit puts the way to the full screen into Plotly's bar, which the style sheet hides: our own tools press it.
_CONFIG = CONFIG | {"displayModeBar": True}


def draw(figure: go.Figure, key: str, **more: Any) -> Any:
    """Draw it as ``st.plotly_chart`` does, and return what that returns."""
    chosen = st.plotly_chart(figure, key=key, theme=None, config=_CONFIG, **more)
    st.html(f'<p class="only-spoken">{html.escape(alternative(figure)[:_MOST])}</p>')
    return chosen
