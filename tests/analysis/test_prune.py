"""``ex.prune``: a new module, equal to what ``torch.nn.utils.prune`` makes; the old one stays."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn.utils import prune

import explorer as ex

X = torch.randn(16, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def conv_net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        *(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 6, 3), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(216, 10)),
    )


def test_magnitude_is_that_of_torch_layer_by_layer_and_over_all_layers() -> None:
    net = conv_net()
    before = copy.deepcopy(net.state_dict())
    for allocation in ("uniform:sparsity=0.5", "global:sparsity=0.5"):
        pruned = ex.prune(net, ex.PruneSpec("weight", "lp_norm:p=1", allocation))

        expected = copy.deepcopy(net)
        places = [(expected.get_submodule(name), "weight") for name in ("0", "3", "6")]
        if allocation.startswith("global"):
            prune.global_unstructured(places, pruning_method=prune.L1Unstructured, amount=0.5)
        else:
            for part, key in places:
                prune.l1_unstructured(part, key, 0.5)
        for part, key in places:
            prune.remove(part, key)
        assert type(pruned) is nn.Sequential
        assert pruned.training
        assert all(parameter.requires_grad for parameter in pruned.parameters())
        assert all(torch.equal(tensor, expected.state_dict()[name]) for name, tensor in pruned.state_dict().items())
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())


def test_removed_channels_leave_a_smaller_module_with_the_masked_outputs() -> None:
    net = conv_net().eval()
    spec = ex.PruneSpec("out_channel", "lp_norm:p=1", "uniform:sparsity=0.5")

    masked = ex.prune(net, spec, example=X)
    smaller = ex.prune(net, spec, example=X, remove=True)

    assert torch.allclose(smaller(X), masked(X), atol=1e-5)
    assert sum(p.numel() for p in smaller.parameters()) < 0.6 * sum(p.numel() for p in net.parameters())


def test_data_serve_criteria_that_look_at_samples_and_are_the_example() -> None:
    net = conv_net()
    y = torch.arange(16) % 10

    pruned = ex.prune(net, ex.PruneSpec("weight", "wanda", "uniform:sparsity=0.5"), {"fit": (X, y), "tune": (X, y)})

    assert int((pruned.get_submodule("3").weight == 0).sum()) == 216  # type: ignore[arg-type]


def test_what_cannot_be_pruned_is_refused() -> None:
    spec = ex.PruneSpec("out_channel", "lp_norm", "uniform:sparsity=0.5")
    with pytest.raises(ex.ExplorerError, match="example="):
        ex.prune(conv_net(), spec)
    with pytest.raises(ex.ExplorerError, match="needs data|cannot be computed"):
        ex.prune(conv_net(), ex.PruneSpec("weight", "wanda", "uniform:sparsity=0.5"))
    with pytest.raises(ex.ExplorerError, match="no module"):
        ex.prune("digits-cnn", spec)  # type: ignore[arg-type]
