"""Every claim of every lesson, measured; and what each lesson must say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from explorer import lessons
from explorer.errors import ExplorerError
from explorer.lessons.lesson import ChoiceQuestion, Claim, Explain, Lesson, Number, Predict, Reveal
from explorer.lessons.outcome import right_option
from explorer.lessons.request import Readings
from explorer.lessons.taking import MeasuredBlock, Taking, take

TEXTS = Path(lessons.__file__).parent / "texts"
SLOW = {"tickets"}  # it trains several networks
NAMES = [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in lessons.MEMBERS]


def some_answer(prediction: Predict) -> object:
    form = prediction.form
    if isinstance(form, ChoiceQuestion):
        return form.options[0]
    middle = (form.low + form.high) / 2
    return middle if isinstance(form, Number) else [middle] * len(form.levels)


def taken(lesson: Lesson) -> dict[str, MeasuredBlock]:
    answers = {prediction.key: some_answer(prediction) for prediction in lesson.predictions}
    results = take(lesson, Taking.of(lesson).context, answers)
    return {result.key: result for _, result in results if result is not None}


# What each prediction of a lesson comes to, told in its text: the answer of a choice, or the range of a number.
RIGHT: dict[str, dict[str, object]] = {
    "histogram": {"quarter": (0.6, 0.9), "energy": "less than a tenth"},
    "threshold": {"most": "block2.conv2", "first": (0.0, 0.2), "better": "one value for all"},
    "sensitivity": {"weakest": "stem.conv"},
    "budget": {"how": "one value for all layers"},
    "time": {"fewer": (7.5, 10.0), "sliced": (0.5, 20.0)},
    "tickets": {"ticket": (0.8, 0.97), "controls": "the ticket", "dense": "the small dense network"},
    "harm": {"worst": "1", "changed": (0.01, 0.06), "noise": "on noisy pictures"},
    "recovery": {"before": (0.2, 0.5), "after": (0.93, 1.0), "chance": "three fifths to nine tenths"},
    "channels": {"left": (0.5, 0.65)},
    "language": {"half": (0.38, 0.45), "best": "Wanda: magnitude times input"},
    "files": {"plain": (1.0, 1.0), "csr": "as large as the dense one, or larger"},
}


def is_right(lesson: Lesson, key: str, readings: Readings, right: object) -> bool:
    form = lesson.prediction(key).form
    if isinstance(form, ChoiceQuestion):
        return right_option(form, readings) == right
    assert isinstance(right, tuple)
    low, high = right
    return bool(low <= readings[0].value <= high)


@pytest.mark.parametrize("name", NAMES)
def test_every_claim_of_a_lesson_holds_and_every_prediction_comes_out_as_it_tells(name: str) -> None:
    lesson = lessons.lesson(name)
    results = taken(lesson)
    assert {
        key for key, right in RIGHT[name].items() if not is_right(lesson, key, results[key].readings, right)
    } == set()
    checks = {block.key: results[block.key].verdict for block in lesson.blocks if isinstance(block, Claim)}
    assert checks
    assert {key: verdict.words for key, verdict in checks.items() if verdict is None or not verdict.holds} == {}
    for block in lesson.blocks:
        if isinstance(block, Reveal):
            assert "{" not in results[block.of].text
            assert all(reading.measurement.origin in ("counted", "measured") for reading in results[block.of].readings)


def test_every_text_is_a_lesson_and_every_lesson_has_its_text() -> None:
    assert sorted(path.stem for path in TEXTS.glob("*.md")) == sorted(lessons.MEMBERS)
    assert [lesson.name for lesson in lessons.lessons()] == list(lessons.MEMBERS)
    assert set(RIGHT) == set(lessons.MEMBERS)


def test_every_lesson_is_short_and_names_its_misconception_source_and_answer() -> None:
    for lesson in lessons.lessons():
        assert 5 <= lesson.minutes <= 8, lesson.name
        assert 3 <= len(lesson.steps) <= 6, lesson.name
        assert all(len(text) > 20 for text in (lesson.misconception, lesson.source, lesson.answer)), lesson.name
        assert re.search(r"\d{4}", lesson.source), lesson.name


def test_no_text_of_a_lesson_holds_a_measured_number() -> None:
    """A percentage in a text is a level that its own measures ask for; everything else is filled in when measured."""
    for name in lessons.MEMBERS:
        lesson = lessons.lesson(name)
        source = (TEXTS / f"{name}.md").read_text(encoding="utf-8")
        levels = {round(100 * float(share), 6) for share in re.findall(r"0\.\d+", source)} | {100.0}
        texts = [block.text for block in lesson.blocks if isinstance(block, Explain | Reveal)]
        numbers = {float(n) for text in texts for n in re.findall(r"(\d+(?:\.\d+)?) ?%(?!\})", text)}
        assert {n for n in numbers if round(n, 6) not in levels} == set(), name


def test_a_lesson_that_is_not_there_is_refused_in_a_sentence() -> None:
    with pytest.raises(ExplorerError, match="There is no lesson 'nothing'"):
        lessons.lesson("nothing")
