"""The verdict of the trade-off page: what is better than the controls, by how much, and for what that holds."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explorer.analysis.comparison.comparison import Comparison
from explorer.text.names import clean_markdown
from explorer.ui.widgets.persistent_widget import remembered

_AT = "verdict_at"
_IN_SIGHT = 4


def draw(comparison: Comparison, budget: float) -> None:
    """One line on the best method at one level, the other methods below it, and how far the claim reaches."""
    ratios = comparison.ratios()
    with st.container(horizontal=True, vertical_alignment="center", key="verdict_head"):
        place = st.container(width="stretch")
        at = _at(ratios, comparison.furthest(budget)) if ratios else None
    lines = comparison.sentences(at) if at is not None else ()
    if not lines:
        place.markdown("**No verdict yet**: a method and its control must be measured at one size.")
    else:
        place.markdown(f"**{clean_markdown(lines[0], 400)}**")
        for line in lines[1:_IN_SIGHT]:
            st.markdown(clean_markdown(line, 400))
        rest = lines[_IN_SIGHT:]
        if rest:
            with st.popover(f"{len(rest)} more", key="verdict_more"):
                for line in rest:
                    st.markdown(clean_markdown(line, 400))
    over = comparison.over_sizes()
    if over:
        st.caption("At every size measured, under the same allocation, locks and limits:")
        st.markdown("\n".join(f"- {clean_markdown(text, 400)}" for text in over))
    st.caption(clean_markdown(comparison.scope(at), 600))


def _at(ratios: Sequence[float], furthest: float | None) -> float:
    """The level that the verdict is about: chosen by the visitor, else the furthest within the budget."""
    at: float = st.selectbox(
        "Verdict at",
        ratios,
        key=_AT,
        format_func=lambda ratio: f"at {ratio:g}×",
        label_visibility="collapsed",
        width=110,
        help="The compression that was asked for. At first the furthest within the budget of accuracy.",
        on_change=remembered(_AT, furthest if furthest in ratios else ratios[0], ratios),
    )
    return at
