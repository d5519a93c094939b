"""The draggable histogram on a Streamlit page.

Use, in this order, the first line once in a whole run and the rest inside one fragment::

    histogram.bring_parts("lines")
    events = histogram.new_events("lines", notify)   # what the user did since the last run
    refusals = apply(workspace, events, ...)          # see explorer.workbench.apply
    plan = ...                                        # from the spec
    fixed = component.static_part(scores.groups, scores.values)  # cache it: large
    moving = component.dynamic_part(fixed, plan, component.ListState(revision=..., mode=..., scale=...))
    histogram.draw(fixed, moving, key="lines")

``new_events`` comes before ``draw`` so that one run reads a move, answers it and shows the exact
numbers. ``draw`` tells the browser which events are answered; that lets it send the next ones.
Large parts are sent only until the browser says that it holds them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import streamlit as st

from explorer.component import streamlit_js, streamlit_parts_js
from explorer.errors import ExplorerError
from explorer.types.aliases import JsonDict, JsonObject
from explorer.workbench.events import DragEvent, read_events

_NAME = "pruning_explorer.histogram"
_PARTS_KEY = "histogram_parts_"
_MOST_DIGESTS = 64


def new_events(key: str, notify: Callable[[ExplorerError], None]) -> tuple[DragEvent, ...]:
    """What the user did since the last call, oldest first; each event is given out once.

    Call it before :func:`draw` with the same ``key``. What no browser of ours sends goes to ``notify``, once; the
    other events of its batch are given out.
    """
    sent = _commit(key).get("events", [])
    events, refusals = read_events(sent, after=_answered(key))
    if refusals and st.session_state.get(_slot(key, "refused")) != repr(sent)[:2000]:
        st.session_state[_slot(key, "refused")] = repr(sent)[:2000]
        for refusal in refusals:
            notify(refusal)
    if events:
        st.session_state[_slot(key, "answered")] = events[-1].seq
    return events


def bring_parts(key: str) -> None:
    """Bring the script that :func:`draw` needs to the page: large, so not with every run of a fragment."""
    _component("parts")(key=f"{_PARTS_KEY}{key}")


def draw(
    static: JsonObject,
    dynamic: JsonObject,
    key: str,
    *,
    strips: JsonObject | None = None,
    on_commit: Callable[[], None] | None = None,
) -> None:
    """Show the histograms. The parts come from ``explorer.component``; ``key`` names the place.

    ``on_commit`` takes :func:`new_events` before the run that they begin, and so before a button that was pressed
    after them and whose press came with the same message.
    """
    held = _held(key)
    data = {
        "static": _unless_held(static, held),
        "strips": _unless_held(strips, held) if strips else None,
        "dynamic": {**dynamic, "ack": _answered(key)},
    }
    _component("lines")(key=key, data=data, on_commit_change=on_commit or _nothing)


@cache
def _component(name: str) -> Any:
    """The registered component, once in a process; Streamlit registers it again in a new runtime.

    A component's script goes to the browser with every change of its data. So "parts" brings the
    script to the page, once, out of the flow; "lines" draws with it and carries the data.
    """
    if name == "parts":
        # On two lines: Streamlit would take a single line for the name of a file.
        hidden = f'[class*="st-key-{_PARTS_KEY}"] {{\n  position: absolute; width: 0; height: 0; overflow: hidden;\n}}'
        return st.components.v2.component(f"{_NAME}_parts", css=hidden, js=streamlit_parts_js(), isolate_styles=False)
    return st.components.v2.component(_NAME, js=streamlit_js())


def _nothing() -> None:
    """Streamlit keeps only the state values that have a callback."""


def _slot(key: str, name: str) -> str:
    return f"_histogram_{name}_{key}"


def _commit(key: str) -> JsonObject:
    state = st.session_state.get(key)
    commit = state.get("commit") if isinstance(state, Mapping) else None
    return commit if isinstance(commit, Mapping) else {}


def _answered(key: str) -> int:
    return int(st.session_state.get(_slot(key, "answered"), 0))


def _held(key: str) -> frozenset[str]:
    have = _commit(key).get("have", [])
    return frozenset(d for d in have[:_MOST_DIGESTS] if isinstance(d, str)) if isinstance(have, list) else frozenset()


def _unless_held(part: JsonObject, held: frozenset[str]) -> JsonDict:
    return {"digest": part["digest"]} if part["digest"] in held else dict(part)
