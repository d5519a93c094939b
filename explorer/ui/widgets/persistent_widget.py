"""Widget values that outlive a visit to another page: Streamlit forgets those of widgets that are not drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx


def remembered(key: str, default: object, among: Sequence[object] | None = None) -> Callable[[], None]:
    """Put the kept value under the widget's ``key`` before it is drawn; returns its ``on_change``.

    ``among`` is what there is to choose from at the moment; what else is kept waits until it is there again.

    Use: ``st.toggle("…", key=key, on_change=remembered(key, False))``.
    """
    tell(key, value(key, default, among))
    return lambda: st.session_state.update({f"_{key}": st.session_state[key]})


def tell(key: str, shown: object) -> None:
    """Put what a widget is to show under its ``key``, until the browser shows it and after every change.

    Told for ever, the browser would take back a choice that is still on its way here. Told once, it may never hear of
    it: what a run draws is dropped where the next run begins at once, and the widget then shows its own default.
    """
    if key not in st.session_state or st.session_state[key] != shown or not _is_shown(key):
        st.session_state[key] = shown


def _is_shown(key: str) -> bool:
    """Whether the message that began this run tells a value of the widget, as it does once it is on the screen."""
    context = get_script_run_ctx()
    # Streamlit keeps this to itself; without it, a widget counts as shown once it was drawn.
    state = getattr(getattr(context, "session_state", None), "_state", None)
    reported = getattr(state, "_new_widget_state", None)
    return reported is None or any(str(name).endswith(f"-{key}") for name in reported)


def value(key: str, default: object, among: Sequence[object] | None = None) -> Any:
    """The kept value, or the default where none was chosen (an emptied choice counts as none)."""
    stored = st.session_state.get(f"_{key}", default)
    if among is not None and isinstance(stored, list):
        return [one for one in stored if one in among] or default
    return default if stored is None or (among is not None and stored not in among) else stored


def put(key: str, new: object) -> None:
    """Keep a value that did not come from the widget itself."""
    st.session_state[f"_{key}"] = new
