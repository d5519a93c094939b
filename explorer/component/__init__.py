"""What is dragged, drawn or clicked: histograms, schedule, curve, graph, as ES modules with the payload they take."""

from explorer.component.assets import (
    anywidget_js,
    css,
    drawing_js,
    graph_js,
    page_css,
    page_watch_js,
    schedule_js,
    streamlit_js,
    streamlit_parts_js,
    ticker_js,
)
from explorer.component.drawing import drawing_part, parse_curve
from explorer.component.graph import graph_part, parse_node
from explorer.component.payload import ListState, dynamic_part, payload, static_part, strips_part
from explorer.component.schedule import Corner, parse_corner, schedule_part

__all__ = [
    "Corner",
    "ListState",
    "anywidget_js",
    "css",
    "drawing_js",
    "drawing_part",
    "dynamic_part",
    "graph_js",
    "graph_part",
    "page_css",
    "page_watch_js",
    "parse_corner",
    "parse_curve",
    "parse_node",
    "payload",
    "schedule_js",
    "schedule_part",
    "static_part",
    "streamlit_js",
    "streamlit_parts_js",
    "strips_part",
    "ticker_js",
]
