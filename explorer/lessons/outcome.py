"""What became of a prediction and of a claim, once it was measured."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from explorer.errors import ExplorerError
from explorer.lessons.blocks import UNITS
from explorer.lessons.languages import Translate, english
from explorer.lessons.lesson import Answer, ChoiceQuestion, Condition, CurveQuestion, Form, Number
from explorer.lessons.readings import Reading, reading_of
from explorer.text.numbers import number

_OTHER = "You said {answer}: it is {right}."
_INSIDE = "You said {answer}; measured: {value}. That is inside the interval."
_AWAY = "You said {answer}; measured: {value}. That is {away} away."
_CURVE = "On average your curve is {away} away."
_NAMED = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True)
class BlockOutcome:
    """Whether a prediction was right (a number or a curve: near enough), and that in words."""

    is_right: bool
    words: str


@dataclass(frozen=True)
class ClaimVerdict:
    """Whether a claim holds for the values, whether the intervals leave no doubt of it, and what was measured."""

    holds: bool
    is_sure: bool
    words: str


def checked_answer(form: Form, answer: object) -> Answer:
    """The answer, where it is one to this question. Raises ExplorerError for what is none."""
    if isinstance(form, ChoiceQuestion):
        if isinstance(answer, str) and answer in form.options:
            return answer
        raise ExplorerError(f"{answer!r} is no option.", fix=f"Choose one of: {', '.join(form.options)}.")
    if isinstance(form, Number):
        return _height(form, answer)
    if not isinstance(answer, list | tuple) or len(answer) != len(form.levels):
        raise ExplorerError("This is no curve.", fix=f"Give {len(form.levels)} numbers, one for each level.")
    return tuple(_height(form, each) for each in answer)


def _height(form: Number | CurveQuestion, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not form.low <= value <= form.high:
        fix = f"Give a number from {form.low:g} to {form.high:g}."
        raise ExplorerError(f"{value!r} does not suit.", fix=fix)
    return float(value)


def right_option(form: ChoiceQuestion, readings: Sequence[Reading]) -> str:
    """The option that the measurement says is right. Raises ExplorerError where none of them was measured."""
    if form.bounds:
        value = UNITS["%"] * readings[0].value if readings[0].measurement.unit == "fraction" else readings[0].value
        return form.options[sum(value >= bound for bound in form.bounds)]
    measured = [reading for reading in readings if reading.label in form.options]
    if not measured:
        raise ExplorerError("None of the options was measured.", fix="Let the labels be those of the options.")
    best = max if form.right == "highest" else min
    return best(measured, key=lambda reading: reading.value).label


def outcome(form: Form, answer: Answer, readings: Sequence[Reading], t: Translate = english) -> BlockOutcome:
    """What the measurement says of the answer, in the language of ``t``."""
    if isinstance(form, ChoiceQuestion):
        right = right_option(form, readings)
        sentence = "You said {answer}: that is what was measured." if right == answer else _OTHER
        return BlockOutcome(right == answer, t(sentence).format(answer=t(str(answer)), right=t(right)))
    if isinstance(form, Number) and isinstance(answer, float):
        return _of_number(form, answer, readings[0], t)
    if isinstance(form, CurveQuestion) and isinstance(answer, tuple):
        return _of_curve(form, answer, readings, t)
    raise ExplorerError("The answer is none to this question.", fix="Answer it again.")


def _of_number(form: Number, answer: float, reading: Reading, t: Translate) -> BlockOutcome:
    factor, m = UNITS[form.unit], reading.measurement
    away = abs(answer - factor * m.value)
    inside = m.low is not None and m.high is not None and m.low <= answer / factor <= m.high
    words = t(_INSIDE if inside else _AWAY).format(
        answer=f"{number(answer)}{form.unit}", value=reading.words, away=_distance(away, form.unit, t)
    )
    return BlockOutcome(inside or away <= form.tolerance, words)


def _of_curve(
    form: CurveQuestion, answer: tuple[float, ...], readings: Sequence[Reading], t: Translate
) -> BlockOutcome:
    factor = UNITS[form.unit]
    measured = {reading.x: factor * reading.value for reading in readings}
    pairs = [(height, measured[x]) for x, height in zip(form.levels, answer, strict=True) if x in measured]
    if not pairs:
        raise ExplorerError("The curve was not measured at its levels.", fix="Let the measure have the same levels.")
    away = sum(abs(drawn - value) for drawn, value in pairs) / len(pairs)
    return BlockOutcome(away <= form.tolerance, t(_CURVE).format(away=_distance(away, form.unit, t)))


def _distance(away: float, unit: str, t: Translate) -> str:
    return f"{number(round(away, 1))} {t('points')}" if unit == "%" else f"{number(round(away, 2))} {unit}"


def verdict(conditions: Sequence[Condition], readings: Sequence[Reading]) -> ClaimVerdict:
    """Whether all conditions hold. Raises ExplorerError where a reading that one names was not measured."""
    holds, sure = [], []
    for condition in conditions:
        for value, low, high, bound, bound_low, bound_high in _sides(condition, readings):
            is_up = condition.side in ("at least", "above")
            strict = condition.side in ("above", "below")
            ahead = value - bound if is_up else bound - value
            holds.append(ahead > 0 or (not strict and ahead == 0))
            sure.append((low - bound_high if is_up else bound_low - high) >= 0)
    words = "; ".join(f"{reading.label}: {reading.words}" if reading.label else reading.words for reading in readings)
    return ClaimVerdict(all(holds), all(sure), words)


def _sides(condition: Condition, readings: Sequence[Reading]) -> list[tuple[float, ...]]:
    """(value, low, high) of each first reading and of what it is compared with."""
    firsts = [_named(condition.first, readings)] if condition.first else list(readings)
    bound = (condition.value,) * 3 if not condition.second else _ends(_named(condition.second, readings))
    return [(*_ends(first), *bound) for first in firsts]


def _ends(reading: Reading) -> tuple[float, float, float]:
    m = reading.measurement
    return m.value, m.value if m.low is None else m.low, m.value if m.high is None else m.high


def _named(label: str, readings: Sequence[Reading]) -> Reading:
    reading = reading_of(readings, label)
    if reading is None:
        raise ExplorerError(f"{label!r} was not measured.", fix="Let a measure have this label.")
    return reading


def filled(text: str, readings: Sequence[Reading]) -> str:
    """The text with each ``{label}`` replaced by what was measured. Raises ExplorerError for a label that is not."""
    return _NAMED.sub(lambda match: _named(match[1], readings).words, text)


def in_words(result: ClaimVerdict) -> str:
    """Whether the claim holds, in a sentence."""
    if not result.holds:
        return "It does not hold here."
    if result.is_sure:
        return "It holds, and the intervals leave no doubt."
    return "It holds for what was measured, but an interval reaches over the line."
