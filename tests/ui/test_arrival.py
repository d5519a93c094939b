"""A link to any page opens it, on a server that nobody has visited yet, too."""

from __future__ import annotations

import json

from streamlit.testing.v1 import AppTest

from explorer.ui import pages


def _addresses() -> None:
    import streamlit as st

    from explorer.ui.shell import arrival

    st.json([entry.url_path for entry in arrival.entries()])


def test_every_page_but_the_first_is_reached_by_its_own_address() -> None:
    app = AppTest.from_function(_addresses).run(timeout=60)
    assert not app.exception
    _, *others = (*pages.MEMBERS, pages.CLASSROOM)
    assert sorted(json.loads(app.json[0].value)) == sorted(["", *(page.name for page in others)])
