"""One model under the hand in a notebook: the request, its plan, what is measured of it and may be said of that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from threading import RLock

from explorer import component
from explorer.analysis import collapse, tradeoff
from explorer.analysis.facts import Fact, facts, why_not
from explorer.analysis.report import Report, report
from explorer.data.given import split_of
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError
from explorer.metrics.macs import MacTable, mac_table, why_no_macs
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.scoring import score
from explorer.pruning.spec import PruneSpec
from explorer.types import Dataset, Evaluation, Finding, LoadedModel, Plan, Scores, TradeOffPoint
from explorer.types.aliases import JsonDict
from explorer.workbench.apply import apply
from explorer.workbench.choices import with_criterion, with_preset, with_unit
from explorer.workbench.events import DragEvent
from explorer.workbench.lines import common_lines
from explorer.workbench.workspace import Workspace


class Work:
    """What the widget shows, without any front end; it may be asked from several threads.

    ``dataset`` is None where there is nothing to measure on; ``why_not`` then says so in a sentence.
    """

    def __init__(self, model: LoadedModel, dataset: Dataset | None, spec: PruneSpec) -> None:
        self.model, self.dataset = model, dataset
        refusal = why_not(model, dataset)
        self.why_not = None if refusal is None else str(refusal)
        self.refusals: tuple[ExplorerError, ...] = ()
        self._lock = RLock()
        self._scores: tuple[tuple[object, object], Scores] | None = None
        self._space = Workspace(spec=spec)
        self._plan = self.plan_of(spec)

    @property
    def spec(self) -> PruneSpec:
        """The request as it is now."""
        return self._space.spec

    @property
    def plan(self) -> Plan:
        """What goes and what stays now."""
        return self._plan

    @property
    def tried(self) -> Sequence[TradeOffPoint]:
        """The settings that were measured to the end."""
        return tuple(self._space.tried)

    @property
    def settled(self) -> bool:
        """Whether no line is being dragged."""
        return self._space.settled

    @cached_property
    def evaluator(self) -> Evaluator:
        """The one that all measurements here share. Raises ExplorerError where nothing can be measured."""
        if self.dataset is None:
            raise ExplorerError("Nothing can be measured here.", why=self.why_not or "", fix="Give data.")
        return Evaluator(self.model, split_of(self.dataset, "tune"))

    @cached_property
    def mac_table(self) -> MacTable | None:
        """The counted multiplications; None where the model does not run."""
        return None if why_no_macs(self.model) else mac_table(self.model)

    def scores_of(self, spec: PruneSpec) -> Scores:
        """The scores of a request; those of the last unit and criterion are held."""
        key = (spec.granularity, spec.criterion)
        with self._lock:
            if self._scores is None or self._scores[0] != key:
                self._scores = key, score(self.model, spec, self.dataset)
            return self._scores[1]

    def plan_of(self, spec: PruneSpec) -> Plan:
        """The plan of any request. Raises ExplorerError where it does not fit this model."""
        with self._lock:
            return make_plan(self.model, spec, self.scores_of(spec), self.dataset)

    def set(self, spec: PruneSpec) -> None:
        """Take another request; one that does not fit is refused and nothing changes."""
        with self._lock:
            self._plan = self.plan_of(spec)
            self._space.set(spec)
            self.refusals = ()

    def apply(self, events: Sequence[DragEvent], refusals: Sequence[ExplorerError] = ()) -> None:
        """Do what a hand did, in order; what is refused is said, and the rest is done."""
        with self._lock:
            before = self.spec
            refused = [*refusals, *apply(self._space, events, self.model, self.scores_of)]
            try:
                self._plan = self.plan_of(self.spec)
            except ExplorerError as refusal:
                refused.append(refusal)
                self._space.set(before)
            self._space.touch()
            self.refusals = tuple(refused)

    def choose(self, kind: str, value: str) -> None:
        """Another unit or criterion, or a preset. Raises ExplorerError for one that does not fit."""
        with self._lock:
            if kind == "unit":
                self.set(with_unit(self.spec, value))
            elif kind == "criterion":
                spec = with_criterion(self.spec, value, self.scores_of)
                self._space.scale = "log" if spec.criterion.needs else "linear"
                self.set(spec)
            elif kind == "preset":
                self.set(with_preset(self.spec, float(value), self._space.mode))

    def static(self) -> JsonDict:
        """The histograms: large, and another one only with another unit or criterion."""
        scores = self.scores_of(self.spec)
        if self._histograms is None or self._histograms[0] is not scores:
            self._histograms = scores, component.static_part(scores.groups, scores.values)
        return self._histograms[1]

    _histograms: tuple[Scores, JsonDict] | None = None

    def dynamic(self, ack: int) -> JsonDict:
        """Where the lines stand and how many units go; small."""
        with self._lock:
            space, scores = self._space, self.scores_of(self.spec)
            state = component.ListState(
                revision=space.revision,
                scale=space.scale,
                mode=space.mode,
                lines=common_lines(space.spec, scores, self._plan),
                limits={name: (limit.floor, limit.cap) for name, limit in space.spec.limits},
                can_undo=space.can_undo,
                can_redo=space.can_redo,
                ack=ack,
            )
            return component.dynamic_part(self.static(), self._plan, state)

    def facts(self, evaluation: Evaluation | None, *, stale: bool) -> list[Fact]:
        """The four facts, as the app says them."""
        return facts(self.model, self._plan, evaluation, self.why_not, self.dataset, stale=stale)

    def warnings(self, evaluation: Evaluation | None) -> list[Finding]:
        """What to know about this setting, the worst first."""
        after = () if evaluation is None else self.finished(evaluation).findings
        of_data = () if self.dataset is None else self.dataset.findings
        before = (*self.model.findings, *of_data, *collapse.before(self.model, self._plan))
        return [f for f in collapse.worst_first([*after, *before]) if f.level != "ok"]

    def finished(self, evaluation: Evaluation) -> Evaluation:
        """The evaluation of the present plan with what its answers show."""
        if not evaluation.complete or self.dataset is None:
            return evaluation
        y = self.dataset.splits["tune"].y
        after = collapse.after(evaluation, self.model.n_classes, self._plan, y)
        return replace(evaluation, findings=tuple(after))

    def point(self, evaluation: Evaluation) -> TradeOffPoint:
        """The present setting as a point of the chart; a complete one is remembered."""
        point = tradeoff.point(self.model, self.spec, self._plan, evaluation, self.mac_table)
        if evaluation.complete and self.settled:
            self._space.remember(point)
        return point

    def report(self, evaluation: Evaluation | None) -> Report:
        """Everything about the present setting."""
        return report(
            self.model,
            self._plan,
            evaluation,
            table=self.mac_table,
            data=self.dataset,
            split=None if evaluation is None else "tune",
            runs_as=None if evaluation is None else self.evaluator.path,
        )
