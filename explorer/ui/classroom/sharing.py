"""How to come in, large enough for the back row; and links to a lesson, with hidden controls and a setting."""

from __future__ import annotations

import os
from urllib.parse import urlencode, urlsplit

import streamlit as st

from explorer import lessons
from explorer.classroom import Classroom, join_link, qr
from explorer.classroom.opening import ADDRESS_VARIABLE
from explorer.errors import ExplorerError
from explorer.lessons.blocks import CONTROLS
from explorer.text.names import clean_markdown
from explorer.ui.widgets import language
from explorer.workbench.links import encode, parameters_of_place
from explorer.workbench.workspace import LessonPlace, Workspace


def address() -> str:
    """Where students reach this app."""
    here = urlsplit(st.context.url or "")
    return os.environ.get(ADDRESS_VARIABLE, "") or f"{here.scheme}://{here.netloc}"


def popover(room: Classroom) -> None:
    """Link, code and QR code."""
    with st.popover(language.chosen()("Join"), icon=":material/qr_code:"):
        st.markdown(f"## {room.state.code}")
        link = join_link(address(), room.state.code)
        st.code(link, language=None, wrap_lines=True)
        try:
            st.html(qr.as_svg(link))
        except ExplorerError as error:
            st.caption(f":material/info: {clean_markdown(str(error), 300)}")


def builder(work: Workspace) -> None:
    """A link to a step of a lesson; what is hidden is hidden on every page that it opens."""
    t = language.chosen()
    name = st.selectbox(t("Lesson"), ("", *lessons.MEMBERS), format_func=_title, key="class_link_lesson")
    step = 0
    if name:
        steps = lessons.lesson(name).steps
        step = st.selectbox(
            t("Step"),
            range(len(steps)),
            format_func=lambda i: f"{i + 1}. {t(steps[i].title)}",
            key=f"class_link_{name}",
        )
    hidden = st.multiselect(
        t("Hide"),
        CONTROLS,
        accept_new_options=True,
        key="class_link_hide",
        help=t("Also any widget by its key, or a page by its name."),
    )
    with_spec = st.toggle(t("With the setting that is open here"), key="class_link_spec")
    place = LessonPlace(name, step, hide=tuple(hidden))
    st.code(link_to(work, place, with_spec=with_spec), language=None, wrap_lines=True)


def _title(name: str) -> str:
    t = language.chosen()
    return f"{lessons.MEMBERS.index(name) + 1}. {t(lessons.lesson(name).title)}" if name else t("None: the app itself")


def link_to(work: Workspace, place: LessonPlace, *, with_spec: bool) -> str:
    """The address that opens it for somebody else."""
    lesson = lessons.lesson(place.lesson) if place.lesson else None
    model = lesson.model if lesson is not None else work.source.model
    spec = {"spec": encode(work.spec)} if with_spec and encode(work.spec) else {}
    query = {"model": model, **parameters_of_place(place), **spec}
    return f"{address()}/{'learn' if lesson is not None else ''}?{urlencode(query, safe=',')}"
