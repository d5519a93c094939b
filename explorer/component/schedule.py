"""The draggable schedule: how much is pruned when, with one handle at the corner of its steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from explorer.errors import ExplorerError
from explorer.params.numerals import real, short
from explorer.types.aliases import JsonDict, JsonObject

LOWEST, HIGHEST = 0.05, 0.99


class Corner(NamedTuple):
    """Where the handle stands: pruning ends at the share ``end`` of the epochs, with ``final`` of the weights gone."""

    end: float
    final: float


def schedule_part(points: Sequence[tuple[float, float]], corner: Corner, *, epochs: int, moves_end: bool) -> JsonDict:
    """What the module is told. ``points``: (epoch, sparsity) after each pruning, in order; steps in between."""
    words = "How much goes in the end" + (", and when pruning ends" if moves_end else "")
    return {
        "points": [[round(float(x), 4), round(float(y), 6)] for x, y in points],
        "epochs": int(epochs),
        "end": round(corner.end, 6),
        "final": round(corner.final, 6),
        "moves_end": moves_end,
        "words": words,
    }


def parse_corner(value: object) -> Corner | None:
    """A checked corner, or None where nothing was moved yet. Raises ExplorerError for what no browser of ours sends."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise _refused(value)
    return Corner(_share(value, "end", 0.0, 1.0), _share(value, "final", LOWEST, HIGHEST))


def _share(value: JsonObject, name: str, low: float, high: float) -> float:
    given = value.get(name)
    try:
        if isinstance(given, str):  # a browser of ours sends numbers as numbers
            raise ValueError
        return real(given, low, high)
    except ValueError:
        raise _refused(given) from None


def _refused(given: object) -> ExplorerError:
    why = f"It was {short(given, 60)}."
    return ExplorerError(
        "The schedule sent something that is not a place of its handle.", why=why, fix="Reload the page."
    )
