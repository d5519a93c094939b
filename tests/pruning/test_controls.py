"""What a request is compared with differs in one thing alone."""

from __future__ import annotations

from dataclasses import replace

from explorer.pruning.controls import controls_of, draws_by_chance, with_seeds
from explorer.pruning.criteria import CRITERIA
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
