"""What a first visit should know, until it is dismissed."""

from __future__ import annotations

import streamlit as st

_KEY = "hint_dismissed"


def first_run() -> None:
    """One line above the histograms; gone for the session once it was read."""
    if st.session_state.get(_KEY):
        return
    with st.container(horizontal=True, vertical_alignment="center", key="hint"):
        st.markdown(
            ":material/lightbulb: **Drag any line to the right.** What lies left of it is removed, "
            "and the accuracy above is measured again at once."
        )
        st.button("Got it", key="dismiss_hint", type="tertiary", on_click=_dismiss)


def _dismiss() -> None:
    st.session_state[_KEY] = True
