from __future__ import annotations

import math
from typing import Any

import pytest

from explorer.errors import ExplorerError
from explorer.workbench.events import DragEvent, parse_event, read_events
from tests.every import for_each

MOVE: dict[str, Any] = {"kind": "threshold", "group": "a", "value": 0.25, "mode": "together", "final": False, "seq": 3}


def test_a_move_of_a_line_is_read() -> None:
    assert parse_event(MOVE) == DragEvent(kind="threshold", group="a", value=0.25, mode="together", final=False, seq=3)


@for_each(
    ("sent", "read"),
    [
        ({"kind": "share", "group": "a", "value": 1}, {"value": 1.0}),
        ({"kind": "reset", "group": "a", "mode": "share"}, {"mode": "share", "value": 0.0}),
        ({"kind": "lock", "group": "a", "locked": True, "value": 0.4}, {"locked": True, "value": 0.4}),
        ({"kind": "limit", "group": "a", "floor": 0.1, "cap": 0.9}, {"floor": 0.1, "cap": 0.9}),
        ({"kind": "mode", "mode": "alone"}, {"mode": "alone", "group": ""}),
        ({"kind": "scale", "scale": "log"}, {"scale": "log"}),
        ({"kind": "undo"}, {"final": True}),
        ({"kind": "redo"}, {"kind": "redo"}),
        ({"kind": "threshold", "group": "a", "value": -3.5}, {"value": -3.5}),
    ],
)
def test_every_kind_of_event_is_read(sent: dict[str, Any], read: dict[str, Any]) -> None:
    event = parse_event({"seq": 1, **sent})

    assert {name: getattr(event, name) for name in read} == read


HOSTILE: list[Any] = [
    None,
    [],
    "threshold",
    {},
    {**MOVE, "kind": "delete"},
    {**MOVE, "kind": ["threshold"]},
    {**MOVE, "group": ""},
    {**MOVE, "group": 7},
    {**MOVE, "group": "x" * 5_000},
    {**MOVE, "value": math.nan},
    {**MOVE, "value": math.inf},
    {**MOVE, "value": "0.5"},
    {**MOVE, "value": True},
    {**MOVE, "value": 10**400},
    {**MOVE, "kind": "share", "value": 1.5},
    {**MOVE, "kind": "share", "value": -0.1},
    {**MOVE, "mode": "everything"},
    {**MOVE, "final": 1},
    {**MOVE, "seq": -1},
    {**MOVE, "seq": None},
    {**MOVE, "kind": "limit", "floor": 0.8, "cap": 0.2},
    {**MOVE, "kind": "limit", "floor": -1},
    {**MOVE, "kind": "lock", "locked": "yes"},
    {**MOVE, "kind": "scale", "scale": {"linear": 1}},
]


@for_each("value", HOSTILE)
def test_what_no_histogram_sends_is_refused(value: Any) -> None:
    with pytest.raises(ExplorerError):
        parse_event(value)


def test_a_repeated_batch_gives_only_what_is_new_and_in_order() -> None:
    batch = [{**MOVE, "seq": seq} for seq in (5, 3, 4, 4)]

    events, refusals = read_events(batch, after=3)

    assert ([event.seq for event in events], refusals) == ([4, 5], ())


@pytest.mark.parametrize("batch", [None, {}, "x", [MOVE] * 1_001])
def test_a_batch_that_is_not_a_short_list_is_refused(batch: Any) -> None:
    events, refusals = read_events(batch)

    assert (events, len(refusals)) == ((), 1)
