"""How much worse a pruned model is than the dense one by any metric, on the same samples."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from explorer.metrics.base import Metric
from explorer.metrics.interval import Interval, jackknife, normal_mean, paired_difference


def lost(metric: Metric, dense: Tensor, pruned: Tensor, *, quickly: bool = False) -> tuple[float, Interval | None]:
    """How much worse ``pruned`` is, positive is worse whatever the metric's direction, with its 95 % paired interval.

    Both are the numbers of the same samples, as ``metric.per_sample`` gives them. Shares have the interval of a paired
    difference of shares, other means that of the mean difference, all else a jackknife over groups of samples (leave
    one group out). ``quickly``: no jackknife.

    Source: Efron & Stein 1981, doi:10.1214/aos/1176345462 (the jackknife's variance is no underestimate on average).
    """
    value = _cost(metric, pruned) - _cost(metric, dense)
    sign = {"highest": 1.0, "lowest": -1.0}.get(metric.best)
    if sign is not None and _is_mean(metric, dense) and _is_mean(metric, pruned):
        worse = sign * (dense - pruned)
        if all(bool(((part == 0) | (part == 1)).all()) for part in (dense, pruned)):
            interval = paired_difference(int((worse > 0).sum()), int((worse < 0).sum()), len(worse))
            return value, interval
        return value, normal_mean(worse)
    return value, None if quickly else _jackknife(metric, dense, pruned)


def _cost(metric: Metric, values: Tensor) -> float:
    total = metric.total(values)
    return {"highest": -total, "lowest": total}.get(metric.best, abs(total))


def _is_mean(metric: Metric, values: Tensor) -> bool:
    return values.dim() == 1 and len(values) > 0 and math.isclose(metric.total(values), float(values.mean()))


def _jackknife(metric: Metric, dense: Tensor, pruned: Tensor) -> Interval | None:
    width = dense[0].numel() if len(dense) else 0
    both = torch.cat([dense.reshape(len(dense), -1), pruned.reshape(len(pruned), -1)], dim=1)

    def worse(rows: Tensor) -> float:
        one, other = rows[:, :width].reshape(-1, *dense.shape[1:]), rows[:, width:].reshape(-1, *pruned.shape[1:])
        return _cost(metric, other) - _cost(metric, one)

    return jackknife(worse, both)
