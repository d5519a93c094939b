"""What the open model was made from, and how it stands against that: one line on every page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import streamlit as st

from explorer.analysis.comparison.naming import in_words_of
from explorer.analysis.parent import Against, against
from explorer.errors import ExplorerError
from explorer.models.lineage import Lineage, lineage_of
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.text.delta import DELTA, delta_with_ends
from explorer.text.names import clean_markdown, model_name
from explorer.text.numbers import interval, percent
from explorer.types import Dataset, LoadedModel
from explorer.ui.shell import cache, session, tasks, ticker

_LATER_MS = 500


@dataclass(frozen=True, eq=False)
class Standing:
    """A model as it was opened, against its parent, and what share of its prunable weights is zero."""

    against: Against
    zeros: float


def draw(model: LoadedModel | None, dataset: Dataset | None) -> None:
    """The line, for a model that was made from another one."""
    lineage = None if model is None else lineage_of(model)
    if model is None or lineage is None:
        return
    with st.container(key="parent_line"):
        _line(model, dataset, lineage)


@st.fragment
def _line(model: LoadedModel, dataset: Dataset | None, lineage: Lineage) -> None:
    origin = (
        f":material/family_history: Made from **{clean_markdown(model_name(lineage.address), 60)}**{_how(lineage)}."
    )
    try:
        parent = session.parent(model)
    except ExplorerError as error:
        st.caption(
            f"{origin} {clean_markdown(f'{error.what} {error.why}', 400)} Numbers below are against the open file."
        )
        return
    if parent is None or model.module is None or dataset is None or "tune" not in dataset.splits:
        st.caption(origin)
        return
    key = ("against", parent.identity, model.identity, dataset.digest)
    job = tasks.measured_once(key, "comparison with the parent", partial(_standing, model, parent, dataset))
    if job.active:
        st.caption(f"{origin} Measuring both on the same samples …")
        ticker.tick("parent", _LATER_MS)
    elif job.results:
        st.caption(f"{origin} {_words(job.results[-1], model)}")
    else:
        st.caption(f"{origin} {clean_markdown(job.reason, 300)}")


def _standing(model: LoadedModel, parent: LoadedModel, dataset: Dataset) -> Iterator[Standing]:
    plan = make_plan(model, PruneSpec())
    yield Standing(against(model, plan, cache.evaluator(parent, dataset, dataset.splits["tune"])), plan.sparsity)


def _words(standing: Standing, model: LoadedModel) -> str:
    evaluation, n = standing.against.evaluation, standing.against.parent.n_parameters
    change = "" if evaluation.judged_by == "agreement" else f"{DELTA} **{delta_with_ends(evaluation.drop)}**, "
    agreement = f"agreement {percent(evaluation.agreement.value)} ({interval(evaluation.agreement)})"
    left = "" if n == model.n_parameters else f"; {model.n_parameters:,} of {n:,} parameters are left"
    return (
        f"As opened, against it on {evaluation.n:,} tune samples: {change}{agreement}, measured; "
        f"{percent(standing.zeros)} of its weights are zero{left}. Numbers below are against the open file."
    )


def _how(lineage: Lineage) -> str:
    """The last thing that was done, in a few words; what a file says of it may be anything."""
    last = lineage.steps[-1] if lineage.steps else {}
    recipe, spec = last.get("recipe"), last.get("spec")
    summary = recipe.get("summary") if isinstance(recipe, dict) else None
    if isinstance(summary, str):
        return f" ({clean_markdown(summary, 120)})"
    try:
        return f" ({clean_markdown(in_words_of(spec), 120)})" if isinstance(spec, dict) and spec else ""
    except (ExplorerError, TypeError, ValueError, KeyError):
        return ""
