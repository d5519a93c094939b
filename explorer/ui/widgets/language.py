"""In which language lessons and the page of a class are shown: one choice for both."""

from __future__ import annotations

import streamlit as st

from explorer.lessons.languages import LANGUAGES, Translate, translator
from explorer.ui.widgets.persistent_widget import remembered, value

_LANGUAGE = "learn_language"


def chosen() -> Translate:
    """What turns a text into the language that was chosen."""
    return translator(value(_LANGUAGE, "en", tuple(LANGUAGES)))


def box() -> None:
    """The choice."""
    st.selectbox(
        "Language of the lessons",
        tuple(LANGUAGES),
        format_func=LANGUAGES.__getitem__,
        key=_LANGUAGE,
        on_change=remembered(_LANGUAGE, "en", tuple(LANGUAGES)),
        label_visibility="collapsed",
        width=140,
    )
