"""A lesson as a Jupyter notebook: its cells ask, measure and check with the library, and are tagged for nbgrader."""

from __future__ import annotations

import json

from explorer import models
from explorer.data import load as load_data
from explorer.lessons.languages import Translate
from explorer.lessons.lesson import (
    Block,
    ByHand,
    ChoiceQuestion,
    Claim,
    CurveQuestion,
    Do,
    Explain,
    Form,
    Lesson,
    Predict,
    Reveal,
    Why,
)
from explorer.pruning.plan import plan
from explorer.pruning.spec import PruneSpec
from explorer.text.numbers import percent_asked
from explorer.types.aliases import JsonDict

_FORMAT, _MINOR = 4, 5
_START = """import explorer as ex
from explorer.lessons import lesson
from explorer.lessons.taking import Taking

taking = Taking.of(lesson({name!r}))"""


def text(lesson: Lesson, is_teachers: bool, t: Translate) -> str:
    """The notebook's JSON. Without the teacher's notes its answers are empty."""
    cells = [_markdown(_head(lesson, is_teachers, t)), _code(_START.format(name=lesson.name))]
    for step in lesson.steps:
        cells.append(_markdown(f"## {t(step.title)}"))
        for block in step.blocks:
            cells += _cells(lesson, block, is_teachers, t)
    numbered = [cell | {"id": f"{lesson.name}-{i}"} for i, cell in enumerate(cells)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    about = {"kernelspec": kernel, "language_info": {"name": "python"}}
    notebook = {"cells": numbered, "metadata": about, "nbformat": _FORMAT, "nbformat_minor": _MINOR}
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _head(lesson: Lesson, is_teachers: bool, t: Translate) -> str:
    lines = [f"# {t(lesson.title)}", f"{lesson.minutes} {t('minutes')}, {t('on')} {lesson.model}."]
    if is_teachers:
        lines += [
            f"*It corrects:* {t(lesson.misconception)}",
            f"*At the end:* {t(lesson.answer)}",
            f"*Source:* {lesson.source}",
        ]
    return "\n\n".join(lines)


def _cells(lesson: Lesson, block: Block, is_teachers: bool, t: Translate) -> list[JsonDict]:
    if isinstance(block, Explain):
        return [_markdown(t(block.text))]
    if isinstance(block, Predict):
        return [_markdown(f"**Predict.** {t(block.question)}"), _prediction(block)]
    if isinstance(block, Reveal):
        return [_code(f"taking.reveal({block.of!r})")]
    if isinstance(block, Do):
        return [_markdown(f"**Do.** {t(block.text)}"), _setting(lesson, block), _masks(lesson, block)]
    if isinstance(block, Why):
        answer = t(block.answer) if is_teachers else "Your sentence."
        return [_markdown(f"**Why?** {t(block.question)}"), _markdown(answer, _graded(block.key, 1, solution=True))]
    if isinstance(block, Claim):
        lines = (
            f"measured = taking.verify({block.key!r})\nassert measured.verdict.holds, measured.verdict.words\nmeasured"
        )
        return [_markdown(f"**Check.** {t(block.claim)}"), _code(lines, _graded(block.key, 1, locked=True))]
    return _by_hand(block)


def _by_hand(block: ByHand) -> list[JsonDict]:
    call = f"in_lines(by_hand(taking.context, {block.layer!r}, taking.setting))"
    lines = f"from explorer.lessons.by_hand import by_hand, in_lines\n\nprint(*{call}, sep='\\n')"
    return [_markdown("**By hand.** One output, number by number."), _code(lines)]


def _prediction(block: Predict) -> JsonDict:
    middle, how = _blank(block.form)
    lines = f"answer = {middle}  # {how}\ntaking.lock({block.key!r}, answer)"
    return _code(lines, _graded(block.key, 0, solution=True))


def _blank(form: Form) -> tuple[str, str]:
    """An answer that is there before the learner's own, and what may stand in its place."""
    if isinstance(form, ChoiceQuestion):
        return repr(form.options[0]), f"one of: {', '.join(form.options)}"
    middle = (form.low + form.high) / 2
    if isinstance(form, CurveQuestion):
        levels = ", ".join(map(percent_asked, form.levels))
        return repr([middle] * len(form.levels)), f"in {form.unit}, at {levels}"
    return f"{middle:g}", f"from {form.low:g} to {form.high:g}, in {form.unit}"


def _setting(lesson: Lesson, block: Do) -> JsonDict:
    request = json.dumps(block.example.to_json())
    lines = (
        f"taking.setting = ex.PruneSpec.from_json({request!r})\nprint(ex.evaluate({lesson.model!r}, taking.setting))"
    )
    return _code(lines)


def _masks(lesson: Lesson, block: Do) -> JsonDict:
    """That the same setting gives the masks that it gave where the hand-out was written."""
    model = models.load(lesson.model)
    data = load_data(model.data or "none", model=model)
    digest = plan(model, block.example, data=data).digest
    request = json.dumps(block.example.to_json())
    lines = f"""example = ex.PruneSpec.from_json({request!r})
assert ex.plan(taking.context.model, example).digest == {digest!r}"""
    return _code(lines, _graded(f"masks-{PruneSpec.from_json(request).digest}", 1, locked=True))


def _graded(key: str, points: int, *, solution: bool = False, locked: bool = False) -> JsonDict:
    """What nbgrader reads of a cell: its answer is the learner's, or its asserts are the teacher's."""
    return {
        "nbgrader": {
            "grade": points > 0,
            "grade_id": key,
            "locked": locked,
            "points": points,
            "schema_version": 3,
            "solution": solution,
            "task": False,
        }
    }


def _markdown(source: str, metadata: JsonDict | None = None) -> JsonDict:
    return {"cell_type": "markdown", "metadata": metadata or {}, "source": source}


def _code(source: str, metadata: JsonDict | None = None) -> JsonDict:
    about: JsonDict = {"execution_count": None, "outputs": []}
    return {"cell_type": "code", "metadata": metadata or {}, "source": source, **about}
