"""The packaged JavaScript and CSS as text.

A page that takes a module as inline text cannot resolve imports, so the parts are joined here:
the drawing core first, then the adapter of the place it is shown in.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.resources import files

_CORE = ("axis.js", "commits.js", "parts.js", "row.js", "list.js", "gestures.js", "histogram.js")


@cache
def _text(name: str) -> str:
    return (files("explorer.component") / name).read_text(encoding="utf-8")


def core_js() -> str:
    """An ES module that exports ``mount(root, payload, onChange)``; it knows no framework."""
    return "\n".join(_text(name) for name in _CORE)


def streamlit_parts_js() -> str:
    """The core with its style sheet, for a component that only brings them to the page."""
    return f"{core_js()}\nconst CSS = {json.dumps(css())};\n{_slot()}\n{_text('streamlit_parts.js')}"


def streamlit_js() -> str:
    """The adapter to Streamlit's components v2: small, because it travels with every rerun.

    It waits for :func:`streamlit_parts_js` on the same page.
    """
    return f"{_slot()}\n{_text('streamlit.js')}"


@cache
def _slot() -> str:
    """What lets both find each other, and only the same version of each other."""
    version = hashlib.sha256((core_js() + css()).encode()).hexdigest()[:16]
    return f'const SLOT = Symbol.for("pruning-explorer.histogram.{version}");'


def anywidget_js() -> str:
    """The core and, as default export, its adapter to Jupyter and marimo by anywidget."""
    return core_js() + "\n" + _text("anywidget.js")


def css() -> str:
    """The style sheet. Colours come from ``--st-*`` variables where there are any."""
    return _text("histogram.css")
