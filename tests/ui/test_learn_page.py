"""The Learn page without a browser: a lesson from its list to a verified claim, by links, also by wrong ones."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from explorer import lessons
from explorer.lessons.languages import LANGUAGES, translator
from explorer.lessons.request import LessonRequest
from explorer.pruning.spec import PruneSpec
from explorer.ui.learn.sharing import link
from explorer.ui.shell import cache
from explorer.workbench.links import parameters_of, parameters_of_place, place_of
from explorer.workbench.workspace import LessonPlace, Workspace
from tests.lessons.test_lessons import some_answer
from tests.ui.pages import VISITOR, Open, jobs_of, spoken, work_of
from tests.ui.pages import link as setting_link


def button(at: AppTest, label: str) -> None:
    next(each for each in at.button if each.label == label).click()
    at.run()


def measured(at: AppTest) -> AppTest:
    for job in cache.jobs().of(VISITOR):
        assert job.wait(300), job.title
    return at.run()


def at_lesson(visit: Open, place: LessonPlace, **query: str) -> AppTest:
    return visit("learn", **parameters_of_place(place), **query)


def controls_text(**chosen: str) -> str:
    """What a link says of the choices on the pages."""
    return parameters_of(Workspace(), dict(chosen))["controls"]


def test_every_lesson_is_in_the_list_and_begins_with_its_own_model(visit: Open) -> None:
    at = visit("learn", model="digits-mlp")
    assert not at.exception
    for number, name in enumerate(lessons.MEMBERS, 1):
        assert f"{number}. " in spoken(at)
        assert any(each.key == f"begin_{name}" for each in at.button)
    at.button(key="begin_channels").click().run()
    assert not at.exception
    assert work_of(at).source.model == "digits-cnn"
    assert (work_of(at).place.lesson, work_of(at).place.step) == ("channels", 0)


def test_nothing_is_measured_before_the_prediction_is_locked(visit: Open) -> None:
    at = at_lesson(visit, LessonPlace("channels"), model="digits-cnn")
    assert not at.exception
    assert jobs_of(LessonRequest) == []
    assert next(each for each in at.button if each.label == "Next").disabled
    assert next(each for each in at.button if each.label == "Lock my prediction").disabled
    at.number_input[0].set_value(70.0).run()
    assert jobs_of(LessonRequest) == []
    button(at, "Lock my prediction")
    assert "You said 70%" in "".join(each.value for each in measured(at).info)
    assert not next(each for each in at.button if each.label == "Next").disabled
    assert work_of(at).place.answers == {"left": 70.0}
    assert not at.number_input  # a locked prediction cannot be changed


def test_the_link_restores_lesson_step_and_answers(visit: Open) -> None:
    place = LessonPlace("channels", 1, {"left": 70.0, "curve": [90.0, 70.0, 50.0, 30.0, 10.0]})
    at = measured(at_lesson(visit, place, model="digits-cnn"))
    assert not at.exception
    assert "Step 2 of 3" in spoken(at)
    assert any("On average your curve is" in each.value for each in at.info)
    assert at.query_params["lesson"] == "channels"
    assert at.query_params["step"] == "2"


def test_a_claim_is_measured_when_asked_and_a_sentence_brings_the_teachers(visit: Open) -> None:
    at = at_lesson(visit, LessonPlace("channels", 2), model="digits-cnn")
    assert lessons.lesson("channels").steps[2].title in "".join(each.value for each in at.subheader)
    button(at, "Compare with the teacher's")
    assert any("no sentence yet" in each.value for each in at.error)
    at.text_input[0].set_value("Both sides shrink.").run()
    button(at, "Compare with the teacher's")
    assert "The teacher: Input and output channels" in spoken(at)
    button(at, "Measure it")
    assert any("It holds" in each.value for each in measured(at).success)


def test_a_claim_about_ones_own_setting_is_asked_anew_when_a_line_moves(visit: Open) -> None:
    place = LessonPlace("budget", 2)
    at = at_lesson(visit, place, model="digits-resnet", spec=setting_link(allocation="global:sparsity=0.68"))
    button(at, "Measure it")
    assert any("It holds" in each.value for each in measured(at).success)
    n_jobs = len(jobs_of(LessonRequest))
    work_of(at).set(PruneSpec(allocation="global:sparsity=0.9"))
    at.run()
    assert not at.success
    assert any(each.label == "Measure it" for each in at.button)
    assert len(jobs_of(LessonRequest)) == n_jobs
    button(at, "Measure it")
    assert any("does not hold" in each.value for each in measured(at).warning)


def test_a_lesson_is_opened_with_its_model_whatever_the_link_says_of_it(visit: Open) -> None:
    at = at_lesson(visit, LessonPlace("recovery"), model="digits-gru")
    assert not at.exception
    assert work_of(at).source.model == "digits-mlp"


def test_the_link_for_a_class_opens_the_step_without_answers() -> None:
    lesson = lessons.lesson("channels")
    address = link(lesson, 1, ("mode", "presets"), "http://127.0.0.1:8501/learn?lesson=channels&answers=abc")
    assert address == "http://127.0.0.1:8501/learn?model=digits-cnn&lesson=channels&step=2&hide=mode,presets"
    parameters = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert place_of(parameters) == LessonPlace("channels", 1, hide=("mode", "presets"))


def test_a_link_that_was_made_up_leaves_the_questions_open(visit: Open) -> None:
    for answers in ({"left": 1e9}, {"left": "many"}, {"left": True}, {"unknown": 1}, {"curve": ["a"]}):
        at = at_lesson(visit, LessonPlace("channels", 0, dict(answers)), model="digits-cnn")
        assert not at.exception
        assert at.number_input, json.dumps(answers)
    for lesson, step in (("nothing", "1"), ("channels", "99"), ("channels", "-1"), ("channels", "x")):
        at = visit("learn", lesson=lesson, step=step, model="digits-cnn")
        assert not at.exception
    assert work_of(at).place.step == 0


def test_a_link_hides_controls_of_a_lesson(visit: Open) -> None:
    place = LessonPlace("channels", 2)
    at = at_lesson(visit, place, model="digits-cnn")
    assert any(each.label == "30%" for each in at.button)
    place.hide = ("presets",)
    at = at_lesson(visit, place, model="digits-cnn")
    assert not at.exception
    assert not any(each.label == "30%" for each in at.button)
    assert at.query_params["hide"] == "presets"


@pytest.mark.slow
def test_every_step_of_every_lesson_is_drawn_in_every_language(visit: Open) -> None:
    """With its predictions locked, so that charts, claims and histograms are on the page, too."""
    for lesson in lessons.lessons():
        if lesson.name == "tickets":  # it trains for a minute
            continue
        answers = {prediction.key: some_answer(prediction) for prediction in lesson.predictions}
        for language in LANGUAGES:
            t = translator(language)
            for number, step in enumerate(lesson.steps):
                place = LessonPlace(lesson.name, number, dict(answers))
                at = at_lesson(visit, place, model=lesson.model, controls=controls_text(learn_language=language))
                at = measured(at)
                assert not at.exception, (lesson.name, number, language)
                assert [each.value for each in at.subheader] == [t(step.title)]
                assert not at.error, (lesson.name, number, [each.value for each in at.error])
