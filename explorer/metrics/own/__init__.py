"""Metrics of the user's own: a function of outputs and targets, or an object that is updated and asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import cast

from explorer.errors import ExplorerError
from explorer.metrics import METRICS
from explorer.metrics.base import Best, Metric
from explorer.metrics.own.function import FunctionMetric
from explorer.metrics.own.whole import Stateful, WholeMetric

Given = str | Metric | Stateful | Callable[..., object]
"""A registered key, or one of the user's own."""

_TAKEN = {"drop", "dense_accuracy"}


def own_metrics(given: Iterable[Given] | Mapping[str, Given]) -> tuple[Metric, ...]:
    """The metrics of a list, or of a mapping that names them. Raises ExplorerError for what is none."""
    named = given.items() if isinstance(given, Mapping) else ((None, each) for each in given)
    metrics = tuple(metric_of(each, name) for name, each in named)
    keys = [metric.key for metric in metrics]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise ExplorerError(f"Two metrics are called {twice}.", fix="Name them: metrics={'name': metric, ...}.")
    return metrics


def metric_of(given: Given, name: str | None = None) -> Metric:
    """One metric: that of a key, a metric itself, or one around a function or an object with update and compute.

    ``higher_is_better`` of a function or object says which way is better; without it, higher is.
    """
    if isinstance(given, str):
        return METRICS.get(given)
    if isinstance(given, Metric):
        return given
    key = name or str(getattr(given, "__name__", type(given).__name__))
    if not key.isidentifier() or key in METRICS.members or key in _TAKEN:
        why = "A name of letters, digits and _ is needed that no other metric has."
        raise ExplorerError(f"A metric cannot be called {key!r}.", why=why, fix="Name it: metrics={'name': metric}.")
    is_higher = getattr(given, "higher_is_better", True)
    best: Best = "lowest" if is_higher is False else "highest"
    if all(callable(getattr(given, part, None)) for part in ("update", "compute", "reset")):
        return cast(Metric, WholeMetric(key, best, cast(Stateful, given)))
    if callable(given):
        return cast(Metric, FunctionMetric(key, best, given))
    what = f"A {type(given).__name__} is no metric."
    fix = "Give a key, a function metric(outputs, targets), or an object with update, compute and reset."
    raise ExplorerError(what, fix=fix)


__all__ = ["FunctionMetric", "Given", "Stateful", "WholeMetric", "metric_of", "own_metrics"]
