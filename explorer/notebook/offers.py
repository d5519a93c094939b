"""What can be chosen above the histograms of the widget: units, criteria, presets."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.notebook.work import Work
from explorer.pruning.criteria import CRITERIA
from explorer.pruning.gathering import why_no_evidence
from explorer.pruning.granularity import GRANULARITIES
from explorer.text.numbers import percent_asked
from explorer.types.aliases import JsonDict
from explorer.workbench.choices import PRESETS


def offers(work: Work) -> list[JsonDict]:
    """Each kind of choice with its label, its choices (value, text) and the present one; None: buttons."""
    return [
        _offer("unit", "Unit", [(key, GRANULARITIES.member(key).label) for key in GRANULARITIES.members], work),
        _offer("criterion", "Criterion", _criteria(work), work),
        {"kind": "preset", "label": "Share that goes", "choices": _presets(work), "present": None},
    ]


def _offer(kind: str, label: str, choices: Sequence[tuple[str, str]], work: Work) -> JsonDict:
    present = work.spec.granularity.key if kind == "unit" else work.spec.criterion.key
    return {"kind": kind, "label": label, "choices": [list(choice) for choice in choices], "present": present}


def _criteria(work: Work) -> list[tuple[str, str]]:
    """Those that have something to look at here."""
    able = [key for key in CRITERIA.members if not why_no_evidence(work.model, CRITERIA.get(key), work.dataset)]
    return [(key, CRITERIA.member(key).label) for key in able]


def _presets(work: Work) -> list[list[str]]:
    unpruned = "As opened" if work.plan.n_already_zero else "Dense"
    return [[str(share), percent_asked(share) if share else unpruned] for share in PRESETS]
