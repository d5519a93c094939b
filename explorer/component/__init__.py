"""What is dragged: the histograms and the schedule, as plain ES modules with the payload they take."""

from explorer.component.assets import anywidget_js, core_js, css, streamlit_js, streamlit_parts_js
from explorer.component.payload import dynamic_part, payload, static_part, strips_part
from explorer.component.schedule import Corner, parse_corner, schedule_js, schedule_part

__all__ = [
    "Corner",
    "anywidget_js",
    "core_js",
    "css",
    "dynamic_part",
    "parse_corner",
    "payload",
    "schedule_js",
    "schedule_part",
    "static_part",
    "streamlit_js",
    "streamlit_parts_js",
    "strips_part",
]
