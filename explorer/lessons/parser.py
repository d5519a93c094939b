"""A lesson's Markdown file as a value.

Between two lines of ``+++`` stands the front matter, in TOML. Each ``## heading`` begins a step. Text is shown as it
is; a fenced block whose first line names one of ``BLOCKS`` is live, and holds its fields in TOML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from explorer import models
from explorer.lessons.blocks import BLOCKS
from explorer.lessons.fields import Fields, Place
from explorer.lessons.lesson import Block, ByHand, Claim, Explain, Lesson, LessonStep, Predict, Reveal, Why

_FRONT = "+++"
_FENCE = re.compile(r"^```\s*(\w+)\s*$")
_HEADING = "## "
_LONGEST_MINUTES = 90


def parse(name: str, text: str) -> Lesson:
    """The lesson in this text. Raises ExplorerError, with the line, for what is no lesson."""
    lines = text.splitlines()
    first = Place(name, 1)
    ends = [i for i, line in enumerate(lines) if line.strip() == _FRONT][:2]
    if len(ends) < 2 or ends[0] != 0:
        raise first.error("It has no front matter.", "Begin with +++, title, minutes, model and so on, and +++.")
    front = Fields.of("\n".join(lines[1 : ends[1]]), first, "The front matter")
    steps = tuple(_steps(name, lines, ends[1] + 1))
    if not steps:
        raise Place(name, len(lines)).error("It has no step.", 'Begin one with a line "## Title".')
    lesson = _lesson(name, front, steps)
    _check(lesson)
    return lesson


def _lesson(name: str, front: Fields, steps: tuple[LessonStep, ...]) -> Lesson:
    title, model, misconception, source, answer = (
        front.text(field) for field in ("title", "model", "misconception", "source", "answer")
    )
    minutes = front.number("minutes")
    front.end()
    if not 1 <= minutes <= _LONGEST_MINUTES:
        raise front.place.error("The minutes do not suit.", f"Give a number from 1 to {_LONGEST_MINUTES}.")
    if model not in models.samples():
        fix = f"Choose one of: {', '.join(models.samples())}."
        raise front.place.error(f"There is no bundled model {model!r}.", fix)
    return Lesson(name, title, int(minutes), model, misconception, source, answer, steps)


@dataclass
class _Open:
    """A step while its lines come in."""

    title: str
    blocks: list[Block]
    text: list[str]

    def close_text(self) -> None:
        text = "\n".join(self.text).strip()
        if text:
            self.blocks.append(Explain(text))
        self.text = []


def _steps(name: str, lines: list[str], at: int) -> Iterator[LessonStep]:
    step: _Open | None = None
    while at < len(lines):
        line, place = lines[at], Place(name, at + 1)
        fence = _FENCE.match(line)
        if line.startswith(_HEADING):
            if step is not None:
                yield _closed(step)
            step = _Open(line.removeprefix(_HEADING).strip(), [], [])
        elif line.strip() and step is None:
            raise place.error("There is text before the first step.", 'Begin with a line "## Title".')
        elif fence and step is not None:
            end = _end_of_fence(lines, at, place)
            step.close_text()
            step.blocks.append(_block(fence[1], "\n".join(lines[at + 1 : end]), place))
            at = end
        elif step is not None:
            step.text.append(line)
        at += 1
    if step is not None:
        yield _closed(step)


def _closed(step: _Open) -> LessonStep:
    step.close_text()
    return LessonStep(step.title, tuple(step.blocks))


def _end_of_fence(lines: list[str], at: int, place: Place) -> int:
    end = next((i for i in range(at + 1, len(lines)) if lines[i].strip() == "```"), None)
    if end is None:
        raise place.error("A block is not closed.", "End it with a line of three backticks.")
    return end


def _block(kind: str, text: str, place: Place) -> Block:
    if kind not in BLOCKS:
        raise place.error(f"There is no block {kind!r}.", f"Choose one of: {', '.join(BLOCKS)}.")
    fields = Fields.of(text, place, f"The block {kind!r}")
    block = BLOCKS[kind](fields)
    fields.end()
    return block


def _check(lesson: Lesson) -> None:
    """That keys are there once, and that what is revealed was predicted before, and what is predicted is revealed."""
    place = Place(lesson.name, 1)
    keys: set[str] = set()
    predicted: set[str] = set()
    for block in lesson.blocks:
        if isinstance(block, Predict | Why | Claim):
            if block.key in keys:
                raise place.error(f"The key {block.key!r} is there twice.", "Give each block a key of its own.")
            keys.add(block.key)
        if isinstance(block, Predict):
            predicted.add(block.key)
        if isinstance(block, Reveal) and block.of not in predicted:
            raise place.error(f"{block.of!r} is revealed before it is predicted.", "Put a predict before its reveal.")
    revealed = {block.of for block in lesson.blocks if isinstance(block, Reveal)}
    if predicted - revealed:
        raise place.error(f"{sorted(predicted - revealed)[0]!r} is never revealed.", "Put a reveal after the predict.")
    if not any(isinstance(block, Predict | Claim | ByHand) for block in lesson.blocks):
        raise place.error("Nothing is measured in it.", "Put a predict and a reveal in it, or a check.")
