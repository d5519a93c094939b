"""What cannot be chosen with this model: left out of the choices, and named with the reason behind a button."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import streamlit as st

from explorer.pruning.granularity import GRANULARITIES
from explorer.pruning.spec import PruneSpec
from explorer.text.names import clean_markdown
from explorer.types import LoadedModel
from explorer.ui.shell import cache


def unit_label(key: str) -> str:
    """The name of a granularity on the screen.

    Example:
        >>> unit_label("out_channel")
        'Channels'
    """
    return str(getattr(GRANULARITIES.member(key), "label", key))


def refused_units(model: LoadedModel, units: Iterable[str]) -> dict[str, str]:
    """Those units of which this model has none to prune, with the reason in a sentence."""
    refusals = {unit: cache.why_not_ranked(model, PruneSpec(GRANULARITIES.get(unit)), None) for unit in units}
    return {unit: str(refusal) for unit, refusal in refusals.items() if refusal is not None}


def draw(reasons: Mapping[str, list[str]], key: str, *, verb: str) -> None:
    """A button that says how many there are; behind it each reason with its names, which cannot be ``verb`` here."""
    n = sum(len(names) for names in reasons.values())
    if not n:
        return
    with st.popover(f"{n} not available here", icon=":material/block:", key=key):
        for why, names in reasons.items():
            st.markdown(
                f"**{clean_markdown(', '.join(names), 200)}** cannot be {verb} here. {clean_markdown(why, 300)}"
            )
