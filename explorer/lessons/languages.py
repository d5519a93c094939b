"""The texts of lessons in other languages: a catalogue for each, from English, paragraph by paragraph.

What is measured, and the keys by which answers are stored, stay as they are; only what is shown is translated. A text
that a catalogue does not have is shown in English.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from explorer.errors import ExplorerError
from explorer.lessons.class_words import CLASS_SENTENCES
from explorer.lessons.lesson import (
    Block,
    ChoiceQuestion,
    Claim,
    CurveQuestion,
    Do,
    Explain,
    Lesson,
    Predict,
    Reveal,
    Why,
)

LANGUAGES = {"en": "English", "de": "Deutsch"}
"""What each language is called in itself. A new one: a line here and its file in ``catalogues``."""

SENTENCES = (
    "Lock my prediction",
    "Next",
    "Back",
    "All lessons",
    "Step {n} of {of}",
    "The next step opens once your prediction is locked.",
    "Measure it",
    "Claim:",
    "It holds, and the intervals leave no doubt.",
    "It holds for what was measured, but an interval reaches over the line.",
    "It does not hold here.",
    "Your prediction:",
    "the curve below, in orange",
    "Compare with the teacher's",
    "one sentence",
    "You:",
    "The teacher:",
    "You said {answer}: that is what was measured.",
    "You said {answer}: it is {right}.",
    "You said {answer}; measured: {value}. That is inside the interval.",
    "You said {answer}; measured: {value}. That is {away} away.",
    "On average your curve is {away} away.",
    "points",
    "your prediction",
    "Draw over the chart with a finger or the mouse; with the keyboard, Tab and the arrow keys.",
    "{question} (in {unit}, from {low} to {high})",
    "minutes",
    "on",
    "Predict, before anything is measured",
    "Measured",
    "Do",
    "Why? One sentence",
    "Check by measuring",
    "holds",
    "does not hold",
    "By hand",
    "It corrects",
    "What to say at the end",
    "Source",
    "Every number is measured when the lesson is taken.",
    "up",
    "across",
    "Empty chart.",
    "To do in the app:",
    "Here an example setting stands in for your hand.",
    "measured now",
    "value",
    "origin",
    "Join the class {name}",
    "You get a name by chance. No account; only your answers are stored, on the teacher's machine.",
    "Code of the class",
    "Join",
    "Class {name} · you are {student}",
    "The class is paused. Look up.",
    "The class has ended. Thank you.",
    "Locked. The teacher reveals the measurement.",
    "The challenge",
    "Hand in",
    "At most {share} of the bytes of {model}, and at most {points} points less accuracy",
    "Move the thresholds, and choose how important a weight is. Then hand in, once.",
    "Size of the smallest file: {share} of the dense one, counted.",
    "Your entry is being measured on the hidden split.",
    "On the hidden split: {share} of the bytes, {accuracy} right ({change}).",
    "The challenge is met.",
    "The challenge is not met.",
    *CLASS_SENTENCES,
)
"""What is said around the texts of a lesson, and on the page of a class."""

Translate = Callable[[str], str]
_PARAGRAPHS = re.compile(r"\n\s*\n")


@cache
def catalogue(language: str) -> MappingProxyType[str, str]:
    """English paragraphs and what they are in this language; nothing for English itself."""
    if language not in LANGUAGES:
        raise ExplorerError(f"There is no language {language!r}.", fix=f"Choose one of: {', '.join(LANGUAGES)}.")
    if language == "en":
        return MappingProxyType({})
    text = (files("explorer.lessons") / "catalogues" / f"{language}.toml").read_text(encoding="utf-8")
    return MappingProxyType({row["en"]: row["to"] for row in tomllib.loads(text)["text"]})


def english(text: str) -> str:
    """The text as it is."""
    return text


def translator(language: str) -> Translate:
    """What turns a text of a lesson into this language. Raises ExplorerError for a language that is not there."""
    texts = catalogue(language)
    if not texts:
        return english
    return lambda text: "\n\n".join(texts.get(each, each) for each in paragraphs_of(text))


def paragraphs_of(text: str) -> list[str]:
    """The paragraphs of a text, each on one line."""
    return [" ".join(each.split()) for each in _PARAGRAPHS.split(text.strip())]


def texts_of(lesson: Lesson) -> Iterator[str]:
    """Every paragraph of a lesson that somebody reads."""
    for text in (lesson.title, lesson.misconception, lesson.answer, *(step.title for step in lesson.steps)):
        yield from paragraphs_of(text)
    for block in lesson.blocks:
        for text in _of_block(block):
            yield from paragraphs_of(text) if text else ()


def _of_block(block: Block) -> Iterator[str]:
    if isinstance(block, Explain | Do | Reveal):
        yield block.text
    elif isinstance(block, Why):
        yield from (block.question, block.answer)
    elif isinstance(block, Predict):
        yield block.question
        yield from block.form.options if isinstance(block.form, ChoiceQuestion) else ()
        yield from (block.form.across, block.form.up) if isinstance(block.form, CurveQuestion) else ()
    elif isinstance(block, Claim):
        yield block.claim
    if isinstance(block, Predict | Claim):
        yield from (ask.label for ask in block.asks)
