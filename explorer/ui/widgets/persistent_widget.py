"""Widget values that outlive a visit to another page, and a reload: they are in the link.

Streamlit forgets the values of widgets that are not drawn. What a link says is not trusted: it waits until its widget
is drawn and says what there is to choose from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

Ends = tuple[float | None, float | None]
_CHOSEN, _FROM_LINK = "_controls_chosen", "_controls_of_the_link"


def remembered(
    key: str, default: object, among: Sequence[object] | None = None, *, within: Ends | None = None
) -> Callable[[], None]:
    """Put the kept value under the widget's ``key`` before it is drawn; returns its ``on_change``.

    ``among`` is what there is to choose from at the moment, ``within`` the lowest and the highest number; what else
    is kept waits until it is there again.

    Use: ``st.toggle("…", key=key, on_change=remembered(key, False))``.
    """
    tell(key, value(key, default, among, within=within))
    return lambda: put(key, st.session_state[key])


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


def value(key: str, default: object, among: Sequence[object] | None = None, *, within: Ends | None = None) -> Any:
    """The kept value, or the default where none was chosen (an emptied choice counts as none)."""
    _take_from_link(key, default, among, within)
    present = _chosen().get(key, default)
    if among is not None and isinstance(present, list):
        return [one for one in present if one in among] or default
    return default if present is None or (among is not None and present not in among) else present


def put(key: str, new: object) -> None:
    """Keep a value that did not come from the widget itself."""
    _chosen()[key] = new
    _of_link().pop(key, None)


def bring(controls: Mapping[str, object]) -> None:
    """The choices that a link carries, for widgets that are yet to be drawn."""
    st.session_state[_FROM_LINK] = dict(controls)


def for_link() -> dict[str, object]:
    """Everything that was chosen, here or by whoever made the link that was opened."""
    chosen = {key: list(one) if isinstance(one, tuple) else one for key, one in _chosen().items()}
    plain = {key: one for key, one in chosen.items() if isinstance(one, bool | int | float | str | list)}
    return _of_link() | plain


def _chosen() -> dict[str, object]:
    chosen: dict[str, object] = st.session_state.setdefault(_CHOSEN, {})
    return chosen


def _of_link() -> dict[str, object]:
    waiting: dict[str, object] = st.session_state.setdefault(_FROM_LINK, {})
    return waiting


def _take_from_link(key: str, default: object, among: Sequence[object] | None, within: Ends | None) -> None:
    """Choose what the link says, once it is certain that the widget can show it."""
    if key not in _of_link() or (among is None and within is None and not isinstance(default, bool)):
        return
    asked = _of_link().pop(key)
    if isinstance(default, list):
        fits = isinstance(asked, list) and all(one in (among or ()) for one in asked)
    elif among is not None:
        fits = type(asked) is type(default) and asked in among
    elif isinstance(default, bool) or within is None:
        fits = isinstance(asked, bool)
    else:
        fits = _is_number(asked, default, within)
    if fits:
        _chosen()[key] = float(asked) if isinstance(default, float) and isinstance(asked, int) else asked


def _is_number(asked: object, default: object, within: Ends) -> bool:
    """Whether it is a number of this range; whole ones stand for fractions, too, but not the other way."""
    if isinstance(asked, bool) or not isinstance(asked, int | float) or not math.isfinite(asked):
        return False
    low, high = within
    is_kind = isinstance(default, float) or isinstance(asked, int)
    return is_kind and (low is None or asked >= low) and (high is None or asked <= high)
