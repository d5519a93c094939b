"""Comparison groups smaller than a layer: a weight's place among those that it competes with, from 0 to 1."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from explorer.pruning.criteria.base import Units
from explorer.pruning.within_layer import scored_parameters
from explorer.types import LoadedModel
from explorer.types.inputs import is_floating


def places(rows: Tensor) -> Tensor:
    """(rows, k): each number's place in its row, the lowest 0 and the highest 1; of equal ones the first is lower."""
    order = rows.argsort(dim=1, stable=True)
    return torch.empty(order.shape).scatter_(1, order, torch.linspace(0, 1, order.shape[1]).expand(order.shape))


def places_in_rows(values: Tensor, units: Units) -> Tensor:
    """(n_weights,) numbers of single weights -> each one's place among those of its output."""
    model, group, _ = units.of
    weight = model.weights[scored_parameters(model, group)[0]]
    outputs = 1 if group.kind.startswith("ConvTranspose") else 0
    rows = values.reshape(weight.shape).movedim(outputs, 0)
    return places(rows.flatten(1)).reshape(rows.shape).movedim(0, outputs).reshape(-1)


def is_language_model(model: LoadedModel) -> bool:
    """Whether it reads tokens and gives as many scores as it has tokens to look up."""
    if model.module is None or model.example is None or is_floating(model.example):
        return False
    parts = list(model.module.modules())
    vocabularies = {part.num_embeddings for part in parts if isinstance(part, nn.Embedding)}
    return any(part.out_features in vocabularies for part in parts if isinstance(part, nn.Linear))
