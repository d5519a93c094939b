"""Which threshold is to blame, in words and cells, the same on every face."""

from __future__ import annotations

from explorer.analysis.blame import Blame, LayerBlame
from explorer.text.delta import delta_ends, delta_text
from explorer.text.numbers import count
from explorer.types import Measurement

HEAD = ("layer given back", "weights", "right then", "change", "95 % interval")


def rows(blame: Blame) -> list[tuple[str, ...]]:
    """One row a layer, the one that gives most back first."""
    return [_row(each, blame.n) for each in blame.layers]


def _row(each: LayerBlame, n: int) -> tuple[str, ...]:
    turned = _as_drop(each.gain)
    right = f"{each.right:,} of {n:,}"
    return (each.group, count(each.n_weights), right, delta_text(turned), delta_ends(turned))


def _as_drop(gain: Measurement) -> Measurement:
    low, high = (None if end is None else -end for end in (gain.high, gain.low))
    return Measurement("drop", -gain.value, "fraction", gain.origin, low, high, gain.n)


def sentence(blame: Blame) -> str:
    """Which layer gives most back, and whether that is beyond doubt; what it rests on."""
    before = f"{blame.right_before:,} of {blame.n:,} right before, {blame.right_after:,} now"
    start = f"Class {blame.class_name}: {before}."
    left = f" The {blame.n_left_out:,} layers that lost fewest weights were not tried." if blame.n_left_out else ""
    worst = blame.worst
    if worst is None:
        return f"{start} No layer alone gives anything back.{left}"
    sure = "" if (worst.gain.low or 0) > 0 else " That is not beyond doubt."
    back = f"{worst.group} gives most back: {worst.right - blame.right_after:,} right answers, all others as they are."
    return f"{start} {back}{sure}{left}"
