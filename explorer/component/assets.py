"""The packaged JavaScript and CSS as text.

A page that takes a module as inline text cannot resolve imports, so the parts are joined here:
the drawing core first, then the adapter of the place it is shown in.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

_CORE = ("axis.js", "commits.js", "parts.js", "row.js", "list.js", "histogram.js")


@cache
def _text(name: str) -> str:
    return (files("explorer.component") / name).read_text(encoding="utf-8")


def core_js() -> str:
    """An ES module that exports ``mount(root, payload, onChange)``; it knows no framework."""
    return "\n".join(_text(name) for name in _CORE)


def streamlit_js() -> str:
    """The core and, as default export, its adapter to Streamlit's components v2."""
    return core_js() + "\n" + _text("streamlit.js")


def anywidget_js() -> str:
    """The core and, as default export, its adapter to Jupyter and marimo by anywidget."""
    return core_js() + "\n" + _text("anywidget.js")


def css() -> str:
    """The style sheet. Colours come from ``--st-*`` variables where there are any."""
    return _text("histogram.css")
