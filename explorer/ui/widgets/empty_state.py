"""What a page says where it has nothing to measure: what is missing, why, and where to go instead."""

from __future__ import annotations

import streamlit as st

from explorer.errors import Refusal
from explorer.text.names import clean_markdown
from explorer.types import LoadedModel
from explorer.ui.shell.live import NO_DATA


def card(model: LoadedModel, title: str, why: Refusal | None, about: str) -> None:
    """``about`` says what the page would do; ``why`` is left out where the frame has said it already."""
    with st.container(border=True, key="nothing_card"):
        st.header(title, anchor=False)
        if not model.why_not_runnable:
            st.markdown(clean_markdown(str(why or NO_DATA), 400))
        st.caption(about)
        st.page_link(
            "pages/weights.py", label="Look at the weights instead", icon=":material/grid_on:", width="content"
        )
