"""The live blocks of a lesson, each read from its fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, cast

from explorer.errors import ExplorerError
from explorer.lessons.fields import Fields
from explorer.lessons.lesson import (
    Ask,
    Block,
    ByHand,
    ChoiceQuestion,
    Claim,
    Condition,
    CurveQuestion,
    Do,
    Form,
    Number,
    Predict,
    Reveal,
    Side,
    Why,
)
from explorer.lessons.measures import MEASURES
from explorer.lessons.measures.base import OfSetting, spec_of
from explorer.pruning.spec import PruneSpec

CONTROLS = ("lines", "mode", "presets")
"""What a ``do`` can show: the lines to drag, how the others follow, and buttons for whole shares."""
SIDES = ("at least", "at most", "above", "below")
UNITS = {"%": 100.0, "×": 1.0}
"""What a number is multiplied by to be read in its unit."""


def _predict(fields: Fields) -> Predict:
    key, question = fields.text("key"), fields.text("question")
    form = _FORMS[fields.one_of("kind", tuple(_FORMS))](fields)
    asks = _asks(fields)
    if (
        isinstance(form, ChoiceQuestion)
        and not form.bounds
        and not any(ask.label in ("", *form.options) for ask in asks)
    ):
        raise fields.place.error("No option is measured.", "Let the labels of the measures be those of the options.")
    return Predict(key, question, form, asks)


def _choice(fields: Fields) -> Form:
    options, bounds = fields.texts("options"), fields.numbers("bounds")
    right = fields.one_of("right", ("highest", "lowest"), "highest")
    if len(options) < 2:
        raise fields.place.error("A choice needs options.", "Give at least two.")
    if bounds and (len(options) != len(bounds) + 1 or list(bounds) != sorted(bounds)):
        raise fields.place.error("The bounds do not part the options.", "Give one fewer than options, rising.")
    return ChoiceQuestion(options, cast(Literal["highest", "lowest"], right), bounds)


def _number(fields: Fields) -> Form:
    unit = fields.one_of("unit", tuple(UNITS), "%")
    low, high = fields.number("low", 0.0), fields.number("high", 100.0)
    if not low < high:
        raise fields.place.error("The lowest number is not below the highest.", "Correct low and high.")
    return Number(low, high, unit, fields.number("tolerance", 5.0))


def _curve(fields: Fields) -> Form:
    levels = fields.numbers("levels")
    if len(levels) < 2 or list(levels) != sorted(set(levels)):
        raise fields.place.error("A curve needs levels.", "Give at least two shares, rising.")
    number = _number(fields)
    low, high, unit, tolerance = (getattr(number, name) for name in ("low", "high", "unit", "tolerance"))
    return CurveQuestion(levels, fields.text("across", ""), fields.text("up", ""), low, high, unit, tolerance)


_FORMS: dict[str, Callable[[Fields], Form]] = {"choice": _choice, "number": _number, "curve": _curve}


def _asks(fields: Fields) -> tuple[Ask, ...]:
    return tuple(_ask(table) for table in fields.tables("measure"))


def _ask(table: Fields) -> Ask:
    label = table.text("label", "")
    values = table.rest()
    try:
        is_of_setting = issubclass(MEASURES.member(str(values.get("key"))), OfSetting)
        return Ask(MEASURES.from_json({"spec": "", **values} if is_of_setting else values), label)
    except ExplorerError as error:
        raise table.place.error(error.what, error.fix, error.why) from None


def _setting(fields: Fields, name: str) -> PruneSpec:
    try:
        return spec_of(fields.text(name, ""))
    except ExplorerError as error:
        raise fields.place.error(f"{name}: {error.what}", error.fix, error.why) from None


def _do(fields: Fields) -> Do:
    controls = fields.texts("controls")
    unknown = [control for control in controls if control not in CONTROLS]
    if unknown or not controls:
        what = f"There is no control {unknown[0]!r}." if unknown else "The block 'do' needs controls."
        raise fields.place.error(what, f"Choose from: {', '.join(CONTROLS)}.")
    start, example = _setting(fields, "start"), _setting(fields, "example")
    return Do(fields.text("text"), controls, fields.texts("layers"), start, example)


def _check(fields: Fields) -> Claim:
    conditions = tuple(_condition(table) for table in fields.tables("condition"))
    return Claim(fields.text("key"), fields.text("claim"), _asks(fields), conditions)


def _condition(table: Fields) -> Condition:
    side = cast(Side, table.one_of("is", SIDES))
    first, second = table.text("first", ""), table.text("second", "")
    value = 0.0 if second else table.number("value")
    table.end()
    return Condition(side, first, second, value)


BLOCKS: dict[str, Callable[[Fields], Block]] = {
    "predict": _predict,
    "reveal": lambda fields: Reveal(fields.text("of"), fields.text("text", "")),
    "do": _do,
    "why": lambda fields: Why(fields.text("key"), fields.text("question"), fields.text("answer")),
    "check": _check,
    "by_hand": lambda fields: ByHand(fields.text("layer")),
}
