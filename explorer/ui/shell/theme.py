"""The look: chart colours for the visitor's theme, and the rules of CSS that the pages share."""

from __future__ import annotations

import streamlit as st

from explorer.charts.theme import Theme
from explorer.component import page_css

_LIGHT = {
    "page": "#fcfcfd", "card": "#ffffff", "line": "#e4e5ea", "muted": "#626873", "accent": "#4f56c8",
    "better": "#0b6fa4", "worse": "#b4470b", "on-accent": "#ffffff",
    "now": "#e8890c",
}  # fmt: skip
_DARK = {
    "page": "#0f1116", "card": "#161920", "line": "#2a2e38", "muted": "#9aa1ad", "accent": "#8f95ff",
    "better": "#63b9e6", "worse": "#f0985c", "on-accent": "#0f1116",
    "now": "#ffb454",
}  # fmt: skip


def is_dark() -> bool:
    """Whether this visitor's browser shows the dark theme."""
    return st.context.theme.type == "dark"


def chart_theme() -> Theme:
    """Explicit colours for every figure: the page's palette does not reach Plotly's traces."""
    return Theme.dark() if is_dark() else Theme.light()


def style() -> None:
    """Put the shared rules on the page; the text is ours alone, nothing from a file is in it."""
    colours = "".join(f"--explorer-{name}: {value};" for name, value in (_DARK if is_dark() else _LIGHT).items())
    st.html(f"<style>:root {{ {colours} }}</style>\n<style>\n{page_css()}</style>\n")
