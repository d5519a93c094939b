"""Choosing how important a unit is: every criterion with what it looks at, and why some cannot be had here."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from explorer.errors import ExplorerError
from explorer.pruning.criteria import CRITERIA
from explorer.pruning.criteria.base import Criterion
from explorer.pruning.gathering import why_no_evidence
from explorer.text.names import clean_markdown
from explorer.types import Dataset, LoadedModel, Scores
from explorer.ui.shell import cache, session
from explorer.ui.widgets import parameter_fields
from explorer.ui.widgets.controlled_widget import mirrored
from explorer.workbench.choices import with_criterion
from explorer.workbench.workspace import Workspace


def popover(work: Workspace, model: LoadedModel, dataset: Dataset | None, scores: Scores) -> None:
    """A button with the present criterion; behind it the choice, its parameters and what it saw."""
    with st.popover(work.spec.criterion.label, help="How important is a unit?"):
        refused = refusals(model, dataset)
        keys = [key for key in CRITERIA.members if key not in refused]
        st.selectbox(
            "How important is a unit?",
            keys,
            format_func=lambda key: f"{_member(key).label}{' · looks at data' if _member(key).needs else ''}",
            **mirrored("criterion", work.spec.criterion.key, partial(_choose, work, model, dataset), among=keys),
        )
        st.caption(first_line(_member(work.spec.criterion.key)))
        parameter_fields.draw(work, "criterion")
        seen(scores)
        for why, names in _by_reason(refused).items():
            st.caption(f":material/block: **{', '.join(names)}**: {clean_markdown(why, 300)}")


def first_line(member: type[Any]) -> str:
    """What a member is, in a sentence: the first line of its description."""
    return (member.__doc__ or "").split("\n")[0]


def seen(scores: Scores) -> None:
    """How many samples the scores rest on."""
    if scores.n_seen:
        st.caption(f"From {scores.n_seen:,} samples of the fit split; never from those that it is evaluated on.")


def refusals(model: LoadedModel, dataset: Dataset | None) -> dict[str, str]:
    """Criteria that have nothing to look at here, with the reason in a sentence."""
    reasons = {key: why_no_evidence(model, CRITERIA.get(key), dataset) for key in CRITERIA.members}
    return {key: str(why) for key, why in reasons.items() if why}


def _member(key: str) -> type[Criterion]:
    return CRITERIA.member(key)


def _by_reason(refused: dict[str, str]) -> dict[str, list[str]]:
    """Reasons begin with the criterion's name; what they have in common is said once."""
    shared: dict[str, list[str]] = {}
    for key, why in refused.items():
        label = _member(key).label
        rest = why.removeprefix(label).strip()
        shared.setdefault(rest[:1].upper() + rest[1:], []).append(label)
    return shared


def _choose(work: Workspace, model: LoadedModel, dataset: Dataset | None, key: str | None) -> None:
    """Take the criterion if it can rank anything; else say why and stay."""
    if key is None or key == work.spec.criterion.key:
        return
    try:
        request = with_criterion(work.spec, key, lambda spec: cache.scores(model, spec, dataset))
    except ExplorerError as error:
        session.notify(error)
        return
    # Scores from gradients and activations span many orders of magnitude.
    work.scale = "log" if request.criterion.needs else "linear"
    work.set(request)
