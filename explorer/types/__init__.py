"""The nouns that flow through the explorer. Nothing here computes; see docs/design.md."""

from __future__ import annotations

from explorer.types.models import Dataset, LayerInfo, LayerTable, LoadedModel, Split, SplitName, tensors_digest
from explorer.types.plans import GroupPlan, Part, Plan, PrunedModel, PruningGroup, Ranking, Scores
from explorer.types.results import Evaluation, Finding, JudgedBy, Level, Measurement, Origin, TradeOff, TradeOffPoint

__all__ = [
    "Dataset",
    "Evaluation",
    "Finding",
    "GroupPlan",
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
    "TradeOff",
    "TradeOffPoint",
    "tensors_digest",
]
