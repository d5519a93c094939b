"""A class that goes on: who may do what, one change at a time, each on disk before the next begins."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from explorer import lessons
from explorer.classroom import keys
from explorer.classroom.challenge import Challenge, EntryResult, TeamEntry, checked_spec
from explorer.classroom.names import new_name
from explorer.classroom.state import CHALLENGE, MOST_STUDENTS, ClassState, Lead, Student, cleaned
from explorer.errors import ExplorerError
from explorer.lessons.lesson import Predict, Why
from explorer.lessons.outcome import checked_answer
from explorer.store.atomic import write_text
from explorer.types.aliases import JsonObject

_ENDED = "The class has ended."


@dataclass(frozen=True)
class Seat:
    """What a student gets: the name that all may see, and the ``token`` that its link holds."""

    token: str
    name: str


class Classroom:
    """One class, for all threads of a server. ``state`` is a frozen value: reading it costs nothing and never waits.

    ``revision`` rises with every change. ``trouble`` is why the last change is not on disk; empty where it is.
    """

    def __init__(self, file: Path, state: ClassState) -> None:
        self._file, self._state = file, state
        self._lock = threading.Lock()
        self._has_ended = False
        self.revision, self.trouble = 1, ""

    @property
    def state(self) -> ClassState:
        """The class as it is now."""
        return self._state

    @property
    def has_ended(self) -> bool:
        """Whether it was ended and erased."""
        return self._has_ended

    def is_teacher(self, key: object) -> bool:
        """Whether this is the teacher's key."""
        return keys.same(keys.digest_of_key(key), self._state.key)

    # What a student does

    def join(self, code: object) -> Seat:
        """A seat for one more student. Raises ExplorerError for another code, and where the class is full."""
        if not keys.same(keys.plain(code), self._state.code):
            raise ExplorerError("This is not the code of the class.", fix="Read it again from the board.")
        seat = Seat(keys.new_seat(), "")

        def joined(state: ClassState) -> ClassState:
            nonlocal seat
            if len(state.students) >= MOST_STUDENTS:
                raise ExplorerError(
                    "The class is full.", why=f"It has {MOST_STUDENTS} students.", fix="Ask for another."
                )
            seat = replace(seat, name=new_name({student.name for student in state.students.values()}))
            return state.with_student(keys.digest(seat.token), Student(seat.name))

        self._change(joined)
        return seat

    def student(self, token: object) -> Student | None:
        """Who sits there; None where nobody does."""
        return self._state.students.get(keys.digest(token)) if token else None

    def move(self, token: object, lesson: str, step: int) -> None:
        """Say where a student is. What is no place of a lesson is none."""
        names = (*lessons.MEMBERS, CHALLENGE)
        at = (lesson, min(max(0, step), _n_steps(lesson) - 1)) if lesson in names else ("", 0)
        present = self.student(token)
        if present is not None and (present.lesson, present.step) != at:
            self._of_student(token, lambda state, student: replace(student, lesson=at[0], step=at[1]), paused=True)

    def answer(self, token: object, lesson: str, key: str, answer: object) -> None:
        """Lock a prediction; one that is locked stays. Raises ExplorerError for what is no answer to a question."""
        block = _block(lesson, key)
        if not isinstance(block, Predict):
            raise ExplorerError("There is no such question.", fix="Answer one of the lesson.")
        value, place = checked_answer(block.form, answer), f"{lesson}/{key}"
        self._of_student(token, lambda _, student: replace(student, answers={place: value, **student.answers}))

    def reason(self, token: object, lesson: str, key: str, text: object) -> None:
        """Take the sentence of a student; one that was given stays. Raises ExplorerError where there is none."""
        sentence, place = cleaned(text), f"{lesson}/{key}"
        if not isinstance(_block(lesson, key), Why) or not sentence:
            raise ExplorerError("There is no sentence.", fix="Write one first.")
        self._of_student(token, lambda _, student: replace(student, reasons={place: sentence, **student.reasons}))

    def enter(self, token: object, spec: object) -> None:
        """Hand in an entry of the challenge, once. Raises ExplorerError for a second one, and for what is no spec."""
        entry = TeamEntry(checked_spec(spec).to_json())

        def entered(_: ClassState, student: Student) -> Student:
            if student.entry is not None:
                why = "Each team looks at the hidden split once."
                raise ExplorerError("Your team has handed in.", why=why, fix="See the board.")
            return replace(student, entry=entry)

        self._of_student(token, entered)

    # What the server does

    def open_entries(self) -> tuple[tuple[str, TeamEntry], ...]:
        """The entries that are still to be measured, by the digests of their seats."""
        students = self._state.students.items()
        return tuple((seat, s.entry) for seat, s in students if s.entry is not None and s.entry.is_open)

    def settle(self, seat: str, entry: TeamEntry, outcome: EntryResult | ExplorerError) -> None:
        """Say what came of an entry; of one that was taken back meanwhile nothing is said."""

        def settled(state: ClassState) -> ClassState:
            student = state.students.get(seat)
            if student is None or student.entry != entry:
                return state
            is_refused = isinstance(outcome, ExplorerError)
            result = TeamEntry(entry.spec, refusal=str(outcome)) if is_refused else TeamEntry(entry.spec, outcome)  # type: ignore[arg-type]
            return state.with_student(seat, replace(student, entry=result))

        self._change(settled)

    # What the teacher does

    def lead(self, change: Callable[[Lead], Lead]) -> None:
        """Change what is set for all."""
        self._change(lambda state: replace(state, lead=change(state.lead)))

    def set_challenge(self, challenge: Challenge) -> None:
        """Another challenge; entries to the old one are taken back where it is about another model."""

        def changed(state: ClassState) -> ClassState:
            is_other = challenge.model != state.challenge.model
            return replace(without_entries(state) if is_other else state, challenge=challenge)

        self._change(changed)

    def reset(self, activity: str) -> None:
        """Take back what was said in a lesson (or all entries of the challenge), so that it can begin again."""
        if activity == CHALLENGE:
            self._change(without_entries)
        else:
            self._change(lambda state: without_answers(state, activity))

    def erase(self) -> None:
        """End the class and remove everything that was stored of it."""
        with self._lock:
            self._has_ended = True
            self._state = replace(ClassState(self._state.name, "", ""), n_resets=self._state.n_resets + 1)
            self.revision += 1
            self._file.unlink(missing_ok=True)

    def _of_student(
        self, token: object, change: Callable[[ClassState, Student], Student], *, paused: bool = False
    ) -> None:
        """Change what is stored of a student; where the class is ``paused`` only what may be then."""
        seat = keys.digest(token)

        def changed(state: ClassState) -> ClassState:
            student = state.students.get(seat)
            if student is None:
                raise ExplorerError("This seat is not in the class.", fix="Join the class again with its code.")
            if state.lead.is_frozen and not paused:
                raise ExplorerError("The class is paused.", fix="Wait until the teacher goes on.")
            return state.with_student(seat, change(state, student))

        self._change(changed)

    def _change(self, change: Callable[[ClassState], ClassState]) -> None:
        with self._lock:
            if self._has_ended:
                raise ExplorerError(_ENDED, fix="Close this page.")
            state = change(self._state)
            if state == self._state:
                return
            self._state = state
            self.revision += 1
            self._write()

    def _write(self) -> None:
        """Put it on disk; a class in a full disk goes on in memory, and its teacher hears why."""
        try:
            write_text(self._file, json.dumps(self._state.to_json()), private=True)
            self.trouble = ""
        except ExplorerError as error:
            logging.getLogger(__name__).exception("The class could not be written.")
            self.trouble = str(error)


def without_entries(state: ClassState) -> ClassState:
    """The same class without anybody's entry."""
    students = {seat: replace(student, entry=None) for seat, student in state.students.items()}
    return replace(state, students=students, n_resets=state.n_resets + 1)


def without_answers(state: ClassState, lesson: str) -> ClassState:
    """The same class without what was said in a lesson, at its first step."""

    def of_others(given: JsonObject) -> JsonObject:
        return {place: value for place, value in given.items() if not place.startswith(f"{lesson}/")}

    students = {
        seat: replace(student, answers=of_others(student.answers), reasons=of_others(student.reasons))
        for seat, student in state.students.items()
    }
    return replace(state, students=students, n_resets=state.n_resets + 1)


def _block(lesson: str, key: str) -> object:
    if lesson not in lessons.MEMBERS:
        return None
    return next((b for b in lessons.lesson(lesson).blocks if getattr(b, "key", None) == key), None)


def _n_steps(lesson: str) -> int:
    return len(lessons.lesson(lesson).steps) if lesson in lessons.MEMBERS else 1
