"""What a first visit should know, until it is dismissed."""

from __future__ import annotations

import streamlit as st

from explorer.ui.shell import cache, session

_KEY = "hint_dismissed"


def first_run() -> None:
    """One line above the histograms; gone for this visitor once it was read, also after a reload."""
    if st.session_state.get(_KEY) or session.owner() in cache.readers_of_the_hint():
        return
    with st.container(horizontal=True, vertical_alignment="center", key="hint"):
        st.markdown(
            ":material/lightbulb: **Drag any line to the right.** What lies left of it is removed, "
            "and the accuracy above is measured again at once."
        )
        st.button("Got it", key="dismiss_hint", type="tertiary", on_click=_dismiss)


def _dismiss() -> None:
    st.session_state[_KEY] = True
    cache.readers_of_the_hint().add(session.owner())
