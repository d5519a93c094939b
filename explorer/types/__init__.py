"""The nouns that flow through the explorer. Nothing here computes; see README, "How it is built"."""

from __future__ import annotations

from explorer.types.given import Dataset, LayerInfo, LayerTable, LoadedModel, Split, SplitName, tensors_digest
from explorer.types.measured import Evaluation, Finding, JudgedBy, Level, Measurement, Origin, TradeOff, TradeOffPoint
from explorer.types.planned import Knob, KnobPlan, Part, Plan, PrunedModel, Ranking, Scores

__all__ = [
    "Dataset",
    "Evaluation",
    "Finding",
    "JudgedBy",
    "Knob",
    "KnobPlan",
    "LayerInfo",
    "LayerTable",
    "Level",
    "LoadedModel",
    "Measurement",
    "Origin",
    "Part",
    "Plan",
    "PrunedModel",
    "Ranking",
    "Scores",
    "Split",
    "SplitName",
    "TradeOff",
    "TradeOffPoint",
    "tensors_digest",
]
