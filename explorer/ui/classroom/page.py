"""The teacher's desk once the key was given; for everybody else the board, and the door."""

from __future__ import annotations

import streamlit as st

from explorer.classroom import Classroom
from explorer.errors import ExplorerError
from explorer.text.names import clean_markdown
from explorer.ui.classroom import board, desk, looking, sharing
from explorer.ui.shell import cache, session
from explorer.ui.widgets import language

_KEY, _PROJECTOR, _EVERY_S = "class_key", "class_projector", 2.0


def draw() -> None:
    """The page; a sentence where this server leads no class."""
    session.show_notices()
    room = cache.classroom()
    if room is None or room.has_ended:
        what = "The class has ended." if room is not None else "This app leads no class."
        session.refusal(ExplorerError(what, fix="Begin one: explorer app --class NAME."))
    elif session.owner() not in cache.teachers():
        _visitor(room)
    elif st.session_state.get(_PROJECTOR, False):
        _projector(room)
    else:
        _teacher(room)


def _visitor(room: Classroom) -> None:
    t = language.chosen()
    with st.container(horizontal=True, vertical_alignment="center", key="class_head"):
        _name(room)
        language.box()
    with st.container(border=True, key="class_board_card"):
        _board(is_projected=False)
    with st.expander(t("For the teacher")), st.form("class_door", border=False):
        st.text_input(
            t("The teacher's key"), type="password", key=_KEY, help=t("It was shown where the app was begun.")
        )
        st.form_submit_button(t("Come in"), on_click=_come_in, args=(room,))


def _come_in(room: Classroom) -> None:
    if room.is_teacher(st.session_state.pop(_KEY, "")):
        cache.teachers().add(session.owner())
    else:
        session.notify(ExplorerError("This is not the teacher's key.", fix="Read it where the app was begun."))


def _teacher(room: Classroom) -> None:
    t = language.chosen()
    with st.container(horizontal=True, vertical_alignment="center", key="class_head"):
        _name(room)
        language.box()
        sharing.popover(room)
        st.button(t("Projector"), icon=":material/present_to_all:", on_click=_project, args=(True,))
    with st.container(border=True, key="class_lead_card"):
        desk.lead(room)
    looks, challenge, links, data = st.tabs([t("Answers"), t("Board"), t("Links"), t("Data")])
    with looks:
        _looking()
    with challenge:
        desk.challenge(room)
        _board(is_projected=False)
    with links:
        sharing.builder(session.workspace())
    with data:
        desk.data(room)


def _projector(room: Classroom) -> None:
    """Large, and nothing but what all should see."""
    st.html("<style>html { font-size: 21px; }</style>")
    with st.container(horizontal=True, vertical_alignment="center", key="class_head"):
        _name(room)
        desk.names_switch(room)
        st.button(language.chosen()("Back to the desk"), on_click=_project, args=(False,))
    _board(is_projected=True)


def _name(room: Classroom) -> None:
    text = language.chosen()("Class {name}").format(name=clean_markdown(room.state.name))
    st.header(text, anchor=False, width="stretch")


def _project(on: bool) -> None:
    st.session_state[_PROJECTOR] = on


@st.fragment(run_every=_EVERY_S)
def _board(*, is_projected: bool) -> None:
    room = cache.classroom()
    if room is not None:
        board.draw(room, is_projected=is_projected)


@st.fragment(run_every=_EVERY_S)
def _looking() -> None:
    room = cache.classroom()
    if room is not None:
        looking.draw(room)
