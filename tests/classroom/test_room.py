"""A class: who gets in, what is taken and what is refused, what a restart brings back, and what erasing leaves."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from explorer import lessons
from explorer.classroom import keys, opening
from explorer.classroom.challenge import EntryResult, TeamEntry
from explorer.classroom.names import ADJECTIVES, ANIMALS
from explorer.classroom.room import Classroom, Seat
from explorer.classroom.state import CHALLENGE, LONGEST_TEXT, MOST_STUDENTS, ClassState
from explorer.errors import ExplorerError
from explorer.pruning.spec import PruneSpec
from tests.lessons.test_lessons import some_answer

OUTCOME = EntryResult("a1b2", 0.24, 0.98, 0.005, -0.004, 0.014, 450)


@pytest.fixture
def begun(tmp_path: Path) -> tuple[Classroom, str]:
    """A new class in a data folder of its own, and its teacher's key."""
    state, key = opening.begin("7b, physics", tmp_path)
    return Classroom(opening.class_file(state.name, tmp_path), state), key


@pytest.fixture
def room(begun: tuple[Classroom, str]) -> Classroom:
    return begun[0]


def again(tmp_path: Path) -> Classroom:
    """The class as another process finds it."""
    file = opening.class_file("7b, physics", tmp_path)
    return Classroom(file, opening.read(file))


def test_only_the_code_lets_a_student_in_however_it_is_typed(room: Classroom) -> None:
    code = room.state.code
    for wrong in ("", None, 7, code[:-1], code + "A", "é" * 5, "x" * 10_000, [code]):
        with pytest.raises(ExplorerError, match="not the code"):
            room.join(wrong)
    for right in (code, code.lower(), f" {code[:2]}-{code[2:]} "):
        assert room.join(right).name
    assert len(room.state.students) == 3


def test_only_the_key_makes_a_teacher_and_it_is_stored_nowhere(begun: tuple[Classroom, str], tmp_path: Path) -> None:
    room, key = begun
    assert room.is_teacher(key)
    assert room.is_teacher(key.lower().replace("-", " "))
    for wrong in ("", None, room.state.code, room.state.key, key[:-1], 0, "é"):
        assert not room.is_teacher(wrong)
    stored = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    assert key not in stored
    assert keys.plain(key) not in stored
    assert opening.begin("7b, physics", tmp_path)[1] == ""  # it is shown once
    other = opening.begin("7b, physics", tmp_path, new_key=True)[1]
    assert again(tmp_path).is_teacher(other)
    assert not again(tmp_path).is_teacher(key)


def test_names_are_an_adjective_and_an_animal_and_nobody_has_anothers(room: Classroom) -> None:
    seats = [room.join(room.state.code) for _ in range(MOST_STUDENTS)]
    assert len({seat.name for seat in seats}) == len({seat.token for seat in seats}) == MOST_STUDENTS
    for seat in seats:
        adjective, _, animal = seat.name.partition("-")
        assert adjective in ADJECTIVES
        assert animal in ANIMALS
    with pytest.raises(ExplorerError, match="full"):
        room.join(room.state.code)


def test_an_answer_is_checked_against_its_question_and_stays_once_it_is_locked(room: Classroom) -> None:
    seat = room.join(room.state.code).token
    for lesson, key, answer in (
        ("channels", "left", 1e9),
        ("channels", "left", "many"),
        ("channels", "left", float("nan")),
        ("channels", "left", True),
        ("channels", "left", None),
        ("channels", "curve", [1.0]),
        ("channels", "nothing", 5.0),
        ("nothing", "left", 5.0),
        ("../x", "left", 5.0),
        ("channels", "both", 5.0),
    ):
        with pytest.raises(ExplorerError):
            room.answer(seat, lesson, key, answer)
    assert room.student(seat).answers == {}  # type: ignore[union-attr]
    room.answer(seat, "channels", "left", 70)
    room.answer(seat, "channels", "left", 10)
    room.answer(seat, "channels", "curve", [90, 70, 50, 30, 10])
    assert room.student(seat).of("channels") == {"left": 70.0, "curve": (90.0, 70.0, 50.0, 30.0, 10.0)}  # type: ignore[union-attr]


def test_a_sentence_is_one_short_line_of_letters_that_print(room: Classroom) -> None:
    seat = room.join(room.state.code).token
    for empty in ("", " \n ", None, 5, ["a"]):
        with pytest.raises(ExplorerError):
            room.reason(seat, "channels", "square", empty)
    room.reason(seat, "channels", "square", "a\n\tb\x00\u202e" + "x" * 5000)
    sentence = room.student(seat).reasons["channels/square"]  # type: ignore[union-attr]
    assert sentence.startswith("a b")
    assert len(sentence) <= LONGEST_TEXT
    assert sentence.isprintable()


def test_a_place_that_is_none_is_no_place(room: Classroom) -> None:
    seat = room.join(room.state.code).token
    for lesson, step, place in (
        ("channels", 1, ("channels", 1)),
        ("channels", 99, ("channels", 2)),
        ("channels", -5, ("channels", 0)),
        ("nothing", 2, ("", 0)),
        (CHALLENGE, 3, (CHALLENGE, 0)),
    ):
        room.move(seat, lesson, step)
        student = room.student(seat)
        assert student is not None
        assert (student.lesson, student.step) == place


def test_nobody_without_a_seat_changes_anything(room: Classroom) -> None:
    before = room.state
    for seat in ("", None, "made up", 5, "x" * 9999):
        assert room.student(seat) is None
        with pytest.raises(ExplorerError, match="seat"):
            room.answer(seat, "channels", "left", 5)
        with pytest.raises(ExplorerError, match="seat"):
            room.enter(seat, PruneSpec().to_json())
    assert room.state == before


def test_while_the_class_is_paused_nothing_is_taken(room: Classroom) -> None:
    seat = room.join(room.state.code).token
    room.lead(lambda lead: replace(lead, is_frozen=True))
    for act in (
        lambda: room.answer(seat, "channels", "left", 70),
        lambda: room.reason(seat, "channels", "square", "why"),
        lambda: room.enter(seat, PruneSpec()),
    ):
        with pytest.raises(ExplorerError, match="paused"):
            act()
    assert room.join(room.state.code).name  # who comes late still gets in
    room.lead(lambda lead: replace(lead, is_frozen=False))
    room.answer(seat, "channels", "left", 70)
    assert room.student(seat).answers == {"channels/left": 70.0}  # type: ignore[union-attr]


def test_an_entry_is_a_spec_handed_in_once_and_says_nothing_of_its_accuracy(room: Classroom) -> None:
    seat = room.join(room.state.code).token
    for wrong in (None, 5, "x", [], {"accuracy": 1.0}, {"criterion": {"key": "nothing"}}, {"x": "y" * 200_000}):
        with pytest.raises(ExplorerError):
            room.enter(seat, wrong)
    spec = PruneSpec(allocation="global:sparsity=0.8")
    room.enter(seat, spec.to_json())
    with pytest.raises(ExplorerError, match="handed in"):
        room.enter(seat, PruneSpec().to_json())
    ((digest, entry),) = room.open_entries()
    assert PruneSpec.from_json(entry.spec) == spec
    room.settle(digest, entry, OUTCOME)
    room.settle(digest, entry, replace(OUTCOME, accuracy=1.0))  # late news of what is settled
    assert room.student(seat).entry == TeamEntry(spec.to_json(), OUTCOME)  # type: ignore[union-attr]
    assert room.open_entries() == ()


def test_a_restart_brings_everything_back(room: Classroom, tmp_path: Path) -> None:
    seat: Seat = room.join(room.state.code)
    room.move(seat.token, "channels", 1)
    room.answer(seat.token, "channels", "curve", [90, 70, 50, 30, 10])
    room.reason(seat.token, "channels", "square", "=1+1")
    room.enter(seat.token, PruneSpec(allocation="global:sparsity=0.8"))
    ((digest, entry),) = room.open_entries()
    room.settle(digest, entry, OUTCOME)
    room.lead(lambda lead: replace(lead, activity="channels", step=1, message="Look up", hide=("mode",)))
    later = again(tmp_path)
    assert later.state == room.state
    student = later.student(seat.token)
    assert student is not None
    assert student.name == seat.name
    assert student.entry == TeamEntry(entry.spec, OUTCOME)


def test_a_reset_takes_back_one_lesson_or_the_entries_alone(room: Classroom) -> None:
    seat = room.join(room.state.code).token
    room.answer(seat, "channels", "left", 70)
    room.reason(seat, "channels", "square", "why")
    room.answer(seat, "histogram", _first_choice("histogram")[0], _first_choice("histogram")[1])
    room.enter(seat, PruneSpec())
    room.reset("channels")
    student = room.student(seat)
    assert student is not None
    assert student.of("channels") == {}
    assert len(student.of("histogram")) == 1
    assert student.entry is not None
    room.reset(CHALLENGE)
    assert room.student(seat).entry is None  # type: ignore[union-attr]
    assert room.state.n_resets == 2


def _first_choice(lesson: str) -> tuple[str, object]:
    question = lessons.lesson(lesson).predictions[0]
    return question.key, some_answer(question)


def test_erasing_leaves_nothing_and_ends_the_class(begun: tuple[Classroom, str], tmp_path: Path) -> None:
    room, key = begun
    seat = room.join(room.state.code).token
    room.reason(seat, "channels", "square", "a secret sentence")
    room.erase()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert room.has_ended
    assert room.state.students == {}
    assert not room.is_teacher(key)
    assert not room.is_teacher("")
    for code in ("", room.state.code, None):
        with pytest.raises(ExplorerError):
            room.join(code)
    with pytest.raises(ExplorerError, match="ended"):
        room.answer(seat, "channels", "left", 70)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_file_that_is_no_class_is_refused_with_its_name(room: Classroom, tmp_path: Path) -> None:
    file = opening.class_file("7b, physics", tmp_path)
    whole = json.loads(file.read_text())
    for text in ("", "{", "[]", "null", "5", '{"version": 1}', json.dumps({**whole, "students": [1]})):
        file.write_text(text)
        with pytest.raises(ExplorerError, match=r"7b-physics.*\.json"):
            opening.read(file)
    for change in ({"version": 2}, {"code": 5}, {"lead": {"x": 1}}, {"students": {"a": {}}}, {"challenge": 1}):
        with pytest.raises(ExplorerError):
            ClassState.from_json({**whole, **change})


def test_thirty_at_once_all_get_in_and_are_all_stored(room: Classroom, tmp_path: Path) -> None:
    def take_part() -> None:
        seat = room.join(room.state.code).token
        room.answer(seat, "channels", "left", 70)
        room.move(seat, "channels", 1)

    threads = [threading.Thread(target=take_part) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(room.state.students) == 30
    assert all(student.answers and student.step == 1 for student in room.state.students.values())
    assert again(tmp_path).state == room.state


def test_a_class_that_cannot_be_written_goes_on_in_memory_and_says_why(room: Classroom, tmp_path: Path) -> None:
    file = opening.class_file("7b, physics", tmp_path)
    file.unlink()
    file.mkdir()
    seat = room.join(room.state.code)
    assert room.student(seat.token) is not None
    assert "could not be written" in room.trouble


def test_a_name_is_a_short_text_and_names_that_look_alike_have_files_of_their_own(tmp_path: Path) -> None:
    for wrong in ("", "  ", "a\nb", "x" * 61, "\x1b[2J"):
        with pytest.raises(ExplorerError):
            opening.begin(wrong, tmp_path)
    files = {opening.class_file(name, tmp_path) for name in ("7b", "7B", "7-b", "../7b", "7b/", "Ü")}
    assert len(files) == 6
    assert {file.parent for file in files} == {tmp_path / "classes"}
