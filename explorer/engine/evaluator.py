"""A pruned model against the dense one on the same samples, progressively."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, fx, nn

from explorer.engine.asked import Asked
from explorer.engine.layout import batches
from explorer.engine.prefix import PrefixCache
from explorer.engine.prepared import PreparedModel, Values, prepare
from explorer.engine.program import Program
from explorer.engine.tally import BatchResult, Tally, joined, per_sample
from explorer.engine.workers import n_cores, worker_pool
from explorer.errors import ExplorerError
from explorer.pruning.apply import masked_weights, private_shell
from explorer.text.delta import NOTHING_REMOVED
from explorer.types import Evaluation, LoadedModel, Plan, Split
from explorer.types.aliases import GraphValue
from explorer.types.inputs import Inputs
from explorer.types.stopping import carried, holding, result

T = TypeVar("T")

_RECENT_PLANS = 4


@dataclass(eq=False)
class _Job:
    """One plan's masked tensors, signatures and, for each thread, the steps that hold those tensors."""

    names: frozenset[str]  # of the parameters that the plan changes
    replaced: Mapping[int, Tensor]
    signatures: dict[Program, dict[fx.Node, int]]
    keep: frozenset[int]  # signatures to keep for later plans
    shared: frozenset[int]  # signatures of values that the dense pass makes as well
    is_dense: bool
    own: dict[tuple[int, Program], Values] = field(default_factory=dict)


class Evaluator:
    """Measures plans for one model on one split, in the split's own order.

    It may be shared by threads; each evaluation computes in shells of its own and the dense
    model is never written to. What a plan has in common with the dense model or with a recent
    plan is not computed again, as far as ``memory_limit`` bytes of kept values allow. The same
    plan gives the same bits, whatever ran before or runs beside it.

    ``batch_size`` is chosen by counting the model's work unless given; ``threads`` (the
    number of cores unless given) split the batches, each with one torch thread. ``fast``
    allows convolution and batch norm to be folded, where a check against the plain model
    passes; close calls are decided by the plain model, so predictions are the plain ones.
    ``asked`` are metrics beside the registered ones, and the one that is the headline.
    """

    def __init__(
        self,
        model: LoadedModel,
        split: Split,
        *,
        device: str = "cpu",
        batch_size: int | None = None,
        memory_limit: int = 512 << 20,
        threads: int | None = None,
        fast: bool = True,
        asked: Asked | None = None,
    ) -> None:
        if model.module is None:
            raise ExplorerError(
                "This model cannot be evaluated.", why=model.why_not_runnable or "", fix="Choose its architecture."
            )
        if not len(split):
            raise ExplorerError(f"The {split.name} split has no samples.", fix="Choose another split or other data.")
        self.model = model
        self.split = split
        self.device = device
        self.asked = replace(asked or Asked(), task=split.task)
        self.threads = 1 if device != "cpu" else threads or n_cores()
        self.cache = PrefixCache(memory_limit)
        self._batch_size = batch_size
        self._fast = fast
        self._pool = worker_pool(self.threads, model.code_seconds)
        self._ready: PreparedModel | None = None
        self._slices: list[slice] = []
        self._lock = threading.Lock()
        self._shells: dict[int, nn.Module] = {}
        self._dense_results: dict[int, BatchResult] = {}
        self._dense_whole: BatchResult | None = None
        self._dense_job: _Job | None = None
        self._recent: deque[dict[str, bytes]] = deque([{}], maxlen=_RECENT_PLANS)

    @property
    def path(self) -> str:
        """How the model runs: "prefix cache ...", "block chain ..." or "whole: the reason"; see ``engine.tracers``."""
        return self.ready.path

    @property
    def path_so_far(self) -> str | None:
        """The same, without any work; None before the first result."""
        return None if self._ready is None else self._ready.path

    @property
    def batch_size(self) -> int:
        """Samples in a batch (the first batch may be smaller)."""
        return self.ready.batch_size

    @property
    def batches(self) -> list[slice]:
        """How the samples are cut into batches."""
        _ = self.ready
        return list(self._slices)

    def dense_result(self, batch: int) -> BatchResult:
        """The dense model's result on one of :attr:`batches`, computed once."""
        if batch not in self._dense_results:
            self.dense()
        return self._dense_results[batch]

    def dense_results(self) -> BatchResult:
        """The dense model's results on all samples, in the split's order."""
        if self._dense_whole is None:
            self._dense_whole = joined([self.dense_result(batch) for batch in range(len(self.batches))])
        return self._dense_whole

    def submit(self, job: Callable[..., T], *args: object) -> Future[T]:
        """Run a function in the evaluator's threads, which compute on one core each; it stops with the caller."""
        return self._pool.submit(carried(job), *args)

    def run(
        self, plan: Plan | None = None, *, threads: Callable[[], int] | None = None
    ) -> Generator[Evaluation, None, None]:
        """What is known after each batch; the last one is complete. None evaluates the dense model.

        The first estimate comes after at most 64 samples. Stop iterating at any time. ``threads`` is asked
        before each batch how many may run at once; by default all may.
        Raises ExplorerError when the model does not take the data, or its outputs do not fit the labels.
        """
        start = time.perf_counter()
        ready = self.ready
        job = self._job(ready, plan)
        tally = Tally(len(self.split), ready.batch_size, self.device, self.asked)
        queue: deque[Future[BatchResult]] = deque()
        upcoming = iter(range(len(self._slices)))
        try:
            for index in upcoming:
                queue.append(self.submit(self._evaluate, ready, job, index))
                if len(queue) >= (self.threads if threads is None else min(threads(), self.threads)):
                    tally.add(result(queue.popleft()))
                    yield _of_nothing(tally.evaluation(time.perf_counter() - start), job)
            while queue:
                tally.add(result(queue.popleft()))
                yield _of_nothing(tally.evaluation(time.perf_counter() - start), job)
        finally:
            for future in queue:
                future.cancel()

    def final(self, plan: Plan | None = None) -> Evaluation:
        """The complete evaluation of a plan, or of the dense model."""
        *_, last = self.run(plan)
        return last

    def dense(self) -> Evaluation:
        """The complete evaluation of the dense model; computed once."""
        return self.final(None)

    @property
    def ready(self) -> PreparedModel:
        """The model traced and checked; the first call does the work."""
        with holding(self._lock):
            if self._ready is None:
                work = partial(prepare, batch_size=self._batch_size, fast=self._fast)
                ready = result(self.submit(work, self.model, self.split, self.device))
                self._slices = batches(len(self.split), ready.batch_size)
                self._dense_job = self._job(ready, None)
                self._ready = ready
            return self._ready

    # -- one plan --------------------------------------------------------------------------

    def _job(self, ready: PreparedModel, plan: Plan | None) -> _Job:
        if plan is None and self._dense_job is not None:
            return self._dense_job
        digests = {} if plan is None else _digests(plan)
        unknown = [name for name in digests if name not in ready.parameters]
        if unknown:
            raise ExplorerError(
                f"The plan has a mask for {unknown[0]!r}, which this model does not have.",
                fix="Make the plan for this model.",
            )
        tensors = masked_weights(self.model, plan) if plan is not None and digests else {}
        replaced = {id(ready.parameters[name]): tensors[name].to(self.device) for name in digests}
        signatures = {program: program.signatures(digests) for program in ready.programs}
        program = ready.programs[0]
        keep = frozenset(self._worth_keeping(program, signatures[program]))
        shared = _frontier_against(program, signatures[program], {})
        self._recent.append(digests)
        self.cache.want(keep)
        return _Job(
            frozenset(digests),
            replaced,
            signatures,
            keep,
            frozenset(signatures[program][n] for n in shared),
            not digests,
        )

    def _worth_keeping(self, program: Program, signatures: Mapping[fx.Node, int]) -> Iterator[int]:
        """Signatures worth their memory: the inputs of what changed last, then of late layers.

        Whoever moves one threshold moves it again: the inputs of the layers that differ from
        the nearest recent plan come first. The inputs of other layers follow from the end of
        the model, where values are small and much of the work lies before them.
        """
        frontiers = [_frontier_against(program, signatures, digests) for digests in list(self._recent)]
        nearest = max(frontiers, key=program.depth)
        budget = self.cache.limit - len(self.split) * sum(program.n_bytes.get(n, 0) for n in nearest)
        yield from (signatures[node] for node in nearest)
        chosen = set(nearest)
        for frontier in program.frontiers_backwards():
            new = [node for node in frontier if node not in chosen]
            budget -= len(self.split) * sum(program.n_bytes.get(n, 0) for n in new)
            if budget < 0:
                return
            chosen.update(new)
            yield from (signatures[node] for node in new)

    # -- one batch, in a thread of the pool ------------------------------------------------

    def _evaluate(self, ready: PreparedModel, job: _Job, index: int) -> BatchResult:
        with torch.inference_mode():
            part = self._slices[index]
            x = self.split.x[part]
            at_hand: dict[int, GraphValue] = {}  # what the dense pass made serves the pruned one
            if (dense := self._dense_results.get(index)) is None:
                logits = self._logits(ready, self._dense_job or job, index, x, job, at_hand)
                dense = self._dense_results[index] = self._judged(logits, part, None)
            if job.is_dense:
                return dense
            return self._judged(self._logits(ready, job, index, x, job, at_hand), part, dense)

    def _judged(self, outputs: Tensor, part: slice, dense: BatchResult | None) -> BatchResult:
        labels, targets = (None if of is None else of[part] for of in (self.split.y, self.split.targets))
        return per_sample(outputs, labels, dense, self.asked, targets)

    def _logits(
        self, ready: PreparedModel, job: _Job, index: int, x: Inputs, keeper: _Job, at_hand: dict[int, GraphValue]
    ) -> Tensor:
        """The outputs (n, ...) of one job; ``keeper`` is the job whose wishes to keep values count."""

        def look(signature: int) -> GraphValue:
            value = at_hand.get(signature)
            return self.cache.get(signature, index) if value is None else value

        def put(signature: int, value: object) -> None:
            if signature in keeper.shared:
                at_hand[signature] = value
            if signature in keeper.keep:
                self.cache.put(signature, index, value, keeper.keep)

        def own(program: Program) -> Values:
            key = (threading.get_ident(), program)
            if key not in job.own:
                changed = program.using(job.names)
                job.own[key] = {node: ready.masked(program, node, job.replaced) for node in changed}
            return job.own[key]

        return ready.logits(self._shell(ready), x, job.signatures, look, put, own)

    def _shell(self, ready: PreparedModel) -> nn.Module:
        """This thread's own shell of the dense model."""
        thread = threading.get_ident()
        if thread not in self._shells:
            self._shells[thread] = private_shell(ready.steps)
        return self._shells[thread]


def _of_nothing(evaluation: Evaluation, job: _Job) -> Evaluation:
    """The dense model is not compared with itself: its drop is zero, without an interval."""
    if not job.is_dense:
        return evaluation
    return replace(evaluation, drop=replace(evaluation.drop, value=0.0, low=None, high=None, note=NOTHING_REMOVED))


def _digests(plan: Plan) -> dict[str, bytes]:
    """For each parameter that the plan changes: equal digest = equal pruned tensor."""
    masks, updates = plan.masks, plan.updates
    changed = [name for name, mask in masks.items() if name in updates or not bool(mask.all())]
    return {name: _digest(masks[name], updates.get(name)) for name in changed}


def _digest(mask: Tensor, update: Tensor | None) -> bytes:
    packed = np.packbits(mask.detach().cpu().contiguous().numpy())
    digest = hashlib.blake2b(packed.data, digest_size=16)
    if update is not None:
        digest.update(update.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.digest()


def _frontier_against(
    program: Program, signatures: Mapping[fx.Node, int], digests: Mapping[str, bytes]
) -> list[fx.Node]:
    """What a plan has in common with another one, just before they part; empty if they never do."""
    other = program.signatures(digests)
    return program.frontier({node for node in program.nodes if other[node] != signatures[node]})
