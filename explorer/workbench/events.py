"""What the draggable histogram tells: a browser's value, checked field by field."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from explorer.errors import ExplorerError
from explorer.params.numerals import real, short
from explorer.text.numbers import percent_asked
from explorer.types.aliases import JsonObject

Kind = Literal["threshold", "share", "reset", "lock", "limit", "mode", "scale", "undo", "redo"]
Mode = Literal["alone", "together", "share"]
Scale = Literal["linear", "log"]

_KINDS = ("threshold", "share", "reset", "lock", "limit", "mode", "scale", "undo", "redo")
_ABOUT_A_GROUP = ("threshold", "share", "reset", "lock", "limit")
_MOST_EVENTS = 1000
_LONGEST_NAME = 1000


@dataclass(frozen=True)
class DragEvent:
    """One thing the user did.

    ==========  =======================================================================
    kind        what it says
    ==========  =======================================================================
    threshold   the line of ``group`` now stands at the score ``value`` (lower ones go)
    share       the share ``value`` (0..1) of ``group`` goes
    reset       nothing of ``group`` goes
    lock        ``group`` is ``locked`` or not; ``value`` is the share that is pruned now
    limit       at least ``floor`` and at most ``cap`` (shares) of ``group`` go
    mode        thresholds now move as ``mode`` says
    scale       the axis is ``scale``
    undo, redo  as they say
    ==========  =======================================================================

    For threshold, share and reset ``mode`` says which lines follow: ``alone`` (none),
    ``together`` (all unlocked lines stand at that value) or ``share`` (all unlocked groups lose
    that share). ``final`` is False while the pointer is still down. ``seq`` rises.
    """

    kind: Kind
    seq: int
    group: str = ""
    value: float = 0.0
    mode: Mode = "alone"
    final: bool = True
    locked: bool = False
    floor: float = 0.0
    cap: float = 1.0
    scale: Scale = "linear"


def parse_event(value: object) -> DragEvent:
    """A checked event. Anything a browser should not have sent raises ``ExplorerError``."""
    if not isinstance(value, Mapping):
        raise _refused(value)
    kind = _choice(value, "kind", _KINDS)
    group = value.get("group", "")
    if not isinstance(group, str) or len(group) > _LONGEST_NAME or (kind in _ABOUT_A_GROUP and not group):
        raise _refused(group)
    floor, cap = _number(value, "floor", 0.0, high=1.0), _number(value, "cap", 1.0, high=1.0)
    if floor > cap:
        raise ExplorerError(
            f"At least {percent_asked(floor)} and at most {percent_asked(cap)} do not fit together.",
            fix="Give a floor that is not above the cap.",
        )
    lowest, highest = (0.0, 1.0) if kind in ("share", "lock") else (-math.inf, math.inf)
    return DragEvent(
        kind=cast(Kind, kind),
        seq=int(_number(value, "seq", None, high=2.0**53)),
        group=group,
        value=_number(value, "value", 0.0, low=lowest, high=highest),
        mode=cast(Mode, _choice(value, "mode", ("alone", "together", "share"), "alone")),
        final=_flag(value, "final", True),
        locked=_flag(value, "locked", False),
        floor=floor,
        cap=cap,
        scale=cast(Scale, _choice(value, "scale", ("linear", "log"), "linear")),
    )


def read_events(value: object, *, after: int = 0) -> tuple[tuple[DragEvent, ...], tuple[ExplorerError, ...]]:
    """The events that came after ``after``, each once and in order, and the refusals of those that are none.

    Each event is read by itself: one that cannot be read takes no other with it.
    """
    if not isinstance(value, list) or len(value) > _MOST_EVENTS:
        return (), (_refused(value),)
    new: dict[int, DragEvent] = {}
    refusals = []
    for item in value:
        try:
            event = parse_event(item)
        except ExplorerError as refusal:
            refusals.append(refusal)
        else:
            if event.seq > after:
                new[event.seq] = event
    return tuple(new[seq] for seq in sorted(new)), tuple(refusals)


def _choice(value: JsonObject, field: str, choices: tuple[str, ...], default: str | None = None) -> str:
    given = value.get(field, default)
    if not isinstance(given, str) or given not in choices:
        raise _refused(given)
    return given


def _number(value: JsonObject, field: str, default: float | None, *, low: float = 0.0, high: float) -> float:
    given = value.get(field, default)
    try:
        if isinstance(given, str):  # a browser of ours sends numbers as numbers
            raise ValueError
        return real(given, low, high)
    except ValueError:
        raise _refused(given) from None


def _flag(value: JsonObject, field: str, default: bool) -> bool:
    given = value.get(field, default)
    if not isinstance(given, bool):
        raise _refused(given)
    return given


def _refused(given: object) -> ExplorerError:
    return ExplorerError(
        "The histogram sent something that is not a move of a line.",
        why=f"It was {short(given, 60)}.",
        fix="Reload the page.",
    )
