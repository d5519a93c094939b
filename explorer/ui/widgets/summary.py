"""The one sticky line of four facts, each with its origin."""

from __future__ import annotations

import streamlit as st

from explorer import terms
from explorer.analysis import facts as analysis_facts
from explorer.analysis.facts import ACCURACY, AGREEMENT, REMOVED, ZERO, Fact
from explorer.text.delta import DELTA
from explorer.text.names import clean_html
from explorer.types import Dataset, LoadedModel, Plan
from explorer.ui.shell.live import Answer

__all__ = ["Fact", "draw", "facts", "html_of"]

_TERMS = {ACCURACY: "interval", AGREEMENT: "agreement", DELTA: "drop", REMOVED: "sparsity", ZERO: "sparsity"}
_ORIGINS = ("counted", "estimated", "measured")


def draw(facts: list[Fact]) -> None:
    """Four cells that stay in view while the page scrolls."""
    with st.container(key="facts"):
        st.html(f'<div class="facts" role="status">{"".join(map(html_of, facts))}</div>')


def facts(
    model: LoadedModel, plan: Plan, answer: Answer, why_not: str | None, dataset: Dataset | None = None
) -> list[Fact]:
    """The four facts of a setting: two measured, two counted."""
    return analysis_facts.facts(model, plan, answer.evaluation, why_not, dataset, stale=answer.stale)


def html_of(fact: Fact) -> str:
    """One cell, escaped."""
    bar = "" if fact.progress is None else f'<div class="bar" style="width:{100 * fact.progress:.0f}%"></div>'
    return (
        f'<div>{_head(fact)}<div><span class="value {fact.tone}">{clean_html(fact.value)}</span> '
        f'<span class="note">{clean_html(fact.note)}</span></div>{bar}</div>'
    )


def _head(fact: Fact) -> str:
    """Name and origin; what they mean opens below them, by a press of a finger, a mouse or a key."""
    tag = f'<span class="tag">{clean_html(fact.origin)}</span>' if fact.origin else ""
    head = f"<span>{clean_html(fact.name)}</span>{tag}"
    keys = [key for key in (_TERMS.get(fact.name, ""), fact.origin if fact.origin in _ORIGINS else "") if key]
    if not keys:
        return f'<div class="name">{head}</div>'
    meanings = "".join(f"<p>{clean_html(terms.tooltip(key), 600)}</p>" for key in keys)
    return f'<details><summary class="name">{head}</summary><div class="meaning">{meanings}</div></details>'
