"""The frame of the app: navigation, look, and what every page shares."""

import streamlit as st

from explorer.ui import pages
from explorer.ui.shell import frame
from explorer.ui.widgets import setting_line

st.set_page_config(page_title="Pruning Explorer", page_icon=frame.mark(), layout="wide")
menu = {page.title: page for page in pages.shown()}
entries = [
    st.Page(page.script, title=page.title, icon=page.icon, default=i == 0) for i, page in enumerate(menu.values())
]
chosen = st.navigation(entries, position="top")
st.set_page_config(page_title=f"{chosen.title} · Pruning Explorer")
page = menu[chosen.title]
header = frame.draw(page, [entry.url_path for entry in entries])
setting_line.draw(page)
chosen.run()
frame.finish(header)
