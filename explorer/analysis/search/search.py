"""The best plan under a budget: predicted from a scan's curves, measured, and corrected by what was measured.

The plans: global (also of magnitudes, where the criterion is another one), the same share, ERK, equal single
drops, and the best combinations of the curves; then mixes of the best, and moves from the best. Where there are few
combinations of the scan's levels, all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import product
from math import prod
from typing import Unpack

from explorer.analysis.arguments import given_data, given_model, given_spec, headline_of, split_of
from explorer.analysis.search.costs import SearchCost, why_not
from explorer.analysis.search.curves import Curves
from explorer.analysis.search.families import Family, OfAllocation, OfFront, Planner, between
from explorer.analysis.search.moves import Mover
from explorer.analysis.search.options import EVALUATIONS, SearchKeywords, SearchOptions
from explorer.analysis.search.question import Question
from explorer.analysis.search.result import DENSE, SearchResult, Tried
from explorer.analysis.search.trials import Trials
from explorer.analysis.sensitivity.allocation import from_scan
from explorer.analysis.sensitivity.cell import Cell
from explorer.analysis.sensitivity.options import ScanKeywords
from explorer.analysis.sensitivity.scan import Sensitivity, scan
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError, Refusal
from explorer.params.options import options_from
from explorer.pruning.allocation import Erk, Global, Uniform
from explorer.pruning.bounds import is_locked
from explorer.pruning.criteria.lp_norm import LpNorm
from explorer.pruning.scoring import score, why_no_units
from explorer.pruning.spec import PruneSpec
from explorer.text.bar import BarSteps, tracked
from explorer.types import Dataset, LoadedModel
from explorer.types.aliases import JsonObject

__all__ = ["EVALUATIONS", "Question", "SearchResult", "Tried", "check_evaluations", "refusal", "search"]

_POWERS = (1.0, 2.0, 0.5)
_CLOSE = 1 / 128  # of the dense cost: how near to the least cost a search within a drop goes
_TIMES = 6  # halvings that find the multiplications for a time
_LESS_TIME = 0.94  # and how many fewer where the time was over it all the same


@options_from(SearchOptions)
def search(
    model: LoadedModel | str,
    data: Dataset | str | None = None,
    spec: PruneSpec | JsonObject | str | None = None,
    **keywords: Unpack[SearchKeywords],
) -> Iterator[Tried]:
    """Try plans under a budget, each measured on the tune split; each comes as it is measured.

    Ask one of two questions: the smallest model within ``max_drop``, or the most accurate one within ``budget``.

    Args:
        model: A model or its address.
        data: None: what the model was made for.
        spec: Of it the units, the criterion and the limits count.
        max_drop: A fraction (in the unit of ``metric``, if there is one): how much worse it may become.
        budget: ``"macs=0.5"``, ``"params=0.2"``, ``"size=100kB"`` or ``"latency=0.7"`` (up to 1 a share of the dense
            model).
        cost: What is made small under ``max_drop``: "params", "macs" or "size".
        evaluations: How many plans are tried.
        cells: Those of a scan that is there already; else the model is scanned first.
        levels: At these shares.
        keep: As in :func:`scan`.
        evaluator: As in :func:`scan`.
        metric: As for :func:`evaluate`, in the place of accuracy.
        device: Where the passes run.
        progress: A bar; None: where somebody types.

    Returns:
        An iterator of plans that were tried; ``SearchResult.of(...)`` gives the answer.

    Raises:
        ExplorerError: The question is none, the model cannot run, or a time is asked for where zeros stay.

    Examples:
        >>> import explorer as ex
        >>> tried = ex.search("digits-mlp", budget="params=0.5", evaluations=4, levels=(0.5, 0.9))
        >>> ex.SearchResult.of(tried).best.meets
        True
    """
    asked = SearchOptions(**keywords)
    headline = headline_of(asked.metric, asked.evaluator)
    metric = asked.evaluator.asked.headline if asked.evaluator is not None else headline.headline
    question = Question.of(asked.max_drop, asked.budget, asked.cost, metric)
    loaded, request = given_model(model), given_spec(spec)
    if (why := refusal(loaded, request, question)) is not None:
        raise ExplorerError(f"One cannot ask for {question} here.", why=why, fix="Ask for another cost.")
    check_evaluations(asked.evaluations)
    dataset = given_data(data, loaded)
    judge = asked.evaluator or Evaluator(loaded, split_of(dataset, "tune"), device=asked.device, asked=headline)
    cells = asked.cells
    if cells is None:
        scanned = ScanKeywords(levels=asked.levels, keep=asked.keep, evaluator=judge, device=asked.device)
        cells = scan(loaded, dataset, request, **scanned)
    plans = _searched(loaded, dataset, request, question, judge, asked.evaluations, cells)
    return tracked(plans, BarSteps("search", asked.evaluations), asked.progress)


def check_evaluations(n: int) -> None:
    """ExplorerError unless at least one plan may be tried."""
    if n < 1:
        raise ExplorerError(f"{n} plans are too few.", fix="Try at least one.")


def refusal(model: LoadedModel, spec: PruneSpec, question: Question) -> Refusal | None:
    """Why this question cannot be asked of this model in these units, in a sentence; None when it can."""
    if model.module is None:
        return Refusal(model.why_not_runnable or "The model cannot be run.")
    return why_not(model, spec, question.cost)


def _searched(
    model: LoadedModel,
    data: Dataset,
    spec: PruneSpec,
    question: Question,
    judge: Evaluator,
    n: int,
    cells: Iterable[Cell],
) -> Iterator[Tried]:
    costs = SearchCost(model, question.cost)

    def ranked_by(request: PruneSpec) -> Planner:
        return Planner(model, data, request, score(model, request, data), costs.counted)

    own = ranked_by(spec)
    if (why := why_no_units(own.scores)) is not None:
        raise ExplorerError(
            f"Not one {spec.granularity.unit} of this model can go.", why=why, fix="Choose other units."
        )
    magnitudes = own if spec.criterion == LpNorm() else ranked_by(replace(spec, criterion=LpNorm()))
    sensitivity = Sensitivity.of(cells)
    curves = Curves.of(sensitivity, own, judge.dense().loss)
    trials = Trials(question, costs, judge, own, curves.drops, n)
    yield from _Search(question, costs, own, trials, curves, _families(own, magnitudes, sensitivity, curves)).run()


def _families(own: Planner, magnitudes: Planner, sensitivity: Sensitivity, curves: Curves) -> list[Family]:
    spec = own.spec
    families: list[Family] = [OfAllocation("global", own, replace(spec, allocation=Global()))]
    if magnitudes is not own:
        families.append(OfAllocation("magnitude", magnitudes, replace(magnitudes.spec, allocation=Global())))
    families.append(OfAllocation("uniform", own, replace(spec, allocation=Uniform())))
    families.append(OfAllocation("erk", own, replace(spec, allocation=Erk())))
    moving = {k.name for k in own.scores.groups if k.why_not is None and not is_locked(k, spec)}
    if curves.drops and moving <= set(curves.drops):
        families.append(OfAllocation("sensitivity", own, replace(spec, allocation=from_scan(sensitivity))))
    return [*families, *(OfFront("curves", own, best) for power in _POWERS for best in curves.fronts(power))]


class _Search:
    """The course of one search: which plan is tried after which."""

    def __init__(
        self,
        question: Question,
        costs: SearchCost,
        own: Planner,
        trials: Trials,
        curves: Curves,
        families: Sequence[Family],
    ) -> None:
        self._question, self._costs, self._own = question, costs, own
        self._trials, self._curves, self._families = trials, curves, families

    @property
    def _first_of_curves(self) -> Family | None:
        return next((family for family in self._families if isinstance(family, OfFront)), None)

    def run(self) -> Iterator[Tried]:
        """Every plan that is tried, in order."""
        if self._question.max_drop is not None:
            yield from self._trials.measure(DENSE, self._own, self._own.of_shares({}))
            yield from self._all_levels(self._costs.counted_dense, len(self._families))
            yield from self._smallest()
            return
        ceiling = self._counted_ceiling()
        if ceiling is None:
            yield from self._trials.measure("least", self._own, self._own.most)
            return
        for family in self._families:
            yield from self._at(family, ceiling)
        yield from self._all_levels(ceiling, 0)
        yield from self._mixes(ceiling)
        yield from self._moves(lambda best: ceiling)

    # -- the best accuracy within a budget -------------------------------------------------

    def _counted_ceiling(self) -> float | None:
        """The ceiling of the counted cost; for a time, the multiplications that keep to it. None: out of reach."""
        ceiling = self._question.ceiling(self._costs.dense) or 0.0
        least = self._own.cost(self._own.most)
        if self._question.cost != "latency":
            return ceiling if least <= ceiling else None
        if self._costs.of(self._own.plan(self._own.most)).value > ceiling:
            return None
        family = OfAllocation("uniform", self._own, replace(self._own.spec, allocation=Uniform()))
        low, high = least, self._costs.counted_dense
        for _ in range(_TIMES):
            middle = (low + high) / 2
            spec = family.at(middle)
            fits = spec is None or self._costs.of(self._own.plan(spec)).value <= ceiling
            low, high = (middle, high) if fits else (low, middle)
        return low

    def _at(self, family: Family, ceiling: float) -> Iterator[Tried]:
        """The family's plan at a counted cost; where a measured time is over the limit, a smaller one."""
        for _ in range(_TIMES if self._question.cost == "latency" else 1):
            spec = family.at(ceiling)
            if spec is None:
                return
            tried = yield from self._trials.measure(family.name, family.planner, spec)
            if tried is None or tried.meets:
                return
            ceiling *= _LESS_TIME

    def _mixes(self, ceiling: float) -> Iterator[Tried]:
        """Half of the way between the best plan and each of the next two: it often beats both."""
        ranked = self._trials.best_own(3)
        for other in ranked[1:]:
            half = {name: (share + dict(other.shares)[name]) / 2 for name, share in ranked[0].shares}
            less, more = ({name: min(1.0, part * share) for name, share in half.items()} for part in (0.5, 1.5))
            spec = between(self._own, less, more, ceiling)
            if spec is not None:
                yield from self._trials.measure("mix", self._own, spec)

    # -- the least cost within a drop ------------------------------------------------------

    def _smallest(self) -> Iterator[Tried]:
        """Each family as far as it goes; those that follow begin where the best one ended."""
        close = _CLOSE * self._costs.counted_dense
        step = 8 * close
        # The first of the curves is the most likely to go far; the others begin where it ended.
        for family in sorted(self._families, key=lambda family: family is not self._first_of_curves):
            yield from self._as_far_as(family, step, close)
            step = close if self._trials.best.by != DENSE else step
        yield from self._moves(lambda best: best.cost.value - close)

    def _as_far_as(self, family: Family, step: float, close: float) -> Iterator[Tried]:
        """Longer and longer steps until one is too far; then halves between, down to ``close``."""
        high, low = self._trials.best.cost.value, None
        while self._trials.left:
            cost = high - step if low is None else (low + high) / 2
            spec = family.at(cost)
            tried = None if spec is None else (yield from self._trials.measure(family.name, family.planner, spec))
            if tried is not None and tried.meets:
                high, step = min(high, tried.cost.value), 2 * step
            else:
                low = cost
            if low is not None and (high - low <= close or high >= self._trials.best.cost.value + close):
                return

    # -- both --------------------------------------------------------------------------------

    def _all_levels(self, ceiling: float, n_reserved: int) -> Iterator[Tried]:
        """Every combination of the scan's levels, where there are few; the smallest first, until one is an answer."""
        n = prod(len(levels) + 1 for levels in self._curves.levels.values())
        if not self._curves.levels or n > self._trials.left - n_reserved:
            return
        choices = product(*([0.0, *levels] for levels in self._curves.levels.values()))
        specs = [self._own.of_shares(dict(zip(self._curves.levels, shares, strict=True))) for shares in choices]
        placed = sorted(((self._own.cost(spec), i) for i, spec in enumerate(specs)))
        for cost, i in placed:
            if cost > ceiling:
                return
            tried = yield from self._trials.measure("levels", self._own, specs[i])
            if self._question.max_drop is not None and tried is not None and tried.meets:
                return

    def _moves(self, ceiling: Callable[[Tried], float]) -> Iterator[Tried]:
        """From the best plan to its neighbours, until the plans are used up or the steps are too small."""
        mover = Mover(self._own, self._curves.drops, self._curves.savings)
        while self._trials.left and self._curves.savings:
            best = self._trials.best
            spec = next(mover.proposals(dict(best.shares), ceiling(best)), None)
            if spec is not None:
                yield from self._trials.measure("move", self._own, spec)
                mover.learn(self._trials.best is not best)
            elif not mover.shrink():
                return
