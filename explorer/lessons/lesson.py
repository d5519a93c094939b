"""A lesson as a value: its steps, and in each of them text and live blocks in turns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias

from explorer.lessons.measures.base import Measure
from explorer.params import member_to_json
from explorer.pruning.spec import PruneSpec
from explorer.types.aliases import JsonDict

Side = Literal["at least", "at most", "above", "below"]
Answer: TypeAlias = str | float | tuple[float, ...]
"""An option, a number in the unit of its question, or the heights of a curve in that unit."""


@dataclass(frozen=True)
class Ask:
    """One thing to measure, and what it is called where it is a single number."""

    measure: Measure
    label: str = ""

    def with_setting(self, spec: PruneSpec) -> Ask:
        """The same about the learner's own setting, where it is asked of that."""
        return Ask(self.measure.with_setting(spec), self.label)

    def to_json(self) -> JsonDict:
        """JSON-able; a part of what names the work."""
        return {"label": self.label, "measure": member_to_json(self.measure)}


@dataclass(frozen=True)
class ChoiceQuestion:
    """One of the options. The right one is the reading of that name with the ``right`` value; with ``bounds`` the
    options are the ranges that they part, rising, and the right one is where the first reading lies."""

    kind: ClassVar[str] = "choice"

    options: tuple[str, ...]
    right: Literal["highest", "lowest"] = "highest"
    bounds: tuple[float, ...] = ()


@dataclass(frozen=True)
class Number:
    """A number from ``low`` to ``high`` in ``unit`` ("%" or "×"); near enough within ``tolerance``."""

    kind: ClassVar[str] = "number"

    low: float = 0.0
    high: float = 100.0
    unit: str = "%"
    tolerance: float = 5.0


@dataclass(frozen=True)
class CurveQuestion:
    """Heights from ``low`` to ``high`` above each of ``levels`` (shares); near enough on average."""

    kind: ClassVar[str] = "curve"

    levels: tuple[float, ...]
    across: str = ""
    up: str = ""
    low: float = 0.0
    high: float = 100.0
    unit: str = "%"
    tolerance: float = 10.0


Form: TypeAlias = ChoiceQuestion | Number | CurveQuestion


@dataclass(frozen=True)
class Explain:
    """Text, in Markdown."""

    text: str


@dataclass(frozen=True)
class Predict:
    """A question that is answered, and locked, before anything is measured."""

    key: str
    question: str
    form: Form
    asks: tuple[Ask, ...]


@dataclass(frozen=True)
class Reveal:
    """The prediction of that key and what is measured, on one chart. ``{label}`` in the text is a reading's value."""

    of: str
    text: str = ""


@dataclass(frozen=True)
class Do:
    """The histograms with only these ``controls``, of only these ``layers`` (none: all), from the setting ``start``.

    ``example`` is a setting that a learner may come to; it takes the hand's place where there is no screen.
    """

    text: str
    controls: tuple[str, ...]
    layers: tuple[str, ...] = ()
    start: PruneSpec = field(default_factory=PruneSpec)
    example: PruneSpec = field(default_factory=PruneSpec)


@dataclass(frozen=True)
class Why:
    """One sentence of the learner's own; ``answer`` is the teacher's."""

    key: str
    question: str
    answer: str


@dataclass(frozen=True)
class Condition:
    """``first`` (a reading) is at least, at most, above or below another reading (``second``) or a ``value``.

    Where neither ``first`` is named nor there, every reading must be so.
    """

    side: Side
    first: str = ""
    second: str = ""
    value: float = 0.0


@dataclass(frozen=True)
class Claim:
    """A claim that is verified by measuring: all ``conditions`` hold."""

    key: str
    claim: str
    asks: tuple[Ask, ...]
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class ByHand:
    """One output of a layer, number by number: the threshold, the mask, and the sum over one real patch."""

    layer: str


Block: TypeAlias = Explain | Predict | Reveal | Do | Why | Claim | ByHand


@dataclass(frozen=True)
class LessonStep:
    """What is on the screen at a time."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Lesson:
    """One lesson. ``name`` is that of its file, ``model`` the address of what is measured, ``minutes`` how long it
    takes; ``misconception`` is what it corrects, ``answer`` what the teacher says at the end, ``source`` where that
    is from."""

    name: str
    title: str
    minutes: int
    model: str
    misconception: str
    source: str
    answer: str
    steps: tuple[LessonStep, ...]

    @property
    def blocks(self) -> Iterator[Block]:
        """All blocks, in order."""
        return (block for step in self.steps for block in step.blocks)

    @property
    def predictions(self) -> tuple[Predict, ...]:
        """All questions that are answered before anything is measured."""
        return tuple(block for block in self.blocks if isinstance(block, Predict))

    def prediction(self, key: str) -> Predict:
        """The question of that key, which the parser has seen to be there."""
        return next(block for block in self.predictions if block.key == key)
