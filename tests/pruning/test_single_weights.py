"""Whole units first, then single weights of what they leave: one request, one plan, one proof."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn.utils import prune as torch_prune

import explorer as ex
from explorer.export.packed import packed_file
from explorer.export.slim import proven
from explorer.metrics.macs import macs
from explorer.recovery.steps import Prune
from explorer.types import LoadedModel

UNITS = ex.PruneSpec("out_channel", "lp_norm:p=1", "uniform:sparsity=0.3")
BOTH = replace(UNITS, then=ex.PruneSpec(allocation="global:sparsity=0.5"))


@pytest.fixture(scope="module")
def resnet() -> LoadedModel:
    return ex.load("digits-resnet")


def test_the_smaller_network_is_the_one_that_torch_prunes_after_the_units_were_cut_out(resnet: LoadedModel) -> None:
    for then, amount in (("global:sparsity=0.5", 0.5), ("global:sparsity=0.9", 0.9)):
        both = ex.sliced(resnet, ex.plan(resnet, replace(UNITS, then=ex.PruneSpec(allocation=then)))).module
        alone = ex.sliced(resnet, ex.plan(resnet, UNITS)).module
        layers = [(m, "weight") for m in alone.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
        torch_prune.global_unstructured(layers, pruning_method=torch_prune.L1Unstructured, amount=amount)
        for layer, name in layers:
            torch_prune.remove(layer, name)
        expected, tensors = dict(alone.named_parameters()), dict(both.named_parameters())
        assert tensors.keys() == expected.keys()
        assert all(torch.equal(tensors[name], expected[name]) for name in expected)


def test_a_channel_whose_weights_all_went_singly_keeps_its_bias_and_is_not_cut_out() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3)).eval()
    with torch.no_grad():
        net[2].weight[5] = 1e-6  # every weight of it goes as a single one
        net[2].weight[3] = 1e-9  # goes as a unit
        net[2].bias[5] = 2.0
    model = ex.load(net, example=torch.randn(4, 6))
    spec = ex.PruneSpec("out_channel", "lp_norm:p=1", "per_layer", limits={"2": ex.Limit(floor=1 / 8)})
    plan = ex.plan(model, replace(spec, then=ex.PruneSpec(allocation="global:sparsity=0.2")))
    assert not plan.masks["2.weight"][5].any()
    small = ex.sliced(model, plan).module
    x = torch.randn(16, 6)
    assert torch.allclose(small(x), ex.masked(model, plan).module(x), atol=1e-6)
    assert sum(p.numel() for p in small.parameters()) == model.n_parameters - (8 + 1 + 3)


def test_one_proof_covers_both_and_the_counts_are_those_of_the_masks(resnet: LoadedModel) -> None:
    plan = ex.plan(resnet, BOTH)
    split = ex.load_data("digits", model=resnet).splits["tune"]
    proof = proven(resnet, plan, split).proof
    assert proof.ok
    assert proof.largest_difference <= 1e-5
    weights = {layer.parameter for layer in plan.layers if layer.prunable}
    left = sum(int(plan.masks[n].sum()) if n in plan.masks else resnet.weights[n].numel() for n in weights)
    units = ex.plan(resnet, UNITS)
    left_by_units = sum(int(units.masks[n].sum()) if n in units.masks else resnet.weights[n].numel() for n in weights)
    assert left == left_by_units - round(0.5 * left_by_units)
    report = ex.report(resnet, plan)
    assert report.sizes["removed"].value == len(packed_file(resnet, plan, "removed"))
    assert report.sizes["bitmask"].value == len(packed_file(resnet, plan, "bitmask"))
    assert report.compression_ratio > ex.report(resnet, units).compression_ratio
    small = ex.sliced(resnet, plan).module
    assert macs(resnet, plan)["removed"].value == macs(ex.load(small, example=resnet.example))["dense"].value


def test_a_recipe_of_both_prunings_is_cut_and_proven_like_one_request(resnet: LoadedModel) -> None:
    data = ex.load_data("digits", model=resnet)
    steps = ex.Recipe((Prune(UNITS), Prune(_overall(resnet))))
    *_, last = ex.recover(resnet, steps, data, progress=False)
    in_two = last.recovered
    *_, last = ex.recover(resnet, ex.Recipe((Prune(BOTH),)), data, progress=False)
    in_one = last.recovered
    two, one = ex.sliced(in_two.model, in_two.plan).module, ex.sliced(in_one.model, in_one.plan).module
    assert {n: p.shape for n, p in two.named_parameters()} == {n: p.shape for n, p in one.named_parameters()}
    x = data.splits["tune"].x[:50]
    assert torch.equal(two(x), one(x))


def _overall(model: LoadedModel) -> ex.PruneSpec:
    """Single weights to the same overall level, as a step counts it."""
    plan = ex.plan(model, BOTH)
    return ex.PruneSpec(allocation=f"global:sparsity={plan.n_pruned / plan.layers.n_prunable!r}")


def test_requests_of_both_travel_as_json_and_others_keep_their_digests(resnet: LoadedModel) -> None:
    assert ex.PruneSpec.from_json(BOTH.to_json()) == BOTH
    assert "then" not in UNITS.to_json()
    assert ex.plan(resnet, BOTH).digest != ex.plan(resnet, UNITS).digest
    for wrong in (
        {"granularity": {"key": "weight"}, "then": {}},
        {**UNITS.to_json(), "then": {"granularity": {"key": "kernel"}}},
        {**UNITS.to_json(), "then": BOTH.to_json()},
        {**UNITS.to_json(), "then": "weight"},
    ):
        with pytest.raises(ex.ExplorerError):
            ex.PruneSpec.from_json(wrong)
