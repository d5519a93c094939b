"""The nouns that flow through the explorer. Nothing here computes; see docs/design.md.

A noun's module is imported with its first use, because the process that reads files starts below this package and
must not wait for torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from explorer.types.inputs import Inputs, InputSet
    from explorer.types.models import Dataset, LayerInfo, LayerTable, LoadedModel, Split, SplitName, tensors_digest
    from explorer.types.plans import GroupPlan, Part, Plan, PrunedModel, PruningGroup, Ranking, Scores
    from explorer.types.results import (
        Evaluation,
        Finding,
        JudgedBy,
        Level,
        Measurement,
        Origin,
        Task,
        TradeOff,
        TradeOffPoint,
    )

_MODULES = {
    "inputs": ("InputSet", "Inputs"),
    "models": ("Dataset", "LayerInfo", "LayerTable", "LoadedModel", "Split", "SplitName", "tensors_digest"),
    "plans": ("GroupPlan", "Part", "Plan", "PrunedModel", "PruningGroup", "Ranking", "Scores"),
    "results": (
        "Evaluation",
        "Finding",
        "JudgedBy",
        "Level",
        "Measurement",
        "Origin",
        "Task",
        "TradeOff",
        "TradeOffPoint",
    ),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "Dataset",
    "Evaluation",
    "Finding",
    "GroupPlan",
    "InputSet",
    "Inputs",
    "JudgedBy",
    "LayerInfo",
    "LayerTable",
    "Level",
    "LoadedModel",
    "Measurement",
    "Origin",
    "Part",
    "Plan",
    "PrunedModel",
    "PruningGroup",
    "Ranking",
    "Scores",
    "Split",
    "SplitName",
    "Task",
    "TradeOff",
    "TradeOffPoint",
    "tensors_digest",
]


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value
