"""What the trade-off page compares: units x criteria x allocations, and the random control beside them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, cast

import streamlit as st

from explorer.metrics.macs import why_no_macs
from explorer.params import params_of
from explorer.pruning import criteria
from explorer.pruning.allocation import ALLOCATIONS
from explorer.pruning.criteria import CRITERIA
from explorer.pruning.criteria.base import Criterion
from explorer.pruning.granularity import GRANULARITIES
from explorer.pruning.plan import is_locked
from explorer.pruning.spec import PruneSpec
from explorer.types import Dataset, LoadedModel
from explorer.ui import cache
from explorer.ui.text import plain

_CONTROL = "random"
# In a legend, where the long name would fill the line.
_SHORT = {"global": "one ranking", "uniform": "same share"}
# Other forms of a criterion that are often compared with its default.
_VARIANTS = ("lp_norm:p=1",)
# Where one run of the dense model over the split is cheaper than this, chance is drawn three times.
_CHEAP_MACS = 5e9


@dataclass(frozen=True)
class Way:
    """One way of pruning: a curve of its own. ``label`` leaves out what all compared ways share."""

    label: str
    unit: str
    criterion: str
    allocation: str
    spec: PruneSpec
    seed: int | None = None

    @property
    def is_control(self) -> bool:
        return self.seed is not None


def ways(units: list[str], measures: list[Criterion], allocations: list[str], n_seeds: int) -> list[Way]:
    """Every combination once, then the control of each unit with ``n_seeds`` seeds. Units without effect on the
    criterion (the norm's order, on single weights) do not make a curve twice."""
    specs = dict.fromkeys(
        PruneSpec(GRANULARITIES.get(unit), _effective(unit, measure), ALLOCATIONS.get(allocation))
        for unit in units
        for measure in measures
        for allocation in allocations
    )
    found = [_way(spec, [*specs]) for spec in specs]
    for unit in units:
        label = f"random, {_label(GRANULARITIES.member(unit)).lower()}" if len(units) > 1 else "random, the control"
        for seed in range(n_seeds):
            spec = PruneSpec(
                GRANULARITIES.get(unit), criteria.get(f"{_CONTROL}:seed={seed}"), ALLOCATIONS.get("global")
            )
            found.append(Way(label, spec.granularity.label, spec.criterion.label, spec.allocation.label, spec, seed))
    return found


def _effective(unit: str, measure: Criterion) -> Criterion:
    """On single weights every norm is |w|: one curve, under the default order."""
    return criteria.get(measure.key) if unit == "weight" and measure.key == "lp_norm" else measure


def _way(spec: PruneSpec, among: list[PruneSpec]) -> Way:
    unit, measure, allocation = _names(spec)
    parts = [unit] if len({s.granularity for s in among}) > 1 else []
    parts += [measure] if len({s.criterion for s in among}) > 1 or len(among) == 1 else []
    several = len({s.allocation for s in among}) > 1 or len(among) == 1
    parts += [_SHORT.get(spec.allocation.key, allocation)] if several else []
    return Way(", ".join(parts).lower(), unit, measure, allocation, spec)


def _names(spec: PruneSpec) -> tuple[str, str, str]:
    return spec.granularity.label, named(spec.criterion), spec.allocation.label


def named(criterion: Criterion) -> str:
    """A criterion with those of its parameters that differ from the default: "Magnitude, p=1"."""
    values = [
        (p.name, getattr(criterion, p.name)) for p in params_of(criterion) if getattr(criterion, p.name) != p.default
    ]
    return ", ".join([criterion.label, *(f"{name}={value:g}" for name, value in values)])


def _label(member: object) -> str:
    return str(cast(Any, member).label)


def refusals(model: LoadedModel) -> dict[str, str]:
    """Units of which this model has none to prune, with the reason in a sentence."""
    found = {unit: _refusal(model, unit) for unit in GRANULARITIES.members}
    return {unit: why for unit, why in found.items() if why}


def _refusal(model: LoadedModel, unit: str) -> str:
    spec = PruneSpec(GRANULARITIES.get(unit))
    knobs = cache.scores(model, spec, None).knobs
    if any(k.why_not is None and not is_locked(k, spec) for k in knobs):
        return ""
    reasons = Counter(k.why_not or k.locked_by or "" for k in knobs)
    return reasons.most_common(1)[0][0] if reasons else "The model has no layer that can be pruned."


def draw(model: LoadedModel, dataset: Dataset, present: PruneSpec) -> list[Way]:
    """The choices as one row of controls; returns the ways to compare."""
    refused = refusals(model)
    units = [unit for unit in GRANULARITIES.members if unit not in refused]
    measures = _measures(present)
    usual = PruneSpec().allocation.key
    allocations = sorted((a for a in ALLOCATIONS.members if _has_level(a)), key=lambda a: a != usual)
    with st.container(horizontal=True, vertical_alignment="bottom", key="compare_choices"):
        chosen = _several("Units", units, [present.granularity.key], lambda u: _label(GRANULARITIES.member(u)))
        ranked = _several("Criteria", list(measures), [named(_magnitude(present))], str)
        shared = _several("Allocation", allocations, allocations, lambda a: _label(ALLOCATIONS.member(a)))
        n_seeds = _seeds(model, dataset)
    for unit, why in refused.items():
        st.caption(
            f":material/block: **{_label(GRANULARITIES.member(unit))}** cannot be compared here. {plain(why, 300)}"
        )
    return ways(chosen, [measures[name] for name in ranked], shared, n_seeds)


def _measures(present: PruneSpec) -> dict[str, Criterion]:
    """The criteria to choose from: each with its defaults, known variants, and what is set on Explore."""
    found = [criteria.get(key) for key in (*CRITERIA.members, *_VARIANTS)] + [present.criterion]
    return {named(criterion): criterion for criterion in found if criterion.key != _CONTROL}


def _magnitude(present: PruneSpec) -> Criterion:
    return present.criterion if present.criterion.key != _CONTROL else PruneSpec().criterion


def _has_level(key: str) -> bool:
    """Allocations that one overall sparsity describes."""
    fields = params_of(ALLOCATIONS.member(key))
    return any(p.name == "sparsity" for p in fields) and not any(p.is_mapping for p in fields)


_HELP = {
    "Units": "What goes as a whole. Single weights keep more accuracy; whole channels make the network really smaller.",
    "Criteria": "What makes a unit important. On single weights every norm is |w|: its order p changes nothing.",
    "Allocation": "How many units each layer gives up.",
}


def _several(label: str, options: list[str], default: list[str], text: Any) -> list[str]:
    """Pills of which at least one is always chosen; the choice outlives a visit to another page."""
    key, kept = f"compare_{label}", f"_compare_{label}"
    known = [o for o in st.session_state.get(kept, default) if o in options] or options[:1]
    st.session_state[key] = known
    chosen = st.pills(
        label,
        options,
        selection_mode="multi",
        wrap=True,
        key=key,
        format_func=text,
        help=_HELP[label],
        on_change=lambda: st.session_state.update({kept: list(st.session_state[key])}),
    )
    return [o for o in options if o in chosen]


def _seeds(model: LoadedModel, dataset: Dataset) -> int:
    table = None if why_no_macs(model) else cache.macs(model)
    is_cheap = table is not None and table.dense * len(dataset.splits["tune"]) <= _CHEAP_MACS
    key = "compare_seeds"
    st.session_state[key] = int(st.session_state.get(f"_{key}", 3 if is_cheap else 1))
    st.segmented_control(
        "Random control",
        [1, 3, 5],
        key=key,
        format_func=lambda n: f"{n} seed{'s' if n > 1 else ''}",
        help="Units chosen by chance, always shown in grey: a criterion is worth something only where it is above it.",
        on_change=lambda: st.session_state.update({f"_{key}": st.session_state[key] or 1}),
    )
    return int(st.session_state[key] or 1)
