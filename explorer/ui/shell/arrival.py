"""The first visitor of a fresh server may arrive at any page by a link."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from explorer.ui.shell import frame

_PAGES = Path(__file__).parents[3] / "pages"


def opened() -> frame.Opened:
    """What the frame opened in this run, for a page to draw.

    Until ``app.py`` ran once, Streamlit takes ``pages/`` for a multipage app of the old kind and runs a linked page
    without its frame. Naming the pages here ends that, and the run begins again at ``app.py``.
    """
    if "_opened" not in st.session_state:
        st.navigation(entries(), position="hidden")
        st.rerun()
    return frame.opened()


def entries() -> list[StreamlitPage]:
    """Every page, explore as the first one: that one has no address of its own, so that a link to it is not found."""
    return [st.Page(path, default=path.stem == "explore") for path in sorted(_PAGES.glob("*.py"))]
