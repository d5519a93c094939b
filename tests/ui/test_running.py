from __future__ import annotations

from streamlit.testing.v1 import AppTest

from explorer.engine.jobs import Job


def page() -> None:
    """Says whether a job must be drawn again; the button ends it while the page is drawn."""
    import streamlit as st

    from explorer.ui.shell import running

    job = st.session_state["job"]
    running.drawing()
    st.button("end", key="end")
    if st.session_state["end"]:
        job.cancel()
    st.text(str(running.unfinished(job)))


def test_work_that_ends_while_the_page_is_drawn_is_drawn_once_more() -> None:
    at = AppTest.from_function(page)
    at.session_state["job"] = Job("key", "somebody", "a job", lambda: iter(()), 1)

    said = [at.run().text[0].value, at.button(key="end").click().run().text[0].value, at.run().text[0].value]

    assert said == ["True", "True", "False"]
