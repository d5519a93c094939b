"""A component without a picture that reruns its fragment while work is pending."""

from __future__ import annotations

import streamlit as st

from explorer.component import ticker_js
from explorer.types.aliases import JsonDict

_NAME = "pruning_explorer.ticker"
_renderers: JsonDict = {}


def tick(key: str, after_ms: int) -> None:
    """Rerun the surrounding fragment once, ``after_ms`` after the browser has drawn this run.

    Call it only while something is pending: an idle page then costs nothing.
    """
    renderer = _renderers.get(_NAME)
    if renderer is None:
        renderer = _renderers[_NAME] = st.components.v2.component(_NAME, js=ticker_js())
    turn = int(st.session_state.get(f"_turn_{key}", 0)) + 1
    st.session_state[f"_turn_{key}"] = turn
    renderer(
        key=f"tick_{key}", data={"turn": turn, "after_ms": after_ms}, height="content", on_tick_change=lambda: None
    )
