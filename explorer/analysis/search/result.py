"""What a search tried, and the answer that follows from it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from explorer.analysis.report import finite
from explorer.analysis.search.question import UNITS, WORDS, Question
from explorer.metrics.base import dense_value
from explorer.pruning.spec import PruneSpec
from explorer.text.delta import DELTA, delta_text, named
from explorer.text.numbers import level, percent, points_apart, valued
from explorer.types import Measurement, TradeOffPoint
from explorer.types.aliases import JsonDict, JsonObject
from explorer.types.brief import Brief, Shown

DENSE = "dense"
COLLAPSE = 0.1
"""A drop, as a share of all answers, from which an answer is given with a warning."""


@dataclass(frozen=True, repr=False)
class Tried(Brief):
    """One plan that a search measured.

    ``by`` says where it comes from: an allocation's key ("global", "uniform", "erk", "sensitivity"), "curves" (the
    scan's curves), "levels" (every combination of levels was tried), "mix", "move", "dense" or "least" (all goes that
    may). ``cost`` is in the question's unit, ``dense_cost`` that of the dense model. ``predicted`` is the drop
    that the scan's curves let expect; None where a layer was not scanned. ``shares``: share by group.
    """

    question: Question
    by: str
    point: TradeOffPoint
    cost: Measurement
    dense_cost: float
    predicted: Measurement | None
    shares: tuple[tuple[str, float], ...]

    @property
    def spec(self) -> PruneSpec:
        """The request that makes this plan."""
        return PruneSpec.from_json(self.point.spec)

    @property
    def drop(self) -> Measurement:
        """Dense minus pruned accuracy, measured on the same samples of the tune split."""
        return self.point.drop

    @property
    def delta_name(self) -> str:
        """What the change is called: "Δ accuracy", or that of the metric that was chosen."""
        name = self.point.accuracy.name
        return DELTA if name in ("accuracy", "agreement", "r2") else named(name.replace("_", " "))

    @property
    def dense_value(self) -> float:
        """What the dense model has on the same samples."""
        return dense_value(self.point.accuracy, self.drop)

    @property
    def share(self) -> float:
        """The cost as a share of the dense model's."""
        return self.cost.value / self.dense_cost if self.dense_cost else 0.0

    @property
    def meets(self) -> bool:
        """Whether it keeps to what was asked."""
        ceiling = self.question.ceiling(self.dense_cost)
        if ceiling is not None:
            return self.cost.value <= ceiling * (1 + 1e-12)
        return self.drop.value <= (self.question.max_drop or 0.0) + 1e-12

    @property
    def rank(self) -> tuple[float, ...]:
        """The least is the best answer: plans that meet the question first, then by what it asks for."""
        loss = self.point.loss.value if self.point.loss else math.inf
        if self.question.max_drop is not None:
            return (0.0, self.cost.value, self.drop.value) if self.meets else (1.0, self.drop.value, self.cost.value)
        quality = (self.drop.value, loss if math.isfinite(loss) else math.inf, self.cost.value)
        return (0.0, *quality) if self.meets else (1.0, self.cost.value, *quality[:2])

    def to_json(self) -> JsonDict:
        """A JSON-able object."""
        return {
            "by": self.by,
            "meets": self.meets,
            "cost": finite(asdict(self.cost)),
            "share_of_dense": self.share,
            "predicted": None if self.predicted is None else asdict(self.predicted),
            "shares": dict(self.shares),
            "point": finite(asdict(self.point)),
        }

    def _in_brief(self) -> JsonObject:
        about = {"by": self.by, "cost": self.cost.value, "share": self.share, "drop": self.drop.value}
        return {**about, "meets": self.meets}


@dataclass(frozen=True, repr=False)
class SearchResult(Shown):
    """Every plan that was tried and the best of them, also of a search that is still running or was stopped.

    Examples:
        >>> import explorer as ex
        >>> tried = ex.search("digits-mlp", max_drop=0.05, evaluations=4, levels=(0.5, 0.9))
        >>> result = ex.SearchResult.of(tried)
        >>> result.best.drop.value <= 0.05, len(result.tried) > 1
        (True, True)
    """

    question: Question
    tried: tuple[Tried, ...]

    @classmethod
    def of(cls, tried: Iterable[Tried]) -> SearchResult | None:
        """The result so far; None before the first plan."""
        plans = tuple(tried)
        return cls(plans[0].question, plans) if plans else None

    @property
    def best(self) -> Tried:
        """The answer; where ``met`` is False, the plan that comes nearest."""
        return min(self.tried, key=lambda t: t.rank)

    @property
    def met(self) -> bool:
        """Whether what was asked can be had, as far as was tried."""
        return self.best.meets

    @property
    def candidates(self) -> Mapping[str, Tried]:
        """The best plan of each origin, the best origin first."""
        candidates: dict[str, Tried] = {}
        for tried in sorted(self.tried, key=lambda t: t.rank):
            candidates.setdefault(tried.by, tried)
        return candidates

    def to_json(self) -> JsonDict:
        """Everything, JSON-able."""
        return {
            "question": self.question.to_json(),
            "asked": str(self.question),
            "met": self.met,
            "said": list(sentences_of(self)),
            "best": self.best.to_json() | {"spec": self.best.point.spec},
            "tried": [t.to_json() for t in self.tried],
        }

    def _in_brief(self) -> JsonObject:
        about = {"question": str(self.question), "tried": len(self.tried), "met": self.met}
        return {**about, "cost": self.best.cost.value, "drop": self.best.drop.value}


def sentences_of(result: SearchResult) -> tuple[str, ...]:
    """What may be said of the answer, in sentences: whether it meets the question, and what it rests on."""
    best, n = result.best, sum(tried.by != DENSE for tried in result.tried)
    where = f"{amount(best.cost)}, {percent(best.share)} of the dense model"
    change = f"{best.delta_name} {delta_text(best.drop)} on {best.drop.n} samples"
    if result.met:
        first = f"{where}: {change}, from {ORIGINS[best.by]}."
    else:
        first = f"{_unmet(result)} The nearest is {where}: {change}."
    ranking = result.candidates.get("global")
    others = () if ranking is None or ranking is best else (_against(ranking),)
    chosen = f"{n} plans were measured on the tune split and the best was chosen there: evaluate it on other samples."
    return (first, *_collapsed(best), *_tied(result), *others, *((chosen,) if n > 1 else ()))


def ties(result: SearchResult) -> tuple[Tried, ...]:
    """The other plans within the budget whose interval of the drop overlaps that of the best.

    Empty where a drop was allowed: there the cheapest is the best, and costs are counted.
    """
    best = result.best
    if result.question.max_drop is not None or not result.met:
        return ()
    return tuple(t for t in result.tried if t is not best and t.meets and t.by != DENSE and _overlap(t.drop, best.drop))


def _overlap(one: Measurement, other: Measurement) -> bool:
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return False
    return one.low <= other.high and other.low <= one.high


def _tied(result: SearchResult) -> tuple[str, ...]:
    tied, n = len(ties(result)), sum(t.meets and t.by != DENSE for t in result.tried) - 1
    if not tied:
        return ()
    some = f"All {n:,} other plans" if tied == n else f"{tied:,} of the {n:,} other plans"
    plans = some if n > 1 else "The other plan"
    verb = "ties" if tied == 1 else "tie"
    return (f"{plans} within the budget {verb} with it: intervals overlap, these samples do not tell them apart.",)


def _collapsed(best: Tried) -> tuple[str, ...]:
    """A budget can be met by a network that is of no use: that is said at once."""
    if best.drop.value < COLLAPSE or best.drop.unit != "fraction":
        return ()
    dense = valued(best.dense_value, best.drop.unit)
    reached = f"{level(best.point.accuracy)} where the dense model has {dense}"
    return (f"Warning: this network loses {points_apart(best.drop.value)}: {reached}. Allow a larger cost.",)


ORIGINS: Mapping[str, str] = {
    "dense": "nothing pruned",
    "least": "everything pruned that may be",
    "global": "global pruning",
    "magnitude": "global pruning by magnitude",
    "uniform": "uniform pruning",
    "erk": "the layers' shapes (ERK)",
    "sensitivity": "equal single drops",
    "curves": "the scan's curves",
    "levels": "all combinations of levels",
    "mix": "a mix of the best two",
    "move": "moves between layers",
}


def amount(cost: Measurement) -> str:
    """A cost in words: ``12,345 parameters``, ``0.52 ms``."""
    if cost.unit == "milliseconds":
        return f"{cost.value:.3g} ms"
    return f"{cost.value:,.0f} {'MACs' if cost.unit == 'MAC' else cost.unit}"


def _against(ranking: Tried) -> str:
    """What global pruning gives for the same question."""
    change = f"{ranking.delta_name} {delta_text(ranking.drop)}"
    if not ranking.meets:
        return f"Global pruning was not within that: {amount(ranking.cost)}, {change}."
    return f"Global pruning: {amount(ranking.cost)}, {change}."


def _unmet(result: SearchResult) -> str:
    question = result.question
    if question.limit is None:
        return "Not one unit can go within that drop."
    ceiling = question.ceiling(result.best.dense_cost) or 0.0
    asked = f"{ceiling:,.3g} ms" if question.cost == "latency" else f"{ceiling:,.0f} {UNITS[question.cost]}"
    return f"A budget of {asked} cannot be met: pruning all that may go leaves more {WORDS[question.cost]}."
