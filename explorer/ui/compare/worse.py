"""Worse pictures under a slider: what the first model and another answer, picture by picture, while it moves."""

from __future__ import annotations

import streamlit as st

from explorer.analysis.models_compared.result import ModelsCompared
from explorer.analysis.models_compared.worse import KINDS, WorsePictures, why_no_pictures, worse_pictures
from explorer.errors import ExplorerError
from explorer.report import compared as words
from explorer.text.names import clean_markdown
from explorer.types import Dataset
from explorer.ui.compare.choices import Compared
from explorer.ui.compare.overview import DETAILS
from explorer.ui.shell import session, tasks
from explorer.ui.widgets import thumbnails
from explorer.ui.widgets.persistent_widget import remembered

_SHOWN = 12
_ON, _KIND, _SEVERITY = "worse_on", "worse_kind", "worse_severity"


def draw(chosen: Compared, compared: ModelsCompared, dataset: Dataset) -> None:
    """The card, where there are pictures and both models choose classes; nothing is computed before it is asked for."""
    split = dataset.splits[chosen.request.split]
    if not compared.pairs or why_no_pictures(dataset, split):
        return
    with st.container(border=True, key="worse_card"):
        st.header("On worse pictures", anchor=False)
        name = str(st.session_state.get(DETAILS, compared.names[-1]))
        name = name if name in compared.names[1:] else compared.names[-1]
        is_on = st.toggle(
            "Answer while I move a slider", key=_ON, on_change=remembered(_ON, False),
            help="Both models answer the first pictures of the split again, at every move.",
        )  # fmt: skip
        if not is_on:
            st.caption("Noise, blur, light, contrast, JPEG and coarse pixels in five severities, as in a check.")
            return
        with st.container(horizontal=True, vertical_alignment="bottom", key="worse_controls"):
            kind = st.selectbox("Kind", KINDS, key=_KIND, on_change=remembered(_KIND, KINDS[0], list(KINDS)), width=200)
            severity = st.slider(
                "Severity", 0, 5, key=_SEVERITY, on_change=remembered(_SEVERITY, 3, within=(0, 5)), width=320,
                help="0: the pictures as they are.",
            )  # fmt: skip
        try:
            context = tasks.context(chosen.first, dataset, chosen.opened)
            other = chosen.request.model_at(compared.names.index(name), context)
            worse = worse_pictures((chosen.first, other), dataset, split, str(kind), int(severity))
        except ExplorerError as error:
            session.refusal(error)
            return
        _shown(worse, compared, name)


def _shown(worse: WorsePictures, compared: ModelsCompared, name: str) -> None:
    names = compared.names[0], name
    st.markdown(clean_markdown(words.on_worse(worse, names), 600))
    table = words.worse_rows(worse, compared, _SHOWN)
    pictures = [thumbnails.picture(each) for each in worse.x[:_SHOWN]]
    head = words.worse_head(names)
    rows = [
        {"picture": picture, **dict(zip(head, row, strict=True))} for picture, row in zip(pictures, table, strict=True)
    ]
    column = {"picture": st.column_config.ImageColumn("picture", width="small")}
    st.dataframe(rows, hide_index=True, key="worse_table", column_config=column)
