"""Widget values that outlive a visit to another page: Streamlit forgets those of widgets that are not drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st


def remembered(key: str, default: Any, among: Sequence[Any] | None = None) -> Callable[[], None]:
    """Put the kept value under the widget's ``key`` before it is drawn; returns its ``on_change``.

    ``among`` is what there is to choose from at the moment; what else is kept waits until it is there again.

    Use: ``st.toggle("…", key=key, on_change=remembered(key, False))``.
    """
    known = value(key, default, among)
    # Told anew, the browser would take back a choice that is still on its way here.
    if key not in st.session_state or st.session_state[key] != known:
        st.session_state[key] = known
    return lambda: st.session_state.update({f"_{key}": st.session_state[key]})


def value(key: str, default: Any, among: Sequence[Any] | None = None) -> Any:
    """The kept value, or the default where none was chosen (an emptied choice counts as none)."""
    found = st.session_state.get(f"_{key}", default)
    if among is not None and isinstance(found, list):
        return [one for one in found if one in among] or default
    return default if found is None or (among is not None and found not in among) else found


def put(key: str, new: Any) -> None:
    """Keep a value that did not come from the widget itself."""
    st.session_state[f"_{key}"] = new
