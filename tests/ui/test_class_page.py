"""A class on the screen without a browser: who is not the teacher sees the board, who is leads, and students follow."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from explorer.classroom import Classroom, EntryRequest, begin
from explorer.classroom.challenge import EntryResult
from explorer.classroom.opening import class_file
from explorer.data.given import given_data
from explorer.lessons.class_words import CLASS_SENTENCES
from explorer.lessons.languages import SENTENCES
from explorer.pruning.spec import PruneSpec
from explorer.store.looks import looks
from explorer.tasks.context import Context
from explorer.ui import pages
from explorer.ui.classroom import page as classroom_page
from explorer.ui.classroom.sharing import link_to
from explorer.ui.shell import cache
from explorer.workbench.links import parameters_of, restore
from explorer.workbench.workspace import LessonPlace, Workspace
from tests.ui.pages import VISITOR, Open, link, spoken, work_of

WIDGETS = {"button", "caption", "markdown", "header", "subheader", "selectbox", "multiselect", "toggle", "text_input"}
WIDGETS |= {"number_input", "popover", "expander", "form_submit_button", "download_button", "warning"}


@pytest.fixture
def led(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[Classroom, str]:
    """A class that this server leads, and its teacher's key."""
    monkeypatch.setenv("PRUNING_EXPLORER_DATA", str(tmp_path / "data"))
    state, key = begin("7b")
    room, teachers = Classroom(class_file("7b"), state), set[str]()
    monkeypatch.setattr(cache, "classroom", lambda: room)
    monkeypatch.setattr(cache, "teachers", lambda: teachers)
    return room, key


def press(at: AppTest, label: str) -> AppTest:
    next(button for button in at.button if button.label == label).click()
    at.run()
    assert not at.exception
    return at


def measured(at: AppTest) -> AppTest:
    for job in cache.jobs().of(VISITOR):
        assert job.wait(300), job.title
    at.run()
    assert not at.exception
    return at


def joined(visit: Open, room: Classroom) -> AppTest:
    at = visit("learn", **{"class": room.state.code, "model": "digits-cnn"})
    assert not at.exception
    return press(at, "Join")


def test_without_a_class_there_is_no_page_of_it_and_no_door(visit: Open) -> None:
    assert pages.CLASSROOM not in pages.MEMBERS
    at = visit("learn", **{"class": "ABCDE"})
    assert not at.exception
    assert not any(button.label == "Join" for button in at.button)


def test_the_link_that_was_scanned_holds_the_code_and_then_the_seat(visit: Open, led: tuple[Classroom, str]) -> None:
    room, _ = led
    at = joined(visit, room)
    (student,) = room.state.students.values()
    assert student.name in spoken(at)
    seat = at.query_params["seat"]
    assert "class" not in at.query_params
    again = visit("learn", seat=seat)  # F5, or another browser with this link
    assert student.name in spoken(again)
    assert len(room.state.students) == 1


def test_a_wrong_code_and_a_seat_that_was_made_up_let_nobody_in(visit: Open, led: tuple[Classroom, str]) -> None:
    room, _ = led
    at = visit("learn", **{"class": "WRONG"})
    press(at, "Join")
    assert any("not the code" in error.value for error in at.error)
    at = visit("learn", seat="made-up")
    assert not at.exception
    assert any(button.label == "Join" for button in at.button)
    assert room.state.students == {}


def test_students_go_where_the_class_is_and_see_no_measurement_before_the_teacher_reveals_it(
    visit: Open, led: tuple[Classroom, str]
) -> None:
    room, _ = led
    at = joined(visit, room)
    room.lead(lambda lead: replace(lead, activity="channels", message="Look up"))
    at.run()
    assert (work_of(at).place.lesson, work_of(at).place.step) == ("channels", 0)
    assert any("Look up" in info.value for info in at.info)
    assert not any(button.label in ("Next", "All lessons") for button in at.button)
    at.number_input[0].set_value(70.0).run()
    press(at, "Lock my prediction")
    (student,) = room.state.students.values()
    assert student.answers == {"channels/left": 70.0}
    assert (student.lesson, student.step) == ("channels", 0)
    assert "The teacher reveals" in spoken(at)
    assert not any("You said" in info.value for info in at.info)
    room.lead(lambda lead: replace(lead, is_revealed=True))
    at = measured(at.run())
    assert any("You said 70%" in info.value for info in at.info)


def test_while_paused_nothing_can_be_locked_and_a_reset_opens_the_question_again(
    visit: Open, led: tuple[Classroom, str]
) -> None:
    room, _ = led
    at = joined(visit, room)
    room.lead(lambda lead: replace(lead, activity="channels", is_frozen=True))
    at.run()
    at.number_input[0].set_value(70.0).run()
    assert next(button for button in at.button if button.label == "Lock my prediction").disabled
    room.lead(lambda lead: replace(lead, is_frozen=False))
    at.run()
    press(at, "Lock my prediction")
    assert not at.number_input
    room.reset("channels")
    at.run()
    assert not at.exception
    assert at.number_input
    assert work_of(at).place.answers == {}


def test_a_link_does_not_say_what_a_student_of_a_class_has_answered(visit: Open, led: tuple[Classroom, str]) -> None:
    room, _ = led
    seat = room.join(room.state.code).token
    forged = Workspace(place=LessonPlace("channels", 0, {"left": 99.0}), seat=seat)
    at = visit("learn", **parameters_of(forged), model="digits-cnn")
    assert not at.exception
    assert at.number_input
    assert work_of(at).place.answers == {}


def test_the_teacher_hides_a_control_and_a_page_for_students_alone(
    visit: Open, led: tuple[Classroom, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    room, _ = led
    at = joined(visit, room)
    hidden = ("presets", "search", "x;}", "leave_lesson")
    room.lead(lambda lead: replace(lead, activity="channels", step=2, hide=hidden))
    at.run()
    assert not at.exception
    assert not any(button.label == "30%" for button in at.button)
    bodies: list[str] = []
    monkeypatch.setattr(st, "html", bodies.append)
    visit("explore", seat=work_of(at).seat)  # the frame, which all pages share
    assert any(".st-key-leave_lesson, .st-key-presets, .st-key-search { display: none" in body for body in bodies)
    assert not any("x;}" in body for body in bodies)
    bodies.clear()
    visit("explore")
    assert bodies
    assert not any(".st-key-leave_lesson" in body for body in bodies)


def test_only_the_key_opens_the_desk_and_the_desk_leads(visit: Open, led: tuple[Classroom, str]) -> None:
    room, key = led
    at = visit("classroom")
    assert not at.exception
    assert not any(button.label == "Freeze" for button in at.button)
    at.text_input(key="class_key").set_value("AAAA-BBBB-CCCC-DDDD")
    press(at, "Come in")
    assert any("not the teacher's key" in error.value for error in at.error)
    at.text_input(key="class_key").set_value(key.lower())
    press(at, "Come in")
    assert any(button.label == "Freeze" for button in at.button)
    at.selectbox(key="class_activity").select("channels").run()
    press(at, "Next")
    press(at, "Reveal")
    press(at, "Freeze")
    lead = room.state.lead
    assert (lead.activity, lead.step, lead.is_revealed, lead.is_frozen) == ("channels", 1, True, True)
    press(at, "Back")
    assert not room.state.lead.is_revealed
    at.text_input(key="class_message").set_value("Look\x00 up")
    press(at, "Show")
    assert room.state.lead.message.startswith("Look")
    assert room.state.lead.message.isprintable()


def test_the_desk_counts_predictions_and_shows_sentences_without_names(visit: Open, led: tuple[Classroom, str]) -> None:
    room, _ = led
    seats = [room.join(room.state.code).token for _ in range(3)]
    for seat, guess in zip(seats, (30, 70, 70), strict=True):
        room.answer(seat, "channels", "left", guess)
        room.reason(seat, "channels", "square", f"[both](http://x) sides {guess}")
    cache.teachers().add(VISITOR)
    room.lead(lambda lead: replace(lead, activity="channels"))
    at = visit("classroom")
    assert not at.exception
    assert "3 of 3 have locked a prediction" in spoken(at)
    room.lead(lambda lead: replace(lead, step=2))
    at.run()
    text = spoken(at)
    assert text.count("sides 70") == 2
    assert "](http" not in text  # what students write is no Markdown
    place = text.index("3 of 3 have written")
    assert not any(student.name in text[place:] for student in room.state.students.values())


def test_an_entry_is_measured_by_the_server_and_looks_at_the_hidden_split_once_a_team(
    visit: Open, led: tuple[Classroom, str], tmp_path: Path
) -> None:
    room, _ = led
    at = joined(visit, room)
    room.lead(lambda lead: replace(lead, activity="challenge"))
    at.run()
    assert work_of(at).source.model == "digits-resnet"
    work_of(at).set(PruneSpec(allocation="global:sparsity=0.7"))
    at.run()
    press(at, "Hand in")
    at = measured(at)
    (student,) = room.state.students.values()
    assert student.entry is not None
    outcome = student.entry.outcome
    assert outcome is not None
    assert outcome.n == 450
    assert any("The challenge is not met" in info.value for info in at.info)
    assert not any(button.label == "Hand in" for button in at.button)
    model = cache.model("digits-resnet", None, cache.NOTHING)
    assert looks(model.digest, given_data(None, model).digest, tmp_path / "data") == 1
    board = visit("classroom")
    assert not board.exception
    assert student.name not in spoken(board)
    assert len(board.dataframe[0].value) == 1


def test_a_class_that_ended_is_said_to_everybody(visit: Open, led: tuple[Classroom, str]) -> None:
    room, _ = led
    at = joined(visit, room)
    room.erase()
    at.run()
    assert not at.exception
    assert any("The class has ended" in info.value for info in at.info)
    assert any("The class has ended" in error.value for error in visit("classroom").error)


def test_the_link_builder_joins_lesson_step_hidden_controls_and_setting() -> None:
    work = Workspace(spec=PruneSpec(allocation="global:sparsity=0.7"))
    address = link_to(work, LessonPlace("channels", 1, hide=("mode", "search")), with_spec=True)
    query = dict(part.split("=") for part in address.partition("?")[2].split("&"))
    opened, refusals = restore(query)
    assert refusals == ()
    assert opened.place == LessonPlace("channels", 1, hide=("mode", "search"))
    assert opened.spec == work.spec
    assert query["spec"] == link(allocation="global:sparsity=0.7")


def test_teams_that_hand_in_equal_settings_are_measured_once_and_both_are_told(
    visit: Open, led: tuple[Classroom, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    measurements: list[EntryRequest] = []
    measure = EntryRequest.run

    def counted(request: EntryRequest, context: Context) -> Iterator[EntryResult]:
        measurements.append(request)
        return measure(request, context)

    monkeypatch.setattr(EntryRequest, "run", counted)
    room, _ = led
    room.lead(lambda lead: replace(lead, activity="challenge"))
    screens = [joined(visit, room) for _ in range(2)]
    for at in screens:
        work_of(at).set(PruneSpec(allocation="global:sparsity=0.7"))
        at.run()
        press(at, "Hand in")
    for at in screens:
        measured(at)
    first, second = (student.entry for student in room.state.students.values())
    assert first is not None
    assert second is not None
    assert first.outcome == second.outcome is not None
    assert len(measurements) == 1


def test_the_whole_page_of_a_class_is_in_the_language_that_was_chosen(visit: Open, led: tuple[Classroom, str]) -> None:
    room, _ = led
    room.join(room.state.code)
    cache.teachers().add(VISITOR)
    room.lead(lambda lead: replace(lead, activity="channels"))
    at = visit("classroom")
    at.selectbox(key="learn_language").set_value("de").run()
    assert not at.exception
    labels = {each.label for kind in (at.button, at.selectbox, at.toggle, at.text_input) for each in kind}
    assert {"Anhalten", "Zeigen", "Alle machen", "Namen auf der Tafel", "Nachricht an alle"} <= labels
    assert "Klasse 7b" in [header.value for header in at.header]
    assert {tab.label for tab in at.tabs} == {"Antworten", "Tafel", "Links", "Daten"}
    same = {"Links"}
    assert labels & (set(CLASS_SENTENCES) - same) == set()


def test_nothing_is_said_on_the_page_of_a_class_that_is_not_in_the_catalogues() -> None:
    """Every text that is handed to Streamlit goes through a translation, and each of those is a known sentence."""
    for path in Path(classroom_page.__file__).parent.glob("*.py"):
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            first = call.args[0] if call.args else None
            if isinstance(call.func, ast.Attribute) and call.func.attr in WIDGETS and isinstance(first, ast.Constant):
                raise AssertionError(f"{path.name}: {first.value!r} is not translated")
            is_translated = isinstance(call.func, ast.Name) and call.func.id == "t"
            if is_translated and isinstance(first, ast.Constant):
                assert first.value in SENTENCES, (path.name, first.value)
