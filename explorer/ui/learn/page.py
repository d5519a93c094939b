"""The lessons as a list, or one of them, step by step."""

from __future__ import annotations

from functools import partial

import streamlit as st

from explorer import lessons
from explorer.classroom import Classroom
from explorer.errors import ExplorerError
from explorer.lessons.lesson import Do, Lesson, Predict
from explorer.text.names import clean_markdown
from explorer.types import Dataset, LoadedModel
from explorer.ui.classroom import board
from explorer.ui.learn import blocks, challenge, doing, membership, sharing
from explorer.ui.learn.view import LessonView
from explorer.ui.shell import session, ticker
from explorer.ui.widgets import histogram, language
from explorer.ui.widgets.persistent_widget import remembered, value
from explorer.workbench.workspace import LessonPlace, Workspace

_LARGE = "learn_large"
_OPENED = "_learn_opened"
_SOON_MS = 250


def draw(model: LoadedModel, dataset: Dataset | None) -> None:
    """The list, or the lesson of the link."""
    work = session.workspace()
    session.show_notices()
    room = membership.room_of(work)
    if room is None:
        membership.door(work, language.chosen())
    else:
        membership.banner(work, room, language.chosen())
    is_new = room is not None and membership.take_place(work, room)
    membership.attend(work)
    lesson = _present(work, room)
    if lesson is not None and is_new:
        _enter(work, lesson)
    if lesson is None:
        _large_type()
        _list(work)
    elif work.source.model != lesson.model:
        _other_model(work, lesson)
    else:
        histogram.bring_parts(doing.KEY)
        _lesson(model, dataset, lesson)


def _present(work: Workspace, room: Classroom | None) -> Lesson | None:
    """The lesson of the link, where there is one of that name; a link may name a step that is not there."""
    if not work.place.lesson:
        return None
    if room is not None and membership.is_challenge(work):
        work.place.step = 0
        return challenge.lesson_of(room.state.challenge)
    try:
        lesson = lessons.lesson(work.place.lesson)
    except ExplorerError as error:
        session.refusal(error)
        work.place = LessonPlace(hide=work.place.hide)
        return None
    work.place.step = min(work.place.step, len(lesson.steps) - 1)
    return lesson


def _large_type() -> None:
    """Larger letters for a projector, or for whoever wants them."""
    if value(_LARGE, False):
        st.html("<style>html { font-size: 21px; }</style>")


def _large_switch() -> None:
    st.toggle("Large type", key=_LARGE, on_change=remembered(_LARGE, False), help="For a projector.")


def _list(work: Workspace) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="learn_head"):
        st.header("Lessons", anchor=False, width="stretch")
        language.box()
        _large_switch()
    t = language.chosen()
    st.caption("Each asks for a prediction first, and measures then, here and now. No number in them is written down.")
    for number, lesson in enumerate(lessons.lessons(), 1):
        with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"learn_{lesson.name}_card"):
            with st.container(gap=None):
                st.markdown(f"**{number}. {clean_markdown(t(lesson.title))}**")
                st.caption(f"{lesson.minutes} {t('minutes')}, {t('on')} {clean_markdown(lesson.model)}")
            st.button("Begin", key=f"begin_{lesson.name}", help=lesson.title, on_click=partial(_begin, work, lesson))
    room = membership.room_of(work)
    if room is not None:
        _challenge_card(work, room)
    session.write_link(work)


def _challenge_card(work: Workspace, room: Classroom) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="learn_challenge_card"):
        with st.container(gap=None):
            st.markdown(f"**{language.chosen()('The challenge')}**")
            st.caption(clean_markdown(board.goal(room.state.challenge, language.chosen()), 200))
        lesson = challenge.lesson_of(room.state.challenge)
        st.button("Begin", key="begin_challenge", help="The challenge", on_click=partial(_begin, work, lesson))


def _begin(work: Workspace, lesson: Lesson) -> None:
    work.place = LessonPlace(lesson.name, hide=work.place.hide)
    _open_model(work, lesson)
    _enter(work, lesson)


def _open_model(work: Workspace, lesson: Lesson) -> None:
    st.session_state[_OPENED] = lesson.name
    if work.source.model != lesson.model:
        try:
            session.choose(work, model=lesson.model)
        except ExplorerError as error:
            session.notify(error)


def _other_model(work: Workspace, lesson: Lesson) -> None:
    """The lesson is about another model: it is opened by itself once, and then only when asked for."""
    if st.session_state.get(_OPENED) != lesson.name:
        _open_model(work, lesson)
        session.write_link(work)
        st.rerun()
    st.header(clean_markdown(lesson.title), anchor=False)
    st.info(f"This lesson is about {clean_markdown(lesson.model)}. Another model is open now.", icon=":material/info:")
    with st.container(horizontal=True):
        st.button("Open it", type="primary", on_click=partial(_open_model, work, lesson))
        st.button("All lessons", key="leave_lesson", on_click=partial(_leave, work))


def _leave(work: Workspace) -> None:
    work.place = LessonPlace(hide=work.place.hide)


def _enter(work: Workspace, lesson: Lesson) -> None:
    """A step with something to do begins at its own setting."""
    do = next((block for block in lesson.steps[work.place.step].blocks if isinstance(block, Do)), None)
    if do is not None:
        work.set(do.start)
        work.mode = "alone" if "mode" not in do.controls else work.mode


@st.fragment
def _lesson(model: LoadedModel, dataset: Dataset | None, lesson: Lesson) -> None:
    work = session.workspace()
    if work.place.lesson != lesson.name:
        st.rerun()
    _large_type()
    room = membership.room_of(work)
    view = LessonView(work, lesson, model, dataset, language.chosen(), membership.lead_of(work))
    step = lesson.steps[work.place.step]
    _head(view)
    st.subheader(view.t(step.title), anchor=False)
    with st.container(border=True, key="lesson_card"):
        is_challenge = room is not None and membership.is_challenge(work)
        is_pending = challenge.draw(view, room) if is_challenge and room is not None else blocks.draw(view, step)
    _steps(view, is_open=all(b.key in view.answers for b in step.blocks if isinstance(b, Predict)))
    session.show_notices()
    session.write_link(work)
    if is_pending:
        ticker.tick("learn", _SOON_MS)


def _head(view: LessonView) -> None:
    work, lesson, t = view.work, view.lesson, view.t
    with st.container(horizontal=True, vertical_alignment="center", key="learn_head"):
        st.header(clean_markdown(t(lesson.title)), anchor=False, width="stretch")
        st.caption(t("Step {n} of {of}").format(n=work.place.step + 1, of=len(lesson.steps)), width="content")
        _large_switch()
        if not work.seat:
            sharing.popover(lesson, work.place.step)
        if not view.is_led and st.button(t("All lessons"), key="leave_lesson", icon=":material/list:"):
            _leave(work)
            st.rerun()


def _steps(view: LessonView, *, is_open: bool) -> None:
    """Back and on; on only where every prediction of the step is locked."""
    work, lesson, t = view.work, view.lesson, view.t
    if view.is_led:
        return
    last = work.place.step == len(lesson.steps) - 1
    with st.container(horizontal=True, key="learn_steps"):
        st.button(
            t("Back"),
            icon=":material/arrow_back:",
            disabled=work.place.step == 0 or view.is_frozen,
            on_click=partial(_go, work, lesson, -1),
        )
        if not last:
            st.button(
                t("Next"),
                icon=":material/arrow_forward:",
                type="primary" if is_open else "secondary",
                disabled=not is_open or view.is_frozen,
                on_click=partial(_go, work, lesson, 1),
            )
    if not is_open:
        st.caption(t("The next step opens once your prediction is locked."))
    elif last:
        st.caption(f"The end of this lesson. Source: {clean_markdown(lesson.source, 200)}")


def _go(work: Workspace, lesson: Lesson, by: int) -> None:
    work.place.step = min(len(lesson.steps) - 1, max(0, work.place.step + by))
    _enter(work, lesson)
    membership.tell(work)
