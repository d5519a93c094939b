"""Which of two methods is better at one level, in a sentence that claims no more than was measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Literal

from explorer.analysis.comparison.seeds import Level, levels
from explorer.metrics.interval import Interval, wilson
from explorer.text.delta import worse_is_up
from explorer.text.numbers import apart, change, times
from explorer.types import TradeOff
from explorer.types.aliases import JsonDict

METHOD = "95 % interval, independent: each share's Wilson interval with the spread of its seeds"
# Shares of samples, whose interval follows from a count.
_COUNTED = ("accuracy", "agreement", "r2")
# Sizes that differ by more are not one operating point.
_SAME_SIZE = 0.1
# Student's t at 0.975 by degrees of freedom, 1 to 9 and more: few seeds say little about chance.
_T_975 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)

Outcome = Literal["better", "worse", "no better"]


@dataclass(frozen=True)
class Verdict:
    """``difference`` = accuracy of ``first`` minus ``second`` (fractions), plus or minus ``margin``.

    Of a metric in the place of accuracy it is how much better ``first`` is, whichever way that metric is better, in
    the metric's ``unit``.
    ``at`` is the compression ratio that was asked of both (reached, where a sparsity was asked).
    """

    first: str
    second: str
    at: float
    difference: float
    margin: float
    n: int
    first_seeds: int
    second_seeds: int
    first_ratio: float
    second_ratio: float
    first_accuracy: float
    second_accuracy: float
    unit: str = "fraction"
    less_is_better: bool = False

    @property
    def rank(self) -> float:
        """The least is the best ``first``."""
        return self.first_accuracy if self.less_is_better else -self.first_accuracy

    @property
    def outcome(self) -> Outcome:
        """ "no better" where the interval holds 0."""
        if abs(self.difference) <= self.margin:
            return "no better"
        return "better" if self.difference > 0 else "worse"

    @property
    def sentence(self) -> str:
        """ "magnitude is better than random by 12.1 ± 1.3 points at 8×"."""
        margin, at = f"± {apart(self.margin, self.unit)}", times(self.at)
        if self.outcome == "no better":
            difference = change(self.difference, self.unit).removesuffix(" pt").removesuffix(" nats")
            return f"{self.first} is no better than {self.second} at {at} ({difference} {margin})"
        difference = apart(self.difference, self.unit).removesuffix(" points").removesuffix(" nats")
        return f"{self.first} is {self.outcome} than {self.second} by {difference} {margin} at {at}"

    def to_json(self) -> JsonDict:
        """All of it, with the sentence and how the interval was made."""
        return {**asdict(self), "outcome": self.outcome, "sentence": self.sentence, "interval": METHOD}


def compared(first: TradeOff, second: TradeOff) -> tuple[Verdict, ...]:
    """A verdict at each level that was asked of both and that both reached, by rising compression."""
    others = {level.asked: level for level in levels(second.points)}
    pairs = ((level, others[level.asked]) for level in levels(first.points) if level.asked in others)
    return tuple(verdict(first.label, a, second.label, b) for a, b in pairs if _is_pruned(a, b) and _same_size(a, b))


def verdict(first: str, a: Level, second: str, b: Level) -> Verdict:
    """The difference of two means with its 95 % interval, from independent intervals of both.

    An interval of a mean over seeds holds what other samples would change (Wilson, for the samples of one
    seed: all seeds see the same ones) and what other seeds would (Student's t), added as squares. The two are
    joined as Newcombe's method 10 does; ``margin`` is the longer arm. Both are measured on the same samples:
    answers that agree make the true interval narrower, so the verdict is cautious.

    Source: Newcombe 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I;
    for means in general Zou and Donner 2008, doi:10.1002/sim.3095.
    """
    one, other = interval(a), interval(b)
    below = math.hypot(a.accuracy - one.low, other.high - b.accuracy)
    above = math.hypot(one.high - a.accuracy, b.accuracy - other.low)
    sign = -1 if worse_is_up(a.points[0].drop) else 1
    asked = a.points[0].asked_ratio
    return Verdict(
        first=first,
        second=second,
        at=asked if asked is not None else _ratio(a),
        difference=sign * (a.accuracy - b.accuracy),
        margin=max(below, above),
        n=min(_n(a), _n(b)),
        first_seeds=a.n_seeds,
        second_seeds=b.n_seeds,
        first_ratio=_ratio(a),
        second_ratio=_ratio(b),
        first_accuracy=a.accuracy,
        second_accuracy=b.accuracy,
        unit=a.points[0].accuracy.unit,
        less_is_better=worse_is_up(a.points[0].drop),
    )


def interval(level: Level) -> Interval:
    """The 95 % interval of the mean accuracy over seeds: other samples and other seeds together."""
    mean, n = level.accuracy, _n(level)
    is_share = level.points[0].accuracy.name in _COUNTED
    samples = wilson(round(mean * n), n) if is_share else _own_interval(level)
    seeds = 0.0
    if level.deviation is not None:
        t = _T_975[min(level.n_seeds - 1, len(_T_975)) - 1]
        seeds = t * level.deviation / math.sqrt(level.n_seeds)
    low, high = mean - math.hypot(mean - samples.low, seeds), mean + math.hypot(samples.high - mean, seeds)
    return Interval(max(0.0, low), min(1.0, high)) if is_share else Interval(low, high)


def _own_interval(level: Level) -> Interval:
    """As wide about the mean as the interval of the seed nearest to it; without one, nothing can be told apart."""
    middle = level.middle.accuracy
    if middle.low is None or middle.high is None:
        return Interval(-math.inf, math.inf)
    mean = level.accuracy
    return Interval(mean - (middle.value - middle.low), mean + (middle.high - middle.value))


def telling(curve: TradeOff, verdicts: Sequence[Verdict], budget: float) -> Verdict | None:
    """Of the verdicts on ``curve`` that of the most compression whose drop is within ``budget`` (a fraction);
    where none is, that of the least compression. None where there are none."""
    if not verdicts:
        return None
    drops = {_at(level): level.drop for level in levels(curve.points)}
    within = [v for v in verdicts if drops.get(v.at, math.inf) <= budget]
    return within[-1] if within else verdicts[0]


def sizes_in_words(verdicts: Sequence[Verdict]) -> str:
    """One pair at all its sizes: "magnitude against random: better from 1.5× to 6×, no better from 8× to 32×."."""
    if not verdicts:
        return ""
    runs = [(outcome, list(some)) for outcome, some in groupby(verdicts, key=lambda verdict: verdict.outcome)]
    parts = [f"{outcome} {_range_in_words(some)}" for outcome, some in runs]
    return f"{verdicts[0].first} against {verdicts[0].second}: {', '.join(parts)}."


def _range_in_words(verdicts: Sequence[Verdict]) -> str:
    first, last = times(verdicts[0].at), times(verdicts[-1].at)
    return f"at {first}" if len(verdicts) == 1 else f"from {first} to {last}"


def _at(level: Level) -> float:
    asked = level.points[0].asked_ratio
    return asked if asked is not None else _ratio(level)


def _is_pruned(*levels_of_pairs: Level) -> bool:
    return all(level.mean(lambda p: p.is_pruned) > 0 for level in levels_of_pairs)


def _same_size(a: Level, b: Level) -> bool:
    one, other = _ratio(a), _ratio(b)
    return math.isfinite(one) and math.isfinite(other) and abs(one - other) <= _SAME_SIZE * max(one, other)


def _ratio(level: Level) -> float:
    return level.mean(lambda p: p.compression_ratio)


def _n(level: Level) -> int:
    return min(p.accuracy.n or 0 for p in level.points)
