"""A page as somebody adds one: the test of CONTRIBUTING.md puts it among the others."""

import streamlit as st

from explorer.ui.shell import arrival

opened = arrival.opened()
if opened.model is not None:
    st.markdown(f"Hello, {opened.model.address}")
