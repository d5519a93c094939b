"""What the draggable histogram is told, in three parts of very different size and pace.

``static``  histograms and cumulative counts: large, changes with model, granularity, criterion.
``strips``  what each layer costs if pruned alone: changes when a sensitivity scan has finished.
``dynamic`` lines, counts, locks: small, changes with every plan.

The first two carry a digest; whoever has sent one once may send the digest alone.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from explorer.analysis.histogram import score_histogram
from explorer.errors import ExplorerError
from explorer.text.numbers import points
from explorer.types import GroupPlan, Plan, PruningGroup
from explorer.types.aliases import JsonDict, JsonObject


def static_part(
    groups: Sequence[PruningGroup],
    values: Mapping[str, Tensor],
    *,
    symbol: str | None = None,
    points: int | None = None,
    scope: str = "",
    hide: Sequence[str] = (),
) -> JsonDict:
    """The histograms of all groups, JSON-able; make it once for a model, granularity and criterion.

    ``values[group.name]``: (n_units,) finite scores, as in ``Scores``; a group without values is
    shown with its reason. ``symbol`` names the axis ("|w|"); by default "|w|" for weights and "norm" for channels.
    ``points`` is the resolution of the readout between commits (64 to 512); by default 256, and
    less when there are many groups. Counts at those points are exact. ``scope`` ("on this page") is said behind the
    total where these are not all groups of the model; then the browser offers no search of its own. ``hide`` leaves
    parts out: "mode", "scale", "steps" (undo and redo), "search", "tools" (locks and limits).
    """
    points = points or max(96, min(256, 16_000 // max(1, len(groups))))
    is_weight = all(group.unit == "weight" for group in groups)
    entries = [_group(group, values.get(group.name), points) for group in groups]
    part = {"symbol": symbol or ("|w|" if is_weight else "norm"), "groups": entries}
    part |= {"scope": scope} if scope else {}
    return _digested(part | ({"hide": list(hide)} if hide else {}))


def strips_part(strips: Mapping[str, Sequence[float | None]], *, whole: float = 0.0) -> JsonDict:
    """What each group costs if it alone is pruned, for the coloured strip below its histogram.

    ``whole`` is what a cost of 1 stands for, in points of accuracy; with it, the expected cost
    follows the hand while a line is dragged.

    ``strips[group][i]`` is the cost, from 0 (none) to 1 (all is lost), of pruning the share
    ``i / (len - 1)``; None where it is not known.
    """
    levels = {}
    for name, costs in strips.items():
        cells = [255 if c is None or c != c else round(254 * min(1.0, max(0.0, c))) for c in costs]
        levels[name] = base64.b64encode(bytes(cells)).decode()
    return _digested({"levels": levels, "whole": round(whole, 2)})


@dataclass(frozen=True)
class ListState:
    """What the list shows beside the plan.

    ``revision`` must change whenever anything here does: the browser ignores one it has seen.
    ``lines`` are the values asked for, where the user asked by value; elsewhere the line stands
    at the lowest kept score. ``limits`` are (floor, cap) shares. ``expected`` is a group's cost in
    points (positive is worse), or a text. ``ack`` is the last event that this answers.
    """

    revision: int
    scale: str = "linear"
    mode: str = "alone"
    lines: Mapping[str, float] = field(default_factory=dict)
    limits: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    expected: Mapping[str, float | str] = field(default_factory=dict)
    can_undo: bool = False
    can_redo: bool = False
    ack: int = 0


def dynamic_part(static: JsonObject, plan: Plan, state: ListState) -> JsonDict:
    """Where the lines stand and how many units really go: a few numbers a group."""
    _one_of("scale", state.scale, ("linear", "log"))
    _one_of("mode", state.mode, ("alone", "together", "share"))
    names = [entry["name"] for entry in static["groups"]]
    by_name = {k.group.name: k for k in plan.groups}
    planned = [by_name.get(name) for name in names]
    return {
        "revision": int(state.revision),
        "ack": int(state.ack),
        "scale": state.scale,
        "mode": state.mode,
        "can_undo": bool(state.can_undo),
        "can_redo": bool(state.can_redo),
        "lines": [_line(k, state.lines) for k in planned],
        "pruned": [k.n_pruned if k else 0 for k in planned],
        "locked": [int(k.locked) if k else 0 for k in planned],
        "limits": {name: [float(low), float(high)] for name, (low, high) in state.limits.items() if name in names},
        "expected": {name: _cost(cost) for name, cost in state.expected.items() if name in names},
    }


def payload(
    groups: Sequence[PruningGroup],
    magnitudes: Mapping[str, Tensor],
    plan: Plan,
    state: ListState,
    *,
    strips: Mapping[str, Sequence[float | None]] | None = None,
) -> JsonDict:
    """All three parts at once, for a notebook or a test."""
    static = static_part(groups, magnitudes)
    return {
        "static": static,
        "strips": strips_part(strips) if strips else None,
        "dynamic": dynamic_part(static, plan, state),
    }


def _digested(part: JsonDict) -> JsonDict:
    text = json.dumps(part, sort_keys=True)
    return {"digest": hashlib.sha256(text.encode()).hexdigest()[:16], **part}


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ExplorerError(f"{name} cannot be {value!r}.", fix="Choose one of: " + ", ".join(choices) + ".")


def _line(planned: GroupPlan | None, lines: Mapping[str, float]) -> float | None:
    """None when the line stands where the count says: at the start, or past the end."""
    if planned is None:
        return None
    value = lines.get(planned.group.name, planned.threshold)
    return float(f"{value:.9g}") if np.isfinite(value) else None


def _cost(cost: float | str) -> str:
    if isinstance(cost, str):
        return cost
    return f"≈ {points(-cost / 100)}"


def _group(group: PruningGroup, values: Tensor | None, points: int) -> JsonDict:
    entry: JsonDict = {
        "name": group.name,
        "unit": group.unit,
        "n": group.n_units,
        "weights": group.n_weights,
        "block": group.block,
        "kind": group.kind,
    }
    entry |= {"why_not": group.why_not} if group.why_not else {}
    entry |= {"locked_by": group.locked_by} if group.locked_by else {}
    if group.coupled_by or len(group.layers) > 1:
        entry["layers"] = list(group.layers)
    return entry if values is None or values.numel() == 0 else entry | _curve(values, points)


def _curve(values: Tensor, points: int) -> JsonDict:
    """One group's histogram as the browser reads it: bar heights, and the cumulative table."""
    histogram = score_histogram(values, points)
    curve = {
        "low": histogram.low,
        "high": histogram.high,
        "start": histogram.start,
        "floor": histogram.floor,
        "zeros": histogram.n_zeros,
        "exact": histogram.is_exact,
        "edges": _packed(histogram.edges, np.dtype("<f4")),
        "counts": _packed(histogram.below, np.dtype("<u4")),
        "linear": _heights(histogram.linear),
        "zero_bar": _height(histogram.n_zeros, histogram.linear),
    }
    return curve if histogram.log is None else curve | {"log": _heights(histogram.log)}


def _height(count: int, bins: NDArray[np.int64]) -> int:
    return min(255, max(int(count > 0), round(255 * count / max(1, int(bins.max())))))


def _heights(bins: NDArray[np.int64]) -> str:
    """Bar heights in 255 steps of the tallest; a bar that is not empty is never 0."""
    steps = np.rint(255 * bins / max(1, int(bins.max())))
    return base64.b64encode(np.maximum(steps, bins > 0).astype(np.uint8).tobytes()).decode()


def _packed(numbers: NDArray[Any], dtype: np.dtype[Any]) -> str:
    return base64.b64encode(numbers.astype(dtype).tobytes()).decode()
