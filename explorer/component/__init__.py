"""The draggable histogram: a plain ES module, its style sheet and the payload it takes."""

from explorer.component.assets import anywidget_js, core_js, css, streamlit_js, streamlit_parts_js
from explorer.component.events import DragEvent, parse_event, parse_events
from explorer.component.payload import dynamic_part, payload, static_part, strips_part

__all__ = [
    "DragEvent",
    "anywidget_js",
    "core_js",
    "css",
    "dynamic_part",
    "parse_event",
    "parse_events",
    "payload",
    "static_part",
    "streamlit_js",
    "streamlit_parts_js",
    "strips_part",
]
