"""A page that could not be drawn loads itself again: its link carries the setting."""

from __future__ import annotations

from functools import cache
from typing import Any

import streamlit as st

from explorer.component import page_watch_js


def draw() -> None:
    """Watch over the page, once in a run, at its top; after such a reload say so."""
    _component()(key="page_watch")


@cache
def _component() -> Any:
    return st.components.v2.component("pruning_explorer.page_watch", js=page_watch_js())
