"""What a request works with: the model, the data, what is known of both, and where results are recorded."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from explorer.analysis.arguments import asked_for, split_of
from explorer.analysis.parent import count_look_at_test
from explorer.analysis.sensitivity.cell import ForgivingStore, Keep
from explorer.engine.asked import Asked
from explorer.engine.backends.base import Backend
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError
from explorer.metrics import METRICS
from explorer.metrics.base import FIRST_NAMES
from explorer.metrics.macs import MacTable, mac_table, why_no_macs
from explorer.metrics.origin import machine
from explorer.metrics.own import Given
from explorer.pruning.scoring import score
from explorer.pruning.spec import PruneSpec
from explorer.store.database import Store
from explorer.store.records import PointRecord, explorer_version, record_of, versions
from explorer.types import Dataset, LoadedModel, Plan, Scores, Split, SplitName, TradeOffPoint

_MOST_RECORDS = 20


@dataclass(eq=False)
class Context:
    """One model and one data set, for one request or for several of them one after another.

    Measured points and finished cells of scans go to ``store``; None records nothing. A store that fails is given up,
    and ``report`` hears why: what was measured must not get lost for that. Looks at the locked test split are counted
    in ``folder`` (default: the user's data folder), ``n_looks`` is the number of the last one. Recoveries keep their
    epochs in ``checkpoints``; where that is a cache (``is_cache``) they also run without it, and its oldest go.
    ``opened`` are further models that a request may name, by their addresses, where they are open already.
    ``metric``, as for :func:`explorer.evaluate`, takes the place of accuracy in all of it; what one's own code measures
    is not recorded. ``backend`` is where cells of scans and points of curves are measured; None: here.
    """

    model: LoadedModel
    dataset: Dataset
    device: str = "cpu"
    store: Store | None = None
    report: Callable[[ExplorerError], object] = lambda error: None
    folder: Path | str | None = None
    checkpoints: Path | str | None = None
    is_cache: bool = False
    n_looks: int | None = None
    opened: Mapping[str, LoadedModel] = field(default_factory=dict)
    metric: Given | None = None
    backend: Backend | None = None

    @cached_property
    def asked(self) -> Asked:
        """The metric that was chosen as the headline. Raises ExplorerError for what is none."""
        return asked_for(metric=self.metric)

    @property
    def metric_key(self) -> str | None:
        """The key of the metric that was chosen; None where it is the task's own first one."""
        return None if self.asked.headline is None else self.asked.headline.key

    @property
    def _is_recorded(self) -> bool:
        return self.metric_key is None or self.metric_key in METRICS.members

    @cached_property
    def evaluator(self) -> Evaluator:
        """What measures on the tune split; it knows the dense model's answers for all requests."""
        return self.evaluator_of(split_of(self.dataset, "tune"))

    @cached_property
    def plain_evaluator(self) -> Evaluator:
        """The same by the task's own first metric: for work that weighs accuracies as such."""
        return self.evaluator if self.metric_key is None else self.evaluator_of(self.evaluator.split, Asked())

    def evaluator_of(self, split: Split, asked: Asked | None = None) -> Evaluator:
        """One that measures on another split, by the same metric unless others are asked for."""
        return Evaluator(self.model, split, device=self.device, asked=asked or self.asked)

    @cached_property
    def macs(self) -> MacTable | None:
        """How often each weight is multiplied; None where that cannot be counted."""
        return None if why_no_macs(self.model) else mac_table(self.model)

    @cached_property
    def cells(self) -> Keep | None:
        """Where finished cells of scans are found and recorded."""
        return None if self.store is None or not self._is_recorded else ForgivingStore(self.store, self.report)

    def __post_init__(self) -> None:
        self._last_scores: tuple[object, Scores] | None = None
        self._reused: set[str] = set()  # plans whose points are recorded already, with the date of their measurement

    def scores(self, spec: PruneSpec) -> Scores:
        """The scores of this unit and criterion; those of the last one are remembered."""
        key = (spec.granularity, spec.criterion)
        if self._last_scores is None or self._last_scores[0] != key:
            self._last_scores = (key, score(self.model, spec, self.dataset))
        return self._last_scores[1]

    def look(self, name: SplitName) -> Split:
        """The split of that name; a look at the test split is counted for good."""
        split = split_of(self.dataset, name)
        if name == "test":
            self.n_looks = count_look_at_test(self.model, self.dataset, self.folder)
        return split

    def recorded(self, plan: Plan, split: SplitName) -> TradeOffPoint | None:
        """The same measurement as it was recorded before: of these masks, by this model run in this way, on all of
        this split, on this machine and with these versions; None where there is none."""
        if self.store is None or not plan.digest or not self._is_recorded:
            return None
        try:
            records = self.store.points(
                model_digest=self.model.digest,
                data_digest=self.dataset.digest,
                split=split,
                plan_digest=plan.digest,
                limit=_MOST_RECORDS,
            )
        except ExplorerError:
            logging.getLogger(__name__).exception("recorded points could not be read")
            return None
        n = len(split_of(self.dataset, split))
        before = next((record.point for record in records if self._is_the_same(record, n)), None)
        if before is not None:
            self._reused.add(plan.digest)
        return before

    def _is_the_same(self, record: PointRecord, n: int) -> bool:
        here = (
            self.model.identity,
            n,
            self.device,
            machine(self.device),
            versions()["torch_version"],
            explorer_version(),
        )
        there = (record.model_identity, record.n, record.device, record.machine)
        name = record.point.accuracy.name
        by_the_same = name in FIRST_NAMES if self.metric_key is None else name == self.metric_key
        is_here = here == (*there, record.torch_version, record.explorer_version)
        return is_here and by_the_same and not record.point.protocol

    def record(self, point: TradeOffPoint, *, kind: str, split: SplitName = "tune") -> None:
        """Record a measured point; the one place where a result of requested work goes to the store."""
        if self.store is None or point.plan_digest in self._reused or not self._is_recorded:
            return
        try:
            self.store.record_point(
                record_of(point, self.model, self.dataset, split=split, kind=kind, device=self.device)
            )
        except ExplorerError as error:
            logging.getLogger(__name__).exception("a measured point could not be recorded")
            self.store = None
            self.report(error)
