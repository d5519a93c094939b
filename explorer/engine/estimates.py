"""Edits estimated from as few samples as a wanted precision takes, each look refining the last."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from explorer.engine.cells import GROUP_SECONDS, PATIENCE, TOGETHER, next_group
from explorer.engine.edits import Batch, Edit, Walk
from explorer.engine.evaluator import Evaluator
from explorer.engine.tally import BatchResult, judge_each
from explorer.metrics.stratified import Strata, boundary, looks_at, margin_strata, mean_of, paired_mean

HALF_WIDTH = 0.01  # one point either way
_DRAWN = 64  # samples drawn together, at most
_SOONEST = 0.06  # of all samples before the first look; also at least two batches


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
    z: float
    dense: BatchResult

    def results(
        self, evaluator: Evaluator, walk: Walk, edits: Sequence[Edit], parts: Sequence[slice]
    ) -> list[list[BatchResult]]:
        """For each part of the order one result an edit; runs in a thread of the evaluator."""
        drawn = [self.order[part] for part in parts]
        batches = [Batch(p.start, evaluator.split.x[which]) for p, which in zip(parts, drawn, strict=True)]
        outputs = walk.outputs(batches, edits)
        return [self._judged(evaluator, which, out) for which, out in zip(drawn, outputs, strict=True)]

    def _judged(self, evaluator: Evaluator, which: Tensor, outputs: Tensor) -> list[BatchResult]:
        labels = evaluator.split.y
        return judge_each(outputs, None if labels is None else labels[which], self.dense.at(which))


def estimate_edits(
    evaluator: Evaluator,
    edits: Sequence[Edit],
    walk: Walk,
    *,
    wanted: Callable[[int], bool] = lambda index: True,
    per_place: int | None = None,
    half_width: float = HALF_WIDTH,
    seed: int = 0,
) -> Generator[tuple[int, Estimate], None, None]:
    """Each edit's estimate after every look, until its interval is no wider than asked.

    The intervals of all looks hold together with 95 %, about the value that all samples would
    give. Edits come in the order in which they begin in the model. Stop iterating at any time.
    """
    sampling = _sampling(evaluator, seed)
    program = evaluator.ready.programs[0]
    queue = deque(sorted((edit.place(program), index) for index, edit in enumerate(edits)))
    pace = GROUP_SECONDS
    while queue:
        size = max(1, int(GROUP_SECONDS / pace))
        group = next_group(queue, wanted, size, per_place or len(edits), whole_places=walk.full)
        if not group:
            continue
        start = time.perf_counter()
        yield from _looked(evaluator, walk, sampling, group, edits, half_width)
        pace = max(1e-5, (time.perf_counter() - start) / len(group))
        for index in group:
            edits[index].release()


def _sampling(evaluator: Evaluator, seed: int) -> _Sampling:
    dense = evaluator.dense_results()
    n = len(evaluator.split)
    margin = dense.margin if dense.margin is not None else torch.zeros(n)
    strata = margin_strata(margin.nan_to_num(0.0), dense.right)
    step = _step(evaluator)
    looks = looks_at(n, first=max(2 * step, int(_SOONEST * n)), step=step)
    return _Sampling(strata.order(seed), strata, looks, boundary(looks), dense)


def _step(evaluator: Evaluator) -> int:
    return min(_DRAWN, evaluator.batch_size)


def _looked(
    evaluator: Evaluator, walk: Walk, sampling: _Sampling, group: list[int], edits: Sequence[Edit], half_width: float
) -> Generator[tuple[int, Estimate], None, None]:
    found: dict[int, list[BatchResult]] = {index: [] for index in group}
    known: dict[int, Estimate] = {}
    told = time.perf_counter()
    for before, look in pairwise((0, *sampling.looks)):
        size = _step(evaluator)
        parts = [slice(at, min(at + size, look)) for at in range(before, look, size)]
        chosen = [edits[i] for i in found]
        if walk.learns and not before:
            _add(found, evaluator.submit(sampling.results, evaluator, walk, chosen, parts[:1]).result())
            parts = parts[1:]
        n_together = max(1, min(TOGETHER, -(-len(parts) // evaluator.threads)))
        tasks = [parts[at : at + n_together] for at in range(0, len(parts), n_together)]
        futures = [evaluator.submit(sampling.results, evaluator, walk, chosen, task) for task in tasks]
        try:
            for future in futures:
                _add(found, future.result())
                if known and time.perf_counter() - told > PATIENCE:
                    yield from list(known.items())  # nothing new, but the reader may want to stop
                    told = time.perf_counter()
        finally:
            for future in futures:
                future.cancel()
        for index in list(found):
            known[index] = _estimate(sampling, found[index], look, half_width)
        for index, estimate in list(known.items()):
            if estimate.complete:
                del found[index], known[index]
            yield index, estimate
        told = time.perf_counter()
        if not found:
            return


def _add(found: dict[int, list[BatchResult]], results: Sequence[Sequence[BatchResult]]) -> None:
    for of_batch in results:
        for batches, result in zip(found.values(), of_batch, strict=True):
            batches.append(result)


def _estimate(sampling: _Sampling, results: Sequence[BatchResult], n: int, half_width: float) -> Estimate:
    sampled, total = sampling.order[:n], len(sampling.order)
    if sampling.dense.right is None:
        differences = 1 - torch.cat([r.agrees for r in results])
        dense, loss = 1.0, None
    else:
        right = torch.cat([r.right for r in results if r.right is not None])
        differences = sampling.dense.right[sampled] - right
        dense = float(sampling.dense.right.mean())
        losses = torch.cat([r.loss for r in results if r.loss is not None])
        value, error = mean_of(losses, sampling.strata, sampled)
        loss = (value, sampling.z * error)
    drop, error = paired_mean(differences, sampling.strata, sampled)
    half = 0.0 if n == total else sampling.z * error
    return Estimate(n, total, dense, drop, half, loss, half <= half_width)
