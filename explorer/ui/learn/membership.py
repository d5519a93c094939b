"""A student in a class: joins, takes lesson and step from the class, and what was said goes there."""

from __future__ import annotations

from functools import partial

import streamlit as st

from explorer import lessons
from explorer.classroom import CHALLENGE, Classroom, Lead, Student
from explorer.errors import ExplorerError
from explorer.lessons.languages import Translate
from explorer.lessons.lesson import Lesson, Predict, Why
from explorer.text.names import clean_markdown
from explorer.ui.classroom import measuring
from explorer.ui.shell import cache, session
from explorer.workbench.workspace import LessonPlace, Workspace

_CODE, _SEEN, _RESETS, _EVERY_S = "class_code", "_class_seen", "_class_resets", 2.0


def room_of(work: Workspace) -> Classroom | None:
    """The class in which this visitor has a seat; None for everybody else."""
    room = cache.classroom()
    return room if room is not None and room.student(work.seat) is not None else None


def lead_of(work: Workspace) -> Lead:
    """What the teacher has set for this visitor; nothing for who is in no class."""
    room = room_of(work)
    return Lead() if room is None else room.state.lead


def door(work: Workspace, t: Translate) -> None:
    """Where a class is led, and this visitor has no seat in it: the way in."""
    room = cache.classroom()
    if room is None:
        return
    if room.has_ended:
        if work.seat:
            st.info(t("The class has ended. Thank you."), icon=":material/waving_hand:")
        return
    with st.container(border=True, key="join_card"), st.form("class_join", border=False):
        st.markdown(f"**{t('Join the class {name}').format(name=clean_markdown(room.state.name))}**")
        st.caption(t("You get a name by chance. No account; only your answers are stored, on the teacher's machine."))
        if _CODE not in st.session_state:
            st.session_state[_CODE] = work.invitation
        st.text_input(t("Code of the class"), key=_CODE, max_chars=20)
        st.form_submit_button(t("Join"), type="primary", on_click=partial(_join, work, room))


def _join(work: Workspace, room: Classroom) -> None:
    try:
        seat = room.join(st.session_state.get(_CODE, ""))
    except ExplorerError as error:
        session.notify(error)
        return
    work.seat, work.invitation, work.place = seat.token, "", LessonPlace(hide=work.place.hide)
    remember_news(room, work)


def remember_news(room: Classroom, work: Workspace) -> None:
    """Remember what this page shows of the class, so that news are known."""
    st.session_state[_SEEN] = _news(room, work)


def _news(room: Classroom, work: Workspace) -> tuple[object, ...]:
    student = room.student(work.seat)
    state = room.state
    return (state.lead, state.n_resets, room.has_ended, state.challenge, None if student is None else student.entry)


def attend(work: Workspace) -> None:
    """Remember what is shown now, at the end of what depends on the class; and look for news from here on."""
    room = cache.classroom()
    if room is not None and work.seat:
        remember_news(room, work)
        _follow()


@st.fragment(run_every=_EVERY_S)
def _follow() -> None:
    """Look every two seconds whether the class has news for this page; only then it is drawn again."""
    room, work = cache.classroom(), session.workspace()
    if room is None or not work.seat:
        return
    measuring.settle(room)
    if st.session_state.get(_SEEN) != _news(room, work):
        st.rerun()


def take_place(work: Workspace, room: Classroom) -> bool:
    """Go where the class is, say where this student is, and take what was said from the class.

    True where that is another step than before: it then begins at its own setting.
    """
    lead, before = room.state.lead, (work.place.lesson, work.place.step)
    if lead.activity:
        step = lead.step if lead.activity in lessons.MEMBERS else 0
        if work.place.lesson != lead.activity:
            work.place = LessonPlace(lead.activity, step, hide=work.place.hide)
        work.place.step = step
    _forget_what_was_reset(work, room)
    student = room.student(work.seat)
    if student is not None and work.place.lesson in lessons.MEMBERS:
        _take_answers(work.place, lessons.lesson(work.place.lesson), student)
    tell(work)
    return (work.place.lesson, work.place.step) != before


def tell(work: Workspace) -> None:
    """Say to the class where this student is."""
    room = room_of(work)
    if room is None:
        return
    try:
        room.move(work.seat, work.place.lesson, work.place.step)
    except ExplorerError as error:
        session.notify(error)


def _forget_what_was_reset(work: Workspace, room: Classroom) -> None:
    n = room.state.n_resets
    if st.session_state.setdefault(_RESETS, n) != n:
        st.session_state[_RESETS] = n
        work.place.answers.clear()


def _take_answers(place: LessonPlace, lesson: Lesson, student: Student) -> None:
    """The class knows what was said; a link that says something else is not believed."""
    given = student.of(lesson.name)
    for block in lesson.blocks:
        if isinstance(block, Predict | Why):
            place.answers.pop(block.key, None)
            if block.key in given:
                answer = given[block.key]
                place.answers[block.key] = list(answer) if isinstance(answer, tuple) else answer


def banner(work: Workspace, room: Classroom, t: Translate) -> None:
    """Who one is, and what the teacher says."""
    lead, student = room.state.lead, room.student(work.seat)
    if student is not None:
        words = t("Class {name} · you are {student}")
        names = {"name": clean_markdown(room.state.name), "student": f"**{student.name}**"}
        st.caption(f":material/badge: {words.format(**names)}")
    if lead.message:
        st.info(clean_markdown(lead.message, 300), icon=":material/campaign:")
    if lead.is_frozen:
        st.warning(t("The class is paused. Look up."), icon=":material/pause:")


def send(work: Workspace, key: str, answer: object, *, is_reason: bool) -> bool:
    """Send what was answered to the class; False where it is refused, which is said."""
    room = room_of(work)
    if room is None:
        return True
    try:
        take = room.reason if is_reason else room.answer
        take(work.seat, work.place.lesson, key, answer)
    except ExplorerError as error:
        session.notify(error)
        return False
    return True


def is_challenge(work: Workspace) -> bool:
    """Whether this student is at the challenge."""
    return work.place.lesson == CHALLENGE
