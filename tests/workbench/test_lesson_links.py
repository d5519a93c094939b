"""Where a learner is travels in the link, and what a link makes up does no harm."""

from __future__ import annotations

from explorer.workbench.links import parameters_of, place_of, restore
from explorer.workbench.workspace import LessonPlace, Source, Workspace


def test_a_place_in_a_lesson_survives_its_link() -> None:
    answers = {"n": 40.0, "choice": "a, b", "curve": [1.0, 2.5], "check": True}
    place = LessonPlace("channels", 2, answers, ("mode", "presets"))
    work = Workspace(place=place)
    restored, refusals = restore(parameters_of(work))
    assert refusals == ()
    assert restored.place == place


def test_outside_of_lessons_a_link_says_nothing_of_them() -> None:
    assert parameters_of(Workspace()) == {}
    assert place_of({}) == LessonPlace()


def test_another_model_leaves_the_lesson_open() -> None:
    work = Workspace(place=LessonPlace("channels", 1))
    work.open(Source("digits-mlp"))
    assert work.place == LessonPlace("channels", 1)


def test_a_step_or_answers_that_were_made_up_are_none() -> None:
    for step in ("-3", "x", "9" * 400, "²", "1.5"):
        assert place_of({"lesson": "channels", "step": step}).step == 0
    for text in ("!!", "eJw", "a" * 50_000):
        assert place_of({"lesson": "channels", "answers": text}).answers == {}
