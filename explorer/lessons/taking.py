"""Taking a lesson: predictions are locked first, then measured; claims are verified. No screen here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from explorer import models
from explorer.data import load as load_data
from explorer.errors import ExplorerError
from explorer.lessons.languages import Translate, english
from explorer.lessons.lesson import Answer, Ask, Block, Claim, Do, Lesson, Predict, Reveal, Why
from explorer.lessons.outcome import BlockOutcome, ClaimVerdict, checked_answer, filled, outcome, verdict
from explorer.lessons.readings import Reading
from explorer.lessons.request import LessonRequest, Readings
from explorer.pruning.spec import PruneSpec
from explorer.tasks.context import Context
from explorer.tasks.running import results
from explorer.types.aliases import JsonDict


@dataclass(frozen=True)
class MeasuredBlock:
    """What was measured for a block: ``outcome`` of a prediction, ``verdict`` on a claim, ``text`` beside it."""

    key: str
    readings: Readings
    outcome: BlockOutcome | None = None
    verdict: ClaimVerdict | None = None
    text: str = ""

    def __str__(self) -> str:
        lines = [f"{reading.label}: {reading.words}".removeprefix(": ") for reading in self.readings]
        if self.outcome is not None:
            lines += [self.outcome.words, self.text]
        return "\n".join(filter(None, lines))

    __repr__ = __str__


@dataclass
class Taking:
    """One learner in one lesson. ``setting`` is what the last ``do`` was left at; ``t`` is its language."""

    lesson: Lesson
    context: Context
    answers: dict[str, Answer] = field(default_factory=dict)
    setting: PruneSpec = field(default_factory=PruneSpec)
    t: Translate = english
    _readings: dict[Ask, Readings] = field(default_factory=dict)

    @classmethod
    def of(cls, lesson: Lesson) -> Taking:
        """A learner at the beginning, with the lesson's own model and the data that it is evaluated on."""
        model = models.load(lesson.model)
        return cls(lesson, Context(model, load_data(model.data or "none", model=model)))

    def lock(self, key: str, answer: object) -> Answer:
        """Lock a prediction. Raises ExplorerError for what is no answer, and where one is locked already."""
        if key in self.answers:
            raise ExplorerError(
                "This prediction is locked.", why="It was made before.", fix="Go on to the measurement."
            )
        self.answers[key] = checked_answer(self.lesson.prediction(key).form, answer)
        return self.answers[key]

    def reveal(self, block: Reveal | str) -> MeasuredBlock:
        """Measure what was predicted (``block`` may be its key). Raises ExplorerError where nothing was."""
        if isinstance(block, str):
            key = block
            block = next(each for each in self.lesson.blocks if isinstance(each, Reveal) and each.of == key)
        if block.of not in self.answers:
            raise ExplorerError("Nothing is measured yet.", why="A prediction comes first.", fix="Lock a prediction.")
        prediction = self.lesson.prediction(block.of)
        readings = self.measured(prediction.asks)
        return revealed(prediction, block, self.answers[block.of], readings, self.t)

    def verify(self, block: Claim | str) -> MeasuredBlock:
        """Measure what the claim (or that of this key) is about."""
        if isinstance(block, str):
            key = block
            block = next(each for each in self.lesson.blocks if isinstance(each, Claim) and each.key == key)
        readings = self.measured(block.asks)
        return MeasuredBlock(block.key, readings, verdict=verdict(block.conditions, readings))

    def measured(self, asks: tuple[Ask, ...]) -> Readings:
        """The readings of all these questions; each is measured once in a lesson, when it first comes up."""
        for ask in request_of(self.lesson, asks, self.setting).asks:
            if ask not in self._readings:
                request = request_of(self.lesson, (ask,), self.setting)
                self._readings[ask] = joined(results(request, self.context))
        return tuple(reading for ask in asks for reading in self._readings[ask.with_setting(self.setting)])


def request_of(lesson: Lesson, asks: tuple[Ask, ...], setting: PruneSpec) -> LessonRequest:
    """The work of these questions, where some of them may be about the learner's own setting."""
    return LessonRequest(tuple(ask.with_setting(setting) for ask in asks), lesson.name)


def joined(batches: Iterator[Readings]) -> Readings:
    """The readings of several questions, one after another."""
    return tuple(reading for batch in batches for reading in batch)


def revealed(
    prediction: Predict, block: Reveal, answer: Answer, readings: Readings, t: Translate = english
) -> MeasuredBlock:
    """What the readings say of the answer, in the language of ``t``."""
    return MeasuredBlock(
        block.of,
        readings,
        outcome=outcome(prediction.form, answer, readings, t),
        text=filled(t(block.text), _shortened(readings)),
    )


def _shortened(readings: Readings) -> list[Reading]:
    """The same readings; a single one is also called "value" in a text."""
    return [*readings, Reading("value", readings[0].measurement)] if len(readings) == 1 else list(readings)


def take(
    lesson: Lesson, context: Context, answers: Mapping[str, object], t: Translate = english
) -> Iterator[tuple[Block, MeasuredBlock | None]]:
    """Take the lesson with these answers, block by block: what there is, and what was measured for it.

    Raises ExplorerError where an answer is absent, or is none, before anything is measured.
    """
    taking = Taking(lesson, context, t=t)
    for prediction in lesson.predictions:
        if prediction.key not in answers:
            keys = ", ".join(each.key for each in lesson.predictions)
            raise ExplorerError(f"There is no answer to {prediction.key!r}.", fix=f"Answer each of: {keys}.")
        taking.lock(prediction.key, answers[prediction.key])
    return _blocks(taking)


def _blocks(taking: Taking) -> Iterator[tuple[Block, MeasuredBlock | None]]:
    for block in taking.lesson.blocks:
        if isinstance(block, Do):
            taking.setting = block.example
        if isinstance(block, Reveal):
            yield block, taking.reveal(block)
        elif isinstance(block, Claim):
            yield block, taking.verify(block)
        else:
            yield block, None


def to_json(
    lesson: Lesson, taken: Iterator[tuple[Block, MeasuredBlock | None]], answers: Mapping[str, object]
) -> JsonDict:
    """Everything that came of a lesson, JSON-able."""
    measured = [(block, result) for block, result in taken if result is not None]
    predictions = [
        {
            "key": result.key,
            "answer": answers[result.key],
            "is_right": result.outcome.is_right,
            "words": result.outcome.words,
            "readings": [reading.to_json() for reading in result.readings],
        }
        for _, result in measured
        if result.outcome is not None
    ]
    checks = [
        {
            "key": result.key,
            "claim": block.claim,
            "holds": result.verdict.holds,
            "is_sure": result.verdict.is_sure,
            "readings": [reading.to_json() for reading in result.readings],
        }
        for block, result in measured
        if result.verdict is not None and isinstance(block, Claim)
    ]
    questions = [block for block in lesson.blocks if isinstance(block, Why)]
    whys = [{"key": why.key, "answer": answers.get(why.key), "teacher": why.answer} for why in questions]
    about = {"lesson": lesson.name, "title": lesson.title, "model": lesson.model}
    return {**about, "predictions": predictions, "checks": checks, "why": whys}
