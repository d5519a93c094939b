"""Edits estimated from as few samples as a wanted precision takes, each look refining the last."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from explorer.engine.cells import PATIENCE, TOGETHER, groups
from explorer.engine.edits import Batch, Edit, Walk
from explorer.engine.evaluator import Evaluator
from explorer.engine.layout import equal_batches
from explorer.engine.tally import BatchResult, joined, per_sample_of_each
from explorer.metrics.stratified import FINAL, Strata, looks_at, margin_strata, mean_of, paired_mean, partial_width
from explorer.types.stopping import result

HALF_WIDTH = 0.01  # one point either way
_DRAWN = 64  # samples more at a look, at least


@dataclass(frozen=True)
class Estimate:
    """What ``n`` of ``total`` samples say about all of them.

    ``drop`` with its half width is dense minus pruned accuracy (without labels: the share of changed
    choices); ``dense`` is the dense accuracy on all samples. ``complete`` when the interval is
    narrow enough or every sample was run. ``loss`` is (mean, half width), None without labels.
    """

    n: int
    total: int
    dense: float
    drop: float
    half_width: float
    loss: tuple[float, float] | None
    complete: bool


@dataclass(eq=False)
class _Sampling:
    """The order in which samples are drawn, the same for every edit, and what is known about the dense model."""

    order: Tensor
    strata: Strata
    looks: tuple[int, ...]
    partial: float
    dense: BatchResult

    def results(
        self, evaluator: Evaluator, walk: Walk, edits: Sequence[Edit], parts: Sequence[slice]
    ) -> list[BatchResult]:
        """For each part of the order the results of all edits; runs in a thread of the evaluator."""
        drawn = [self.order[part] for part in parts]
        batches = [Batch(p.start, evaluator.split.x[which]) for p, which in zip(parts, drawn, strict=True)]
        outputs = walk.outputs(batches, edits)
        labels = evaluator.split.y
        return [
            per_sample_of_each(out, None if labels is None else labels[which], self.dense.at(which))
            for which, out in zip(drawn, outputs, strict=True)
        ]


def estimate_edits(
    evaluator: Evaluator,
    edits: Sequence[Edit],
    walk: Walk,
    *,
    may_start: Callable[[int], bool] = lambda index: True,
    per_place: int | None = None,
    half_width: float = HALF_WIDTH,
    seed: int = 0,
) -> Generator[tuple[int, Estimate], None, None]:
    """Each edit's estimate after every look, until its interval is no wider than asked.

    The intervals of all looks hold together with 95 %, about the value that all samples would
    give. Edits come in the order in which they begin in the model. Stop iterating at any time.
    """
    sampling = _sampling(evaluator, half_width, seed)
    for group in groups(walk, edits, may_start, per_place):
        yield from _looked(evaluator, walk, sampling, group, edits, half_width)


def _sampling(evaluator: Evaluator, half_width: float, seed: int) -> _Sampling:
    dense = evaluator.dense_results()
    n = len(evaluator.split)
    margin = dense.margin if dense.margin is not None else torch.zeros(n)
    strata = margin_strata(margin.nan_to_num(0.0), dense.right, dense.predictions)
    order = strata.order(seed)
    step = min(_DRAWN, evaluator.batch_size)
    sizes = range(step, n, step)
    first = next((size for size in sizes if _unchanged(strata, order[:size]) <= half_width), n)
    looks = looks_at(n, first=first, step=step)
    return _Sampling(order, strata, looks, partial_width(len(looks)), dense)


def _unchanged(strata: Strata, sampled: Tensor) -> float:
    """Half the interval of an edit that changes nothing: as long as that is too wide there is no use in looking."""
    _, error = paired_mean(torch.zeros(len(sampled)), strata, sampled)
    return FINAL * float(error)


def _looked(
    evaluator: Evaluator, walk: Walk, sampling: _Sampling, group: list[int], edits: Sequence[Edit], half_width: float
) -> Generator[tuple[int, Estimate], None, None]:
    open_ = list(group)
    results: list[BatchResult] = []  # of the edits in ``open_``
    estimates: dict[int, Estimate] = {}
    last_shown = time.perf_counter()
    for before, look in pairwise((0, *sampling.looks)):
        futures = _submitted(evaluator, walk, sampling, [edits[i] for i in open_], before, look)
        try:
            for future in futures:
                batch = result(future)
                results += batch
                if estimates and time.perf_counter() - last_shown > PATIENCE:
                    yield from list(estimates.items())  # nothing new, but the reader may want to stop
                    last_shown = time.perf_counter()
        finally:
            for future in futures:
                future.cancel()
        results = [joined(results, dim=1)]
        estimates = dict(zip(open_, _estimates(sampling, results[0], look, half_width), strict=True))
        yield from list(estimates.items())
        stays = [place for place, index in enumerate(open_) if not estimates[index].complete]
        if not stays:
            return
        results = [results[0].at(torch.tensor(stays))]
        open_ = [open_[place] for place in stays]
        estimates = {index: estimates[index] for index in open_}
        last_shown = time.perf_counter()


def _submitted(
    evaluator: Evaluator, walk: Walk, sampling: _Sampling, edits: Sequence[Edit], before: int, look: int
) -> list[Future[list[BatchResult]]]:
    """What is to be run between two looks; where the walk learns, the first batch has run when this returns."""
    parts = equal_batches(before, look, evaluator.batch_size)
    alone = []
    if walk.learns and not before:
        alone = [evaluator.submit(sampling.results, evaluator, walk, edits, parts[:1])]
        result(alone[0])
        parts = parts[1:]
    n_together = max(1, min(TOGETHER, -(-len(parts) // evaluator.threads)))
    tasks = [parts[at : at + n_together] for at in range(0, len(parts), n_together)]
    return alone + [evaluator.submit(sampling.results, evaluator, walk, edits, task) for task in tasks]


def _estimates(sampling: _Sampling, results: BatchResult, n: int, half_width: float) -> list[Estimate]:
    """One an edit, from the results (edits, n) of the first n of the order."""
    sampled, total, right = sampling.order[:n], len(sampling.order), sampling.dense.right
    differences = 1 - results.agrees if right is None or results.right is None else right[sampled] - results.right
    drops, errors = paired_mean(differences, sampling.strata, sampled)
    final = (FINAL * errors <= half_width) | torch.tensor(n == total)
    widths = torch.where(final, FINAL, sampling.partial)
    halves = widths * errors if n < total else torch.zeros_like(errors)
    losses: list[tuple[float, float] | None] = [None] * len(drops)
    if results.loss is not None:
        values, off = mean_of(results.loss, sampling.strata, sampled)
        losses = list(zip(values.tolist(), (widths * off).tolist(), strict=True))
    dense = 1.0 if right is None else float(right.mean())
    rows = zip(drops.tolist(), halves.tolist(), losses, final.tolist(), strict=True)
    return [Estimate(n, total, dense, drop, half, loss, done) for drop, half, loss, done in rows]
