"""The frame of the app: navigation, look, and what every page shares."""

import streamlit as st

from explorer.ui.shell import frame

st.set_page_config(page_title="Pruning Explorer", page_icon=frame.mark(), layout="wide")
page = st.navigation(
    [
        st.Page("pages/explore.py", title="Explore", icon=":material/tune:", default=True),
        st.Page("pages/sensitivity.py", title="Sensitivity", icon=":material/stacked_bar_chart:"),
        st.Page("pages/tradeoff.py", title="Trade-off", icon=":material/show_chart:"),
        st.Page("pages/search.py", title="Budget", icon=":material/search:"),
        st.Page("pages/recover.py", title="Recover", icon=":material/trending_up:"),
        st.Page("pages/quantize.py", title="Quantize", icon=":material/compress:"),
        st.Page("pages/structure.py", title="Structure", icon=":material/account_tree:"),
        st.Page("pages/weights.py", title="Weights", icon=":material/grid_on:"),
    ],
    position="top",
)
header = frame.draw(page.title)
page.run()
frame.finish(header)
