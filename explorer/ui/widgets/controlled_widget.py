"""Widgets that show what other things change too: a preset, undo, another widget.

Every message of the browser tells the values of all widgets. One that was on its way while the page took a new value
still tells the old one. Under the same key that would be a choice of the visitor, and take back the last one.
So a widget whose value was changed elsewhere is drawn under a new key, and what is said of an older key is not heard.

The browser is given the value as the widget's own default, which it looks at only when it first shows that key. A value
put into the session is an order to the browser: drawn before a choice and shown after it, that would take the choice
back, and the browser's next message would tell so. A widget in a closed popover is ordered so in every run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from explorer.types.aliases import JsonDict


def mirrored(
    name: str,
    value: object,
    take: Callable[[Any], None],
    *,
    among: Sequence[object] | None = None,
    given_as: str = "value",
    drawn_from: object = None,
) -> JsonDict:
    """``key``, ``on_change`` and the default of a widget that shows ``value``; ``take`` gets what is chosen in it.

    ``given_as`` is what the widget calls its default; one that wants an index has its choices ``among``. What the
    choices are ``drawn_from``, where they change: a message about the earlier ones is not heard, either.

    Use: ``st.radio("…", options, **mirrored("unit", present, switch, among=options))``.
    """
    slot = f"_{name}_turn"
    turn, first, source = st.session_state.get(slot, (0, value, drawn_from))
    if slot in st.session_state and (source != drawn_from or not _shows(f"{name}_{turn}", value)):
        turn, first = turn + 1, value
    st.session_state[slot] = (turn, first, drawn_from)
    key = f"{name}_{turn}"

    def changed() -> None:
        if st.session_state[slot][0] == turn:
            take(st.session_state[key])

    return {"key": key, "on_change": changed, **_default(first, among, given_as)}


def _shows(key: str, value: object) -> bool:
    """Whether the widget is there and has this value: one that was away begins anew."""
    return key in st.session_state and bool(st.session_state[key] == value)


def _default(value: object, among: Sequence[object] | None, given_as: str) -> JsonDict:
    if among is None:
        return {given_as: value}
    return {"index": among.index(value) if value in among else 0}
