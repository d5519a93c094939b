"""A student as a program: speaks Streamlit's own protocol over a websocket, as a browser does, without drawing."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.runtime.state.session_state import STREAMLIT_INTERNAL_KEY_PREFIX

_VALUES = re.compile(r'class="value[^"]*">([^<]*)<')
_N_FACTS, _NEAR = 4, 0.6
_FACTS, _STALE, _AFTER = 'class="facts"', "stale", "after_ms"


class Student:
    """One connection. ``buttons`` are those of the last drawing by their labels: (widget, fragment)."""

    def __init__(self, base: str, query: str) -> None:
        self._url = f"ws://{urlsplit(base).netloc}/_stcore/stream"
        self._query, self._socket = query, None  # type: ignore[assignment]
        self.buttons: dict[str, tuple[str, str]] = {}
        self.texts: dict[str, str] = {}
        self.facts, self.exceptions = "", 0
        self._polls: dict[str, float] = {}
        self._ticks: list[asyncio.Task[None]] = []
        self._changed = asyncio.Condition()

    async def connect(self) -> None:
        """Open the page, and go on listening."""
        self._socket = await websockets.connect(self._url, subprotocols=["streamlit"], max_size=None)
        self._listening = asyncio.create_task(self._listen())
        await self._send("", [])

    async def close(self) -> None:
        """Leave."""
        for task in [self._listening, *self._ticks]:
            task.cancel()
        await self._socket.close()

    async def _send(self, fragment: str, states: list[WidgetState], *, is_poll: bool = False) -> None:
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_name = self._query, "learn"
        state.fragment_id, state.is_auto_rerun = fragment, is_poll
        state.widget_states.widgets.extend(states)
        await self._socket.send(message.SerializeToString())

    async def press(self, label: str, **texts: str) -> None:
        """Press a button, with what stands in the fields of this name."""
        widget, fragment = self.buttons[label]
        states = [WidgetState(id=self.texts[name], string_value=value) for name, value in texts.items()]
        await self._send(fragment, [*states, WidgetState(id=widget, trigger_value=True)])

    async def poll(self, seconds: float) -> None:
        """What the page asks by itself every other second, for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for fragment in list(self._polls):
                await self._send(fragment, [], is_poll=True)
            await asyncio.sleep(2.0)

    async def until(self, is_so: Callable[[Student], bool], timeout: float) -> bool:
        """Whether it became so in time."""
        try:
            async with self._changed:
                await asyncio.wait_for(self._changed.wait_for(lambda: is_so(self)), timeout)
        except TimeoutError:
            return False
        return True

    def has_estimate_of(self, share: float) -> bool:
        """Whether the facts on the screen are of this share of weights, and say how accurate it is."""
        values = _VALUES.findall(self.facts)
        if len(values) < _N_FACTS or _STALE in self.facts or "%" not in values[0]:
            return False
        return abs(float(values[2].strip("≈% ")) - 100 * share) < _NEAR

    async def _listen(self) -> None:
        async for content in self._socket:
            message = ForwardMsg()
            message.ParseFromString(content)
            kind = message.WhichOneof("type")
            async with self._changed:
                if kind == "new_session" and not message.metadata.run.fragment_ids:
                    self.buttons, self._polls = {}, {}
                elif kind == "auto_rerun":
                    self._polls[message.auto_rerun.fragment_id] = message.auto_rerun.interval
                elif kind == "delta":
                    self._take(message.delta)
                self._changed.notify_all()

    def _take(self, delta: Delta) -> None:
        element = delta.new_element
        kind = element.WhichOneof("type")
        if kind == "button":
            self.buttons[element.button.label] = (element.button.id, delta.fragment_id)
        elif kind == "text_input":
            self.texts[element.text_input.label] = element.text_input.id
        elif kind == "html" and _FACTS in element.html.body:
            self.facts = element.html.body
        elif kind == "exception":
            self.exceptions += 1
        elif kind == "bidi_component" and _AFTER in element.bidi_component.json:
            asked = json.loads(element.bidi_component.json)
            self._ticks = [task for task in self._ticks if not task.done()]
            self._ticks.append(asyncio.create_task(self._tick(element.bidi_component.id, delta.fragment_id, asked)))

    async def _tick(self, component: str, fragment: str, asked: dict[str, int]) -> None:
        """What the page's ticker does: ask for the next drawing a moment after this one."""
        await asyncio.sleep(asked[_AFTER] / 1000)
        event = json.dumps([{"event": "tick", "value": asked["turn"]}])
        state = WidgetState(id=f"{STREAMLIT_INTERNAL_KEY_PREFIX}_{component}__events", json_trigger_value=event)
        await self._send(fragment, [state])
