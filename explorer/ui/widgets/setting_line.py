"""The facts of the present setting at the top of every page, whatever the page is about."""

from __future__ import annotations

import streamlit as st

from explorer.errors import ExplorerError
from explorer.pruning.plan import plan as make_plan
from explorer.types import Dataset, LoadedModel
from explorer.ui.shell import frame, live, session, ticker
from explorer.ui.shell.menu import Page
from explorer.ui.widgets import summary

_SOON_MS = 200


def draw(page: Page) -> None:
    """Above the page, unless it has the facts within, or nothing is open."""
    opened = frame.opened()
    if opened.model is not None and not page.has_facts:
        _facts(opened.model, opened.dataset)


@st.fragment
def _facts(model: LoadedModel, dataset: Dataset | None) -> None:
    """Measures by itself until all samples were looked at."""
    scores = session.scores(model, dataset)
    try:
        plan = make_plan(model, session.workspace().spec, scores)
    except ExplorerError:
        return  # the page says so, and what to do
    answer, why_not = live.answer(model, dataset, plan)
    summary.draw(summary.facts(model, plan, answer, why_not, dataset))
    if answer.pending:
        ticker.tick("facts", _SOON_MS)
