"""Widgets that show what other things change too: a preset, undo, another widget.

Every message of the browser tells the values of all widgets. One that was on its way while the page took a new value
still tells the old one. Under the same key that would be a choice of the visitor, and take back the last one.
So a widget whose value was changed elsewhere is drawn under a new key, and what is said of an older key is not heard.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from explorer.types.aliases import JsonDict
from explorer.ui.widgets.persistent_widget import tell


def mirrored(name: str, value: object, take: Callable[[Any], None]) -> JsonDict:
    """``key`` and ``on_change`` of a widget that shows ``value``; ``take`` gets what the visitor chooses in it.

    Use: ``st.radio("…", options, **mirrored("unit", present, switch))``.
    """
    slot = f"_{name}_turn"
    turn = int(st.session_state.get(slot, 0))
    if st.session_state.get(f"{name}_{turn}", value) != value:
        turn += 1
        st.session_state[slot] = turn
    key = f"{name}_{turn}"
    tell(key, value)

    def changed() -> None:
        if st.session_state.get(slot, 0) == turn:
            take(st.session_state[key])

    return {"key": key, "on_change": changed}
