"""The packaged JavaScript and CSS as text.

A page takes a module as inline text, which cannot import others; so ``make component`` bundles the
modules of ``src/`` into one file for each place that shows them, and those files are committed.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def _text(name: str) -> str:
    return files("explorer.component").joinpath(name).read_text(encoding="utf-8")


def streamlit_parts_js() -> str:
    """The histogram with its style sheet, for a component that only brings them to the page."""
    return _text("bundle/streamlit_parts.js")


def streamlit_js() -> str:
    """The adapter to Streamlit's components v2: small, because it travels with every rerun.

    It waits for :func:`streamlit_parts_js` on the same page.
    """
    return _text("bundle/streamlit.js")


def anywidget_js() -> str:
    """The histogram: ``mount(root, payload, onChange)``, and its adapter to anywidget as default export."""
    return _text("bundle/anywidget.js")


def schedule_js() -> str:
    """The schedule as a Streamlit component: draws itself, tells its corner as the state ``line``."""
    return _text("bundle/schedule.js")


def drawing_js() -> str:
    """A curve to be drawn as a Streamlit component: tells its heights as the state ``curve``."""
    return _text("bundle/drawing.js")


def graph_js() -> str:
    """The graph of a network as a Streamlit component: tells the chosen box as the trigger ``node``."""
    return _text("bundle/graph.js")


def ticker_js() -> str:
    """A Streamlit component without a picture: sends the trigger ``tick`` while work is pending."""
    return _text("bundle/ticker.js")


def page_watch_js() -> str:
    """A Streamlit component without a picture: loads a page again that could not be drawn, and says so."""
    return _text("bundle/page_watch.js")


def css() -> str:
    """The histogram's style sheet. Colours come from ``--st-*`` variables where there are any."""
    return _text("src/histogram/histogram.css")


def page_css() -> str:
    """The rules that all pages of the app share. Colours come from ``--explorer-*`` variables."""
    return _text("src/page.css")
