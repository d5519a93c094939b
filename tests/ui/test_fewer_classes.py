"""Data that have fewer classes than the model tells apart."""

from __future__ import annotations

import pytest
import streamlit as st
import torch
from torch import nn

from explorer.engine.evaluator import Evaluator
from explorer.pruning.plan import plan
from explorer.pruning.spec import PruneSpec
from explorer.types import Dataset, LoadedModel, Split, tensors_digest
from explorer.ui.widgets import thumbnails


def test_the_pictures_below_the_chart_name_a_class_that_the_data_do_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    linear = nn.Linear(16, 8)
    with torch.no_grad():
        linear.weight.zero_()
        linear.weight[1] = 1.0  # the dense model answers 1 to all; without that row, its bias alone answers 7
        linear.bias.copy_(torch.arange(8) / 100)
    module = nn.Sequential(nn.Flatten(), linear).eval().requires_grad_(False)
    weights = dict(module.named_parameters())
    model = LoadedModel("tiny", module, weights, tensors_digest(weights), example=torch.zeros(1, 1, 4, 4), n_classes=8)
    data = Dataset("two", {"tune": Split("tune", torch.ones(6, 1, 4, 4), torch.ones(6).long())}, ("no", "yes"), "d")
    pruned = Evaluator(model, data.splits["tune"], threads=1).final(
        plan(model, PruneSpec("weight", "lp_norm", "global:sparsity=1"))
    )
    assert pruned.predictions.tolist() == [7] * 6
    drawn: list[str] = []
    monkeypatch.setattr(st, "html", drawn.append)
    monkeypatch.setattr(st, "caption", drawn.append)
    thumbnails.grid(data, pruned, torch.arange(6), "Right before, wrong now")
    assert "true yes, dense yes, pruned 7" in drawn[1]
