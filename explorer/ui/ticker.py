"""A component without a picture that reruns its fragment while work is pending."""

from __future__ import annotations

from typing import Any

import streamlit as st

_NAME = "pruning_explorer.ticker"
# The timer starts when the page has drawn the last answer: a slow browser is never flooded. Of two
# ticks in the same millisecond the server may lose one, so a tick without an answer is repeated.
# The clean-up of an older call may come after the newer one began: it ends its own timers only.
_JS = """
const RETRY_MS = 1500;
const ending = new WeakMap();
export default function ({ data, parentElement, setTriggerValue }) {
  ending.get(parentElement)?.();
  const tick = () => setTriggerValue("tick", data.turn);
  let again;
  const first = setTimeout(() => { tick(); again = setInterval(tick, RETRY_MS); }, data.after_ms);
  const end = () => { clearTimeout(first); clearInterval(again); };
  ending.set(parentElement, end);
  return end;
}
"""
_renderers: dict[str, Any] = {}


def tick(key: str, after_ms: int) -> None:
    """Rerun the surrounding fragment once, ``after_ms`` after the browser has drawn this run.

    Call it only while something is pending: an idle page then costs nothing.
    """
    renderer = _renderers.get(_NAME)
    if renderer is None:
        renderer = _renderers[_NAME] = st.components.v2.component(_NAME, js=_JS)
    turn = int(st.session_state.get(f"_turn_{key}", 0)) + 1
    st.session_state[f"_turn_{key}"] = turn
    renderer(
        key=f"tick_{key}", data={"turn": turn, "after_ms": after_ms}, height="content", on_tick_change=lambda: None
    )
