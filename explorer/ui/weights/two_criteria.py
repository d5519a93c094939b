"""Two criteria on one layer: how alike they rank its units, and which ones they disagree about."""

from __future__ import annotations

import streamlit as st

from explorer.analysis.criteria_compared import CriteriaCompared, compared, names_of
from explorer.charts.criteria import criteria_scatter
from explorer.errors import ExplorerError
from explorer.pruning.criteria import CRITERIA
from explorer.pruning.spec import PruneSpec
from explorer.text.names import clean_markdown
from explorer.text.numbers import percent
from explorer.types import Dataset, LoadedModel
from explorer.ui.shell import cache, session
from explorer.ui.shell.theme import chart_theme
from explorer.ui.widgets import chart, criterion_picker
from explorer.ui.widgets.persistent_widget import remembered

_LEVELS = (0.25, 0.5, 0.75, 0.9)
_MOST = 12


def card(model: LoadedModel, dataset: Dataset | None, layer: str) -> None:
    """The choice of two criteria, their scatter, and the units on which they disagree."""
    refused = criterion_picker.refusals(model, dataset)
    keys = [key for key in CRITERIA.members if key not in refused]
    unit = session.workspace().spec.granularity
    with st.container(border=True, key="two_criteria_card"):
        st.header(f"Two criteria on this layer · {unit.label.lower()}", anchor=False)
        with st.container(horizontal=True, vertical_alignment="bottom", key="two_criteria_choice"):
            first = _criterion("One", "criteria_one", keys, session.workspace().spec.criterion.key)
            second = _criterion("Another", "criteria_two", keys, "taylor" if "taylor" in keys else "random")
            level = st.selectbox(
                "Share that goes", _LEVELS, format_func=lambda v: percent(v, 0), key="criteria_level", width=140,
                on_change=remembered("criteria_level", 0.5, _LEVELS),
            )  # fmt: skip
        try:
            _compared(model, dataset, (PruneSpec(unit, first), PruneSpec(unit, second)), layer, float(level or 0.5))  # type: ignore[arg-type]
        except ExplorerError as error:
            st.caption(f":material/block: {clean_markdown(error.what, 200)} {clean_markdown(error.why, 300)}")


def _criterion(label: str, key: str, keys: list[str], default: str) -> str:
    usual = default if default in keys else keys[0]
    change = remembered(key, usual, keys)
    chosen = st.selectbox(
        label, keys, format_func=lambda k: CRITERIA.member(k).label, key=key, width=220, on_change=change
    )
    return str(chosen or usual)


def _compared(
    model: LoadedModel, dataset: Dataset | None, specs: tuple[PruneSpec, PruneSpec], layer: str, level: float
) -> None:
    names = names_of(*specs)
    both = {name: cache.scores(model, spec, dataset) for name, spec in zip(names, specs, strict=True)}
    comparison = compared(both, layer, sparsity=level)
    left, right = st.columns([1.2, 1], gap="medium")
    with left:
        chart.draw(criteria_scatter(comparison, theme=chart_theme()), "criteria_scatter")
    with right:
        _words(comparison)
        for spec in specs:
            _steadiness(model, dataset, spec)
        _disputes(comparison)


def _words(comparison: CriteriaCompared) -> None:
    st.markdown(f"Rank correlation **{comparison.correlation:.2f}** (Spearman; 1: the same order, 0: chance)")
    if comparison.overlap is not None:
        st.markdown(
            f"Of the {comparison.n_pruned:,} {comparison.group.unit}s that go under each, "
            f"**{percent(comparison.overlap, 0)}** go under both; "
            f"chance alone would make it {percent(comparison.overlap_by_chance, 0)}."
        )


def _steadiness(model: LoadedModel, dataset: Dataset | None, spec: PruneSpec) -> None:
    """How much a data-aware ranking depends on its samples."""
    if spec.criterion.needs:
        steady = cache.rank_stability(model, spec, dataset)
        st.caption(
            f"{spec.criterion.label}: rank stability **{steady.value:.2f}** between two halves of its "
            f"{steady.n:,} samples of the fit split (measured; 1: the samples do not matter)."
        )


def _disputes(comparison: CriteriaCompared) -> None:
    disputes = comparison.disputes(_MOST)
    if not disputes:
        st.caption("They agree on every unit at this level.")
        return
    st.caption("Where they disagree most: how many units each lets go before it.")
    rows = [
        {comparison.group.unit: d.unit, comparison.names[0]: d.ranks[0], comparison.names[1]: d.ranks[1]}
        for d in disputes
    ]
    st.dataframe(rows, hide_index=True, height=38 + 35 * min(5, len(rows)))
