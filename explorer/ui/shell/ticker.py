"""A component without a picture that reruns its fragment while work is pending."""

from __future__ import annotations

from typing import Any

import streamlit as st

_NAME = "pruning_explorer.ticker"
# The timer starts when the page has drawn the last answer: a slow browser is never flooded. Of two
# ticks in the same millisecond the server may lose one, so a tick without an answer is repeated.
# The clean-up of an older call may come after the newer one began: it ends its own timers only.
# A tick keeps out of the visitor's way. It waits while a run is under way and for a moment after a
# click, but for one that ends a drag: the lines tell the server themselves, and the answer is
# awaited. After a click on a link to another page it waits for that page: the tick of a page that
# is being left would bring it back, without anything on it.
_JS = """
const RETRY_MS = 1500;
const POLL_MS = 20;
const MOMENT_MS = 100;
const LEAVING_MS = 10000;
const ending = new WeakMap();
const hand = (globalThis.pruningExplorerHand ??= watched());

function watched() {
  const hand = { until: 0, leaving: null };
  addEventListener("click", (event) => {
    const path = event.composedPath();
    if (path.some((node) => node.classList?.contains("ph-row"))) return;
    const link = path.find((node) => node.tagName === "A" && node.href);
    const stays = !link || link.pathname === location.pathname || event.ctrlKey || event.metaKey || event.shiftKey;
    if (!stays) hand.leaving = { from: location.pathname, until: performance.now() + LEAVING_MS };
    hand.until = performance.now() + MOMENT_MS;
  }, true);
  return hand;
}

function busy() {
  const now = performance.now();
  const leaving = hand.leaving?.from === location.pathname && now < hand.leaving.until;
  const app = document.querySelector("[data-test-script-state]");
  return leaving || now < hand.until || app?.dataset.testScriptState === "running";
}

export default function ({ data, parentElement, setTriggerValue }) {
  ending.get(parentElement)?.();
  let timer;
  const tick = () => {
    const waits = busy();
    if (!waits) setTriggerValue("tick", data.turn);
    timer = setTimeout(tick, waits ? POLL_MS : RETRY_MS);
  };
  timer = setTimeout(tick, data.after_ms);
  const end = () => clearTimeout(timer);
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
