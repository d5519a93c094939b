"""What a move of a line, a lock or a limit makes of the request."""

from __future__ import annotations

from dataclasses import replace

from explorer.errors import ExplorerError
from explorer.pruning.allocation import PerLayer, Threshold, Uniform
from explorer.pruning.allocation.threshold import lowest_kept
from explorer.pruning.bounds import is_locked
from explorer.pruning.spec import Limit, PruneSpec
from explorer.types import Plan, Scores
from explorer.workbench.events import DragEvent


def moved(spec: PruneSpec, event: DragEvent, scores: Scores, plan: Plan) -> PruneSpec:
    """The request after ``event``; ``plan`` is what the request gave before it."""
    if event.group not in scores.values:
        raise ExplorerError(f"No line called {event.group!r} can be moved.", fix="Reload the page.")
    if event.kind == "lock":
        return _locked(spec, event)
    if event.kind == "limit":
        limit = replace(spec.limit(event.group), floor=event.floor, cap=event.cap)
        return spec.with_limit(event.group, limit)
    n_units = len(scores.values[event.group])
    n_pruned = _n_pruned(event, scores, n_units)
    if event.mode == "share":
        return replace(spec, allocation=Uniform(short_share(n_pruned, n_units)))
    if event.mode == "together":
        line = event.value if event.kind == "threshold" else lowest_kept(scores, event.group, n_pruned)
        return replace(spec, allocation=Threshold(max(0.0, line)))
    return replace(spec, allocation=PerLayer(0.0, _shares(spec, event.group, n_pruned, plan)))


def _n_pruned(event: DragEvent, scores: Scores, n_units: int) -> int:
    if event.kind == "threshold":
        return scores.ranks[event.group].count_below(event.value)
    return round(event.value * n_units) if event.kind == "share" else 0


def _shares(spec: PruneSpec, name: str, n_pruned: int, plan: Plan) -> tuple[tuple[str, float], ...]:
    """Every line that stands somewhere keeps its place, to the unit; one of them moves."""
    counts = {k.group.name: (k.n_pruned, k.group.n_units) for k in plan.groups if not is_locked(k.group, spec)}
    counts[name] = (n_pruned, next(k.group.n_units for k in plan.groups if k.group.name == name))
    return tuple(sorted((group, short_share(n, of)) for group, (n, of) in counts.items() if n))


def _locked(spec: PruneSpec, event: DragEvent) -> PruneSpec:
    """A lock holds the line where it stands; opening it lets the line go on from there."""
    limit = spec.limit(event.group)
    if event.locked:
        return spec.with_limit(event.group, Limit(True, event.value, max(event.value, limit.cap)))
    spec = spec.with_limit(event.group, Limit(False))
    if isinstance(spec.allocation, PerLayer):
        shares = dict(spec.allocation.shares) | {event.group: limit.floor}
        return replace(spec, allocation=replace(spec.allocation, shares=tuple(sorted(shares.items()))))
    return spec


def short_share(n: int, of: int) -> float:
    """The share n / of with as few digits as give exactly n back: links stay short."""
    if of == 0:
        return 0.0
    for digits in range(1, 17):
        share = round(n / of, digits)
        if round(share * of) == n:
            return share
    return n / of
