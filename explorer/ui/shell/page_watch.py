"""A page that could not be drawn loads itself again: its link carries the setting. A theme holds for every page."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import streamlit as st

from explorer.component import page_watch_js
from explorer.store.records import explorer_version


def draw(addresses: Sequence[str]) -> None:
    """Watch over the page, once in a run, at its top; after such a reload say so.

    ``addresses`` are those of all pages: a theme that is chosen on one is the theme of each. Its change reruns the app.
    A page that was loaded from another version of the server says that it must be loaded again.
    """
    _component()(
        key="page_watch", data={"pages": list(addresses), "version": explorer_version()}, on_theme_change=lambda: None
    )


@cache
def _component() -> Any:
    return st.components.v2.component("pruning_explorer.page_watch", js=page_watch_js())
