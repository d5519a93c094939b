"""The choices of the trade-off page: units x criteria x allocations, seeds, and the classifier's lock."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, cast

import streamlit as st

from explorer.analysis.comparison.compare import usual_seeds
from explorer.analysis.comparison.comparison import Comparison
from explorer.analysis.comparison.naming import named
from explorer.metrics.macs import why_no_macs
from explorer.params import params_of
from explorer.pruning.allocation import ALLOCATIONS
from explorer.pruning.classifier import classifier_of
from explorer.pruning.controls import MAGNITUDE, RANDOM
from explorer.pruning.criteria import CRITERIA
from explorer.pruning.criteria.base import Criterion
from explorer.pruning.granularity import GRANULARITIES
from explorer.pruning.granularity.base import Granularity
from explorer.pruning.level import is_one_level
from explorer.pruning.spec import Limit, PruneSpec
from explorer.text.names import clean_markdown
from explorer.types import Dataset, LoadedModel, PruningGroup
from explorer.ui.shell import cache
from explorer.ui.widgets import criterion_picker as criterion_choice
from explorer.ui.widgets import not_here
from explorer.ui.widgets.persistent_widget import remembered

# As many as there are colours that are told apart.
_MOST_CRITERIA = 6
_SEEDS = (1, 3, 5)
_LOCK, _CRITERIA = "compare_lock", "compare_Criteria"


def draw(model: LoadedModel, dataset: Dataset, present: PruneSpec) -> Comparison | None:
    """The choices in two rows, with what cannot be compared and why; returns the comparison, None where nothing fits.

    Locks and limits of Explore hold for the unit that they are set for.
    """
    refused = not_here.refused_units(model, GRANULARITIES.members)
    units = [unit for unit in GRANULARITIES.members if unit not in refused]
    without = criterion_choice.refusals(model, dataset)
    measures = _measures(present, without)
    usual = PruneSpec().allocation.key
    allocations = sorted((a for a in ALLOCATIONS.members if _has_level(a)), key=lambda a: a != usual)
    with st.container(horizontal=True, vertical_alignment="bottom", key="compare_choices"):
        ranked = _criteria(list(measures), named(_chosen_on_explore(present)))
        shared = _several("Allocation", allocations, allocations[:2], _allocation_label)
        n_seeds = _seeds(model, dataset)
    with st.container(horizontal=True, vertical_alignment="bottom", key="compare_units"):
        chosen = _several("Units", units, [present.granularity.key], not_here.unit_label)
        is_locked = _lock(model)
        _refused(refused, without)
    pairs, unfit = _fitting(model, dataset, chosen, [measures[name] for name in ranked])
    for why, names in unfit.items():
        st.caption(
            f":material/block: **{clean_markdown(', '.join(names), 200)}** is left out. {clean_markdown(why, 300)}"
        )
    methods = [
        PruneSpec(GRANULARITIES.get(unit), criterion, ALLOCATIONS.get(allocation), _limits(present, unit))
        for unit, criterion in pairs
        for allocation in shared
    ]
    if not methods:
        return None
    if any(spec.limits for spec in methods):
        unit = not_here.unit_label(present.granularity.key).lower()
        st.caption(f":material/lock: The locks and limits of Explore hold for {unit}, controls included.")
    return Comparison.of(
        model, dataset, methods, seeds=range(n_seeds), lock_classifier=is_locked, groups_of=partial(_groups, model)
    )


def _limits(present: PruneSpec, unit: str) -> tuple[tuple[str, Limit], ...]:
    return present.limits if unit == present.granularity.key else ()


def _groups(model: LoadedModel, unit: Granularity) -> tuple[PruningGroup, ...]:
    return cache.scores(model, PruneSpec(unit), None).groups


def _fitting(
    model: LoadedModel, dataset: Dataset, units: Sequence[str], measures: Sequence[Criterion]
) -> tuple[list[tuple[str, Criterion]], dict[str, list[str]]]:
    """The pairs of unit and criterion that go together; for the others, by reason, which."""
    pairs: list[tuple[str, Criterion]] = []
    unfit: dict[str, list[str]] = {}
    for unit in units:
        for measure in measures:
            criterion = _effective(unit, measure)
            spec = PruneSpec(GRANULARITIES.get(unit), criterion)
            refusal = cache.why_not_ranked(model, spec, dataset)
            if refusal is None:
                pairs.append((unit, criterion))
            else:
                unfit.setdefault(str(refusal), []).append(f"{named(measure)} on {not_here.unit_label(unit).lower()}")
    return list(dict.fromkeys(pairs)), unfit


def _effective(unit: str, criterion: Criterion) -> Criterion:
    """On single weights every norm is |w|: one curve, under the default order."""
    return CRITERIA.get(MAGNITUDE) if unit == "weight" and criterion.key == MAGNITUDE else criterion


def _refused(units: dict[str, str], without: dict[str, str]) -> None:
    """What cannot be chosen here, and why, behind a button."""
    reasons: dict[str, list[str]] = {}
    for key, why in without.items():
        label = str(CRITERIA.member(key).label)
        rest = why.removeprefix(label).strip()
        reasons.setdefault(rest[:1].upper() + rest[1:], []).append(label)
    for unit, why in units.items():
        reasons.setdefault(why, []).append(not_here.unit_label(unit))
    not_here.draw(reasons, "compare_refused", verb="compared")


def _measures(present: PruneSpec, refused: dict[str, str]) -> dict[str, Criterion]:
    """The criteria to choose from: each with its defaults, known variants, and what is set on Explore."""
    keys = [key for key in CRITERIA.members if key not in refused and key != RANDOM]
    texts = [text for key in keys for text in (key, *_variants(key))]
    criteria = [CRITERIA.get(text) for text in texts]
    criteria += [] if present.criterion.key in refused else [_chosen_on_explore(present)]
    return {named(criterion): criterion for criterion in criteria}


def _variants(key: str) -> list[str]:
    return [f"{key}:{values}" for values in CRITERIA.member(key).variants]


def _chosen_on_explore(present: PruneSpec) -> Criterion:
    return present.criterion if present.criterion.key != RANDOM else PruneSpec().criterion


def _allocation_label(key: str) -> str:
    return str(cast(Any, ALLOCATIONS.member(key)).label)


def _has_level(key: str) -> bool:
    """Allocations that one overall sparsity describes."""
    member = ALLOCATIONS.member(key)
    return is_one_level(member) and not any(p.required for p in params_of(member))


_HELP = {
    "Units": "What goes as a whole. Single weights keep more accuracy; whole channels make the network really smaller.",
    "Criteria": "What makes a unit important. On single weights every norm is |w|: its order p changes nothing.",
    "Allocation": "How many units each layer gives up. Shares by a sensitivity scan are tried under Budget.",
}


def _several(label: str, options: list[str], default: list[str], text: Any) -> list[str]:
    """Pills of which at least one is always chosen; the choice outlives a visit to another page."""
    key = f"compare_{label}"
    chosen = st.pills(
        label,
        options,
        selection_mode="multi",
        wrap=True,
        key=key,
        format_func=text,
        help=_HELP[label],
        on_change=remembered(key, _there(default, options), options),
    )
    return [o for o in options if o in chosen]


def _criteria(options: list[str], default: str) -> list[str]:
    """Many to choose from, few at a time: a list that can be searched, with what is chosen in sight."""
    chosen = st.multiselect(
        "Criteria",
        options,
        key=_CRITERIA,
        max_selections=_MOST_CRITERIA,
        placeholder="Choose criteria",
        help=_HELP["Criteria"],
        on_change=remembered(_CRITERIA, _there([default], options), options),
    )
    return [o for o in options if o in chosen]


def _there(default: list[str], options: list[str]) -> list[str]:
    """Those of the default that can be chosen here, else the first option."""
    return [o for o in default if o in options] or options[:1]


def _seeds(model: LoadedModel, dataset: Dataset) -> int:
    usual = len(usual_seeds(None if why_no_macs(model) else cache.macs(model), dataset))
    chosen = st.segmented_control(
        "Seeds",
        _SEEDS,
        key="compare_seeds",
        required=True,
        help="How often all that draws by chance is drawn anew: one curve through the means, its band from the "
        "lowest to the highest.",
        on_change=remembered("compare_seeds", usual, _SEEDS),
    )
    return chosen or usual


def _lock(model: LoadedModel) -> bool:
    """Whether the classifier is locked in every method and control; on by default."""
    name = classifier_of(model)
    if name is None:
        return False
    return st.toggle(
        f"Classifier {clean_markdown(name, 40)} locked",
        key=_LOCK,
        help="On: no method compared here prunes it. Off: its single weights go like all others. Its rows are the "
        "classes, so as a channel nothing of it ever goes.",
        on_change=remembered(_LOCK, True),
    )
