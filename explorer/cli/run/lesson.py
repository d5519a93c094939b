"""``lesson``: a lesson in the terminal: it asks, measures, and shows both."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from explorer import lessons
from explorer.cli import printing
from explorer.cli.arguments import Arguments
from explorer.errors import ExplorerError
from explorer.lessons.by_hand import by_hand, in_lines
from explorer.lessons.handouts import write
from explorer.lessons.lesson import (
    Answer,
    Block,
    ByHand,
    Check,
    Choice,
    Do,
    Explain,
    Form,
    Lesson,
    Number,
    Predict,
    Reveal,
    Why,
)
from explorer.lessons.outcome import checked_answer
from explorer.lessons.taking import Measured, Taking, take, to_json
from explorer.tasks.context import Context
from explorer.text.numbers import percent_asked, provenance


def run(args: Arguments) -> int:
    """List, take, or write."""
    if args.name is None:
        _list(args)
        return 0
    lesson = lessons.lesson(args.name)
    if args.output is not None:
        path = write(lesson, Path(args.output), is_teachers=args.teacher, force=args.force)
        _wrote(args, path)
        return 0
    context = Taking.of(lesson).context
    answers = None if args.answers is None else _read(args.answers)
    if answers is None and args.json:
        keys = ", ".join(prediction.key for prediction in lesson.predictions)
        raise ExplorerError("With --json nothing can be asked.", fix=f"Give --answers, a JSON object of: {keys}.")
    if answers is None:
        _take(lesson, context, _ask)
    elif args.json:
        printing.say_json(to_json(lesson, take(lesson, context, answers), answers))
    else:
        taken = take(lesson, context, answers)
        printing.say(*_head(lesson))
        for block, measured in taken:
            _show(block, measured, context)
    return 0


def _list(args: Arguments) -> None:
    every = lessons.lessons()
    if args.json:
        rows = [{**asdict(each), "steps": [step.title for step in each.steps]} for each in every]
        printing.say_json({"lessons": rows})
        return
    table = printing.table(
        ("lesson", "title", "model", "minutes"), [(e.name, e.title, e.model, e.minutes) for e in every], left=3
    )
    printing.say(*table, "", "Take one: python -m explorer lesson NAME")


def _wrote(args: Arguments, path: Path) -> None:
    if args.json:
        printing.say_json({"written": str(path), "bytes": path.stat().st_size})
    else:
        size = printing.bytes_counted(path.stat().st_size)
        printing.say(f"Wrote {printing.clean_terminal(path)} ({size}).")


def _read(text: str) -> Mapping[str, object]:
    if not text.lstrip().startswith("{"):
        try:
            text = Path(text).read_text(encoding="utf-8")
        except (OSError, ValueError):
            raise ExplorerError(f"{text} cannot be read.", fix="Give a JSON object, or a file of one.") from None
    try:
        answers = json.loads(text)
    except (ValueError, RecursionError):
        answers = None
    if not isinstance(answers, dict):
        raise ExplorerError("The answers are no JSON object.", fix='Write them as {"key": answer}.')
    return answers


def _take(lesson: Lesson, context: Context, ask: Callable[[str], str]) -> None:
    """Block by block, with a question where one is."""
    taking = Taking(lesson, context)
    printing.say(*_head(lesson))
    for step in lesson.steps:
        printing.say("", step.title, "-" * len(step.title))
        for block in step.blocks:
            if isinstance(block, Predict):
                taking.lock(block.key, _answer(block, ask))
            elif isinstance(block, Reveal):
                _show(block, taking.reveal(block), context)
            elif isinstance(block, Check):
                _show(block, taking.verify(block), context)
            elif isinstance(block, Why):
                ask(f"\n{block.question}\n> ")
                printing.say(f"The teacher's answer: {block.answer}")
            else:
                taking.setting = block.example if isinstance(block, Do) else taking.setting
                _show(block, None, context)


def _ask(question: str) -> str:
    sys.stderr.write(question)
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        raise ExplorerError("There is nobody to answer.", fix="Give --answers, or run it in a terminal.")
    return line.strip()


def _answer(block: Predict, ask: Callable[[str], str]) -> Answer:
    """Asked again until it is one."""
    question = f"\n{block.question}\n{_how(block.form)}\n> "
    while True:
        text = ask(question)
        try:
            return checked_answer(block.form, _parsed(block.form, text))
        except ExplorerError as error:
            printing.note(str(error))


def _parsed(form: Form, text: str) -> object:
    if isinstance(form, Choice):
        return form.options[int(text) - 1] if text.isdecimal() and 0 < int(text) <= len(form.options) else text
    try:
        numbers = [float(each.strip().rstrip("%×x")) for each in text.split(",")]
    except ValueError:
        return text
    return numbers if form.kind == "curve" else numbers[0]


def _how(form: Form) -> str:
    if isinstance(form, Choice):
        return "\n".join(f"  {i}. {option}" for i, option in enumerate(form.options, 1))
    if isinstance(form, Number):
        return f"  a number from {form.low:g} to {form.high:g}, in {form.unit}"
    levels = ", ".join(map(percent_asked, form.levels))
    return f"  {len(form.levels)} numbers with commas, in {form.unit}, at {levels}"


def _head(lesson: Lesson) -> list[str]:
    return [lesson.title, "=" * len(lesson.title), f"{lesson.minutes} minutes, on {lesson.model}"]


def _show(block: Block, measured: Measured | None, context: Context) -> None:
    if isinstance(block, Explain):
        printing.say("", block.text)
    elif isinstance(block, Do):
        printing.say("", f"To do in the app: {block.text}", "Here an example setting stands in for your hand.")
    elif isinstance(block, ByHand):
        printing.say("", *in_lines(by_hand(context, block.layer)))
    elif measured is not None:
        rows = [(reading.label, reading.words, provenance(reading.measurement)) for reading in measured.readings]
        printing.say("", *printing.table(("measured now", "value", "origin"), rows))
        printing.say("", *_verdict(block, measured))


def _verdict(block: Block, measured: Measured) -> list[str]:
    if measured.outcome is not None:
        return [measured.outcome.words, *filter(None, [measured.text])]
    if measured.verdict is None or not isinstance(block, Check):
        return []
    holds = "It holds" if measured.verdict.holds else "It does not hold here"
    sure = "." if measured.verdict.is_sure else ", but the interval reaches over the line."
    return [f"Claim: {block.claim}", f"{holds}{sure}"]
