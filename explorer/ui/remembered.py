"""Widget values that outlive a visit to another page: Streamlit forgets those of widgets that are not drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st


def remembered(key: str, default: Any) -> Callable[[], None]:
    """Put the kept value under the widget's ``key`` before it is drawn; returns its ``on_change``.

    Use: ``st.toggle("…", key=key, on_change=remembered(key, False))``.
    """
    st.session_state[key] = value(key, default)
    return lambda: st.session_state.update({f"_{key}": st.session_state[key]})


def value(key: str, default: Any) -> Any:
    """The kept value, or the default where none was chosen (an emptied choice counts as none)."""
    found = st.session_state.get(f"_{key}", default)
    return default if found is None else found


def put(key: str, new: Any) -> None:
    """Keep a value that did not come from the widget itself."""
    st.session_state[f"_{key}"] = new
