"""What a request is compared with differs in one thing alone."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

import explorer
from explorer.pruning.controls import controls_of, draws_by_chance, with_seeds
from explorer.pruning.criteria import CRITERIA
from explorer.pruning.plan import plan
from explorer.pruning.spec import Limit, PruneSpec
from tests.every import for_each


def request(criterion: str) -> PruneSpec:
    return PruneSpec("out_channel", criterion, "uniform:sparsity=0.5", {"fc": Limit(locked=True)})  # type: ignore[arg-type]


def test_controls_share_unit_allocation_and_limits_with_the_request() -> None:
    spec = request("gradient")
    found = controls_of(spec)
    assert [control.criterion.key for control in found] == ["random", "lp_norm"]
    assert all(replace(control, criterion=spec.criterion) == spec for control in found)


def test_a_control_is_not_its_own_control() -> None:
    assert [c.criterion.key for c in controls_of(request("lp_norm:p=1"))] == ["random"]
    assert [c.criterion.key for c in controls_of(request("random"))] == ["lp_norm"]


def test_only_what_draws_by_chance_has_seeds() -> None:
    assert with_seeds(request("lp_norm"), range(3)) == (request("lp_norm"),)
    assert with_seeds(request("random"), (4, 5)) == (request("random:seed=4"), request("random:seed=5"))
    assert draws_by_chance(request("random"))
    assert not draws_by_chance(request("lp_norm"))


@for_each("key", CRITERIA.members)
def test_a_variant_is_a_request_of_its_own(key: str) -> None:
    forms = [CRITERIA.get(key), *(CRITERIA.get(f"{key}:{values}") for values in CRITERIA.member(key).variants)]
    assert len(set(map(str, forms))) == len(forms)


def sparse() -> nn.Sequential:
    """Layers of 20 and 8 weights, of which 8 and none are zero; the third row of the first holds zeros alone."""
    net = nn.Sequential(nn.Linear(5, 4, bias=False), nn.ReLU(), nn.Linear(4, 2, bias=False), nn.Flatten())
    with torch.no_grad():
        net[0].weight.copy_(torch.arange(1.0, 21).reshape(4, 5))
        net[0].weight[2] = 0
        net[0].weight[0, :3] = 0
        net[2].weight.copy_(torch.arange(1.0, 9).reshape(2, 4))
    return net.eval()


def test_a_random_mask_takes_what_is_zero_already_before_it_draws() -> None:
    model = explorer.load(sparse(), example=torch.zeros(1, 5))
    for spec, by_layer, n_zero in (
        (PruneSpec("weight", "random", "uniform:sparsity=0.5"), (10, 4), 14),  # 8 zeros and 2 drawn; 4 drawn
        (PruneSpec("weight", "random", "global:sparsity=0.25"), (7, 0), 8),  # 7 zeros, nothing is drawn
    ):
        for one in with_seeds(spec, range(5)):
            pruned = plan(model, one)
            assert tuple(group.n_pruned for group in pruned.groups) == by_layer
            assert pruned.n_already_zero == 8
            assert pruned.n_zero == n_zero
            assert plan(model, replace(one, criterion=CRITERIA.get("lp_norm"))).n_zero == n_zero


def test_random_channels_that_are_zero_already_go_first() -> None:
    model = explorer.load(sparse(), example=torch.zeros(1, 5))
    spec = PruneSpec("out_channel", "random", "uniform:sparsity=0.25", {"0": Limit(locked=False)})  # type: ignore[arg-type]
    for one in with_seeds(spec, range(5)):
        mask = plan(model, one).masks["0.weight"]
        assert mask.all(dim=1).tolist() == [True, True, False, True]
