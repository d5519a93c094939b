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
from explorer.lessons.languages import Translate, translator
from explorer.lessons.lesson import (
    Answer,
    Block,
    ByHand,
    ChoiceQuestion,
    Claim,
    Do,
    Explain,
    Form,
    Lesson,
    Number,
    Predict,
    Reveal,
    Why,
)
from explorer.lessons.outcome import checked_answer, in_words
from explorer.lessons.taking import MeasuredBlock, Taking, take, to_json
from explorer.pruning.spec import PruneSpec
from explorer.tasks.context import Context
from explorer.text.numbers import percent_asked, provenance

_EXAMPLE = "Here an example setting stands in for your hand."


def run(args: Arguments) -> int:
    """List, take, or write."""
    if args.name is None:
        _list(args)
        return 0
    lesson, t = lessons.lesson(args.name), translator(args.language)
    if args.output is not None:
        path = write(lesson, Path(args.output), is_teachers=args.teacher, t=t, force=args.force)
        _wrote(args, path)
        return 0
    context = Taking.of(lesson).context
    answers = None if args.answers is None else _read(args.answers)
    if answers is None and args.json:
        keys = ", ".join(prediction.key for prediction in lesson.predictions)
        raise ExplorerError("With --json nothing can be asked.", fix=f"Give --answers, a JSON object of: {keys}.")
    if answers is None:
        _take(Taking(lesson, context, t=t), _ask)
    elif args.json:
        printing.say_json(to_json(lesson, take(lesson, context, answers, t), answers))
    else:
        taken = take(lesson, context, answers, t)
        printing.say(*_head(lesson, t))
        setting = PruneSpec()
        for block, measured in taken:
            setting = block.example if isinstance(block, Do) else setting
            _show(block, measured, (context, setting), t)
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


def _take(taking: Taking, ask: Callable[[str], str]) -> None:
    """Block by block, with a question where one is."""
    context, t = taking.context, taking.t
    printing.say(*_head(taking.lesson, t))
    for step in taking.lesson.steps:
        printing.say("", t(step.title), "-" * len(t(step.title)))
        for block in step.blocks:
            if isinstance(block, Predict):
                taking.lock(block.key, _answer(block, ask, t))
            elif isinstance(block, Reveal):
                _show(block, taking.reveal(block), (context, taking.setting), t)
            elif isinstance(block, Claim):
                _show(block, taking.verify(block), (context, taking.setting), t)
            elif isinstance(block, Why):
                ask(f"\n{t(block.question)}\n> ")
                printing.say(f"{t('The teacher:')} {t(block.answer)}")
            else:
                taking.setting = block.example if isinstance(block, Do) else taking.setting
                _show(block, None, (context, taking.setting), t)


def _ask(question: str) -> str:
    sys.stderr.write(question)
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        raise ExplorerError("There is nobody to answer.", fix="Give --answers, or run it in a terminal.")
    return line.strip()


def _answer(block: Predict, ask: Callable[[str], str], t: Translate) -> Answer:
    """Asked again until it is one."""
    question = f"\n{t(block.question)}\n{_how(block.form, t)}\n> "
    while True:
        text = ask(question)
        try:
            return checked_answer(block.form, _parsed(block.form, text))
        except ExplorerError as error:
            printing.note(str(error))


def _parsed(form: Form, text: str) -> object:
    if isinstance(form, ChoiceQuestion):
        return form.options[int(text) - 1] if text.isdecimal() and 0 < int(text) <= len(form.options) else text
    try:
        numbers = [float(each.strip().rstrip("%×x")) for each in text.split(",")]
    except ValueError:
        return text
    return numbers if form.kind == "curve" else numbers[0]


def _how(form: Form, t: Translate) -> str:
    if isinstance(form, ChoiceQuestion):
        return "\n".join(f"  {i}. {t(option)}" for i, option in enumerate(form.options, 1))
    if isinstance(form, Number):
        return f"  a number from {form.low:g} to {form.high:g}, in {form.unit}"
    levels = ", ".join(map(percent_asked, form.levels))
    return f"  {len(form.levels)} numbers with commas, in {form.unit}, at {levels}"


def _head(lesson: Lesson, t: Translate) -> list[str]:
    title = t(lesson.title)
    return [title, "=" * len(title), f"{lesson.minutes} {t('minutes')}, {t('on')} {lesson.model}"]


def _show(block: Block, measured: MeasuredBlock | None, here: tuple[Context, PruneSpec], t: Translate) -> None:
    if isinstance(block, Explain):
        printing.say("", t(block.text))
    elif isinstance(block, Do):
        printing.say("", f"{t('To do in the app:')} {t(block.text)}", t(_EXAMPLE))
    elif isinstance(block, ByHand):
        printing.say("", *in_lines(by_hand(here[0], block.layer, here[1])))
    elif measured is not None:
        rows = [(t(reading.label), reading.words, provenance(reading.measurement)) for reading in measured.readings]
        printing.say("", *printing.table((t("measured now"), t("value"), t("origin")), rows))
        printing.say("", *_verdict(block, measured, t))


def _verdict(block: Block, measured: MeasuredBlock, t: Translate) -> list[str]:
    if measured.outcome is not None:
        return [measured.outcome.words, *filter(None, [measured.text])]
    if measured.verdict is None or not isinstance(block, Claim):
        return []
    return [f"{t('Claim:')} {t(block.claim)}", t(in_words(measured.verdict))]
