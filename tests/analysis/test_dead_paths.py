"""Two layers that are not empty alone may together let nothing through; a residual way around keeps the signal."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from explorer.analysis import collapse
from explorer.analysis.dead_paths import cut_off
from explorer.pruning.plan import plan
from explorer.pruning.spec import PruneSpec
from explorer.types import LoadedModel, Plan, tensors_digest


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.inner, self.last = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(x).relu()
        return self.last(y + self.inner(y))


def model_of(module: nn.Module) -> LoadedModel:
    weights = {name: p.detach() for name, p in module.eval().requires_grad_(False).named_parameters()}
    with torch.no_grad():
        for tensor in weights.values():
            tensor.fill_(1.0)
    return LoadedModel("tiny", module, weights, tensors_digest(weights), example=torch.ones(1, 4), n_classes=2)


def nothing_pruned(model: LoadedModel) -> Plan:
    return plan(model, PruneSpec("weight", "lp_norm", "uniform:sparsity=0"))  # type: ignore[arg-type]


def test_a_layer_that_reads_what_another_no_longer_makes_is_found_and_so_is_what_follows() -> None:
    model = model_of(nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2)))
    assert list(cut_off(model, nothing_pruned(model))) == []
    with torch.no_grad():
        model.weights["0.weight"][:2] = 0.0  # makes channels 2 and 3
        model.weights["2.weight"][:, 2:] = 0.0  # reads channels 0 and 1
    again = model_of_same(model)
    cut = {layer.name: n for layer, n in cut_off(again, nothing_pruned(again))}
    assert cut == {"2": 8, "4": 8}
    findings = [f for f in collapse.before(again, nothing_pruned(again)) if "reads dead channels alone" in f.what]
    assert [(f.level, f.layer) for f in findings] == [("fail", "2"), ("fail", "4")]
    # What torch computes: with the biases alone, every input gives one output.
    assert again.module is not None
    x = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    assert torch.unique(again.module(x), dim=0).shape[0] == 1


def test_a_network_of_one_layer_has_no_channels_that_could_be_dead() -> None:
    model = model_of(nn.Linear(4, 3))
    with torch.no_grad():
        model.weights["weight"][0] = 0.0
    again = model_of_same(model)
    assert list(cut_off(again, nothing_pruned(again))) == []


def test_a_way_around_carries_the_signal() -> None:
    model = model_of(Residual())
    with torch.no_grad():
        model.weights["first.weight"][:2] = 0.0
        model.weights["inner.weight"][:, 2:] = 0.0
    again = model_of_same(model)
    assert list(cut_off(again, nothing_pruned(again))) == []
    assert again.module is not None
    x = torch.rand(5, 4, generator=torch.Generator().manual_seed(0))
    assert torch.unique(again.module(x), dim=0).shape[0] == 5


def model_of_same(model: LoadedModel) -> LoadedModel:
    """The same numbers as a model that has not been looked at yet."""
    return LoadedModel("tiny", model.module, dict(model.weights), "d", example=model.example, n_classes=2)
