"""The link that a teacher hands out: lesson and step, with some controls hidden, and without anybody's answers."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

import streamlit as st

from explorer.lessons.blocks import CONTROLS
from explorer.lessons.lesson import Lesson
from explorer.workbench.links import parameters_of_place
from explorer.workbench.workspace import LessonPlace

_LABELS = {"lines": "lines to drag", "mode": "how thresholds move", "presets": "buttons for shares"}


def popover(lesson: Lesson, step: int) -> None:
    """Choose what is hidden, and copy the link."""
    with st.popover("Link", icon=":material/link:", help="For a class: this step, without your answers."):
        hidden = st.multiselect("Hide", CONTROLS, format_func=_LABELS.__getitem__, key="learn_hide")
        st.code(link(lesson, step, tuple(hidden), st.context.url or ""), language=None, wrap_lines=True)


def link(lesson: Lesson, step: int, hidden: tuple[str, ...], here: str) -> str:
    """The address that opens this step for somebody else; without ``here`` only its end."""
    parameters = {"model": lesson.model, **parameters_of_place(LessonPlace(lesson.name, step, hide=hidden))}
    address = urlsplit(here)
    base = f"{address.scheme}://{address.netloc}{address.path}" if address.netloc else "/learn"
    return f"{base}?{urlencode(parameters, safe=',')}"
