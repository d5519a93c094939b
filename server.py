"""The app with its server: what a browser may load, who a visitor is, and what each may take stand around the screens.

``python -m streamlit run server.py`` serves it, as ``python -m explorer app`` does.
"""

import streamlit as st

from explorer.ui.serving.ending import lifespan
from explorer.ui.serving.guard import middleware
from explorer.ui.serving.whole_runs import pass_on_whole_runs

pass_on_whole_runs()
app = st.App("app.py", middleware=middleware(), lifespan=lifespan)
