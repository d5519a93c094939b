"""What every granularity promises, on every small network; then each against an outside oracle."""

from __future__ import annotations

import json
from functools import cache

import pytest
import torch
from builders import Attention, Mobile, Plain, Recurrent, Residual, Tied, loaded
from torch import nn
from torch.ao.pruning import WeightNormSparsifier
from torch.nn.utils import prune

from explorer.errors import ExplorerError
from explorer.metrics.size import sizes
from explorer.pruning.apply import masked
from explorer.pruning.granularity import GRANULARITIES, get
from explorer.pruning.layers import layer_table
from explorer.pruning.plan import plan
from explorer.pruning.scoring import score
from explorer.pruning.spec import Limit, PruneSpec
from explorer.types import LoadedModel, PruningGroup, tensors_digest
from tests.every import for_each

NETWORKS = {
    "plain": (Plain, (1, 8, 8)),
    "residual": (Residual, (1, 8, 8)),
    "mobile": (Mobile, (1, 8, 8)),
    "recurrent": (Recurrent, (6,)),
    "attention": (Attention, (5, 6)),
    "tied": (Tied, (3,)),
}
KEYS = [member.key for member in GRANULARITIES]
every_granularity = for_each("key", KEYS)
every_network = for_each("name", NETWORKS)


@cache
def network(name: str) -> LoadedModel:
    build, shape = NETWORKS[name]
    torch.manual_seed(0)
    return loaded(build(), *shape)


def groups_of(key: str, model: LoadedModel) -> list[PruningGroup]:
    return list(get(key).groups(model, layer_table(model)))


def has_units(key: str, model: LoadedModel) -> bool:
    return any(group.why_not is None for group in groups_of(key, model))


def unlocked(key: str, model: LoadedModel, share: float) -> PruneSpec:
    """The same share of every group, those that are locked by default too; nothing of a network without such units."""
    if not has_units(key, model):
        return PruneSpec(key, "lp_norm", "uniform")
    limits = {k.name: Limit(locked=False) for k in groups_of(key, model) if k.locked_by}
    return PruneSpec(key, "lp_norm", f"uniform:sparsity={share}", limits)


@every_network
@every_granularity
def test_every_prunable_layer_is_in_a_group_or_says_why_not(key: str, name: str) -> None:
    model = network(name)
    groups = groups_of(key, model)
    assert {layer for k in groups for layer in k.layers} == {layer.name for layer in layer_table(model).prunable}
    assert len({k.name for k in groups}) == len(groups)
    for group in groups:
        assert group.unit == get(key).unit
        assert group.why_not is None or (group.why_not[0].isupper() and group.why_not.endswith("."))


@every_network
@every_granularity
def test_groups_hold_finite_weights_of_the_groups_layers_one_row_a_unit(key: str, name: str) -> None:
    model = network(name)
    for group in (k for k in groups_of(key, model) if k.why_not is None):
        groups = get(key).unit_weights(model, group)
        assert groups.shape[0] == group.n_units > 0
        assert bool(torch.isfinite(groups).all())
        of_the_layers = torch.cat([model.weights[p].flatten() for p in _scored(model, group)])
        assert bool(torch.isin(groups.flatten(), of_the_layers).all())


@every_network
@every_granularity
def test_exactly_as_many_units_go_as_were_asked_for(key: str, name: str) -> None:
    model = network(name)
    for share in (0.25, 0.5, 1.0):
        for k in plan(model, unlocked(key, model, share)).groups:
            most = k.group.n_may_go if k.group.why_not is None else 0
            assert k.n_pruned == min(round(share * k.group.n_units), most)


@every_network
@every_granularity
def test_every_unit_cuts_something_of_its_own_and_no_other_groups_scored_weights(key: str, name: str) -> None:
    model = network(name)
    for group in (k for k in groups_of(key, model) if k.why_not is None):
        total = torch.zeros(group.n_units, dtype=torch.int64)
        for unit in range(min(group.n_units, 12)):
            keep = torch.ones(group.n_units, dtype=torch.bool)
            keep[unit] = False
            cut = get(key).spread(model, group, keep)
            total[unit] = sum(_n_cut(what) for what in cut.values())
        assert bool((total[: min(group.n_units, 12)] > 0).all())
        untouched = get(key).spread(model, group, torch.ones(group.n_units, dtype=torch.bool))
        assert sum(_n_cut(what) for what in untouched.values()) == 0


@every_network
@every_granularity
def test_pruned_entries_are_zero_the_rest_is_as_it_was_and_the_network_runs(key: str, name: str) -> None:
    model = network(name)
    before = tensors_digest(model.weights)
    ours = plan(model, unlocked(key, model, 0.5))
    module = masked(model, ours).module
    for parameter, tensor in module.named_parameters():
        mask = ours.masks.get(parameter, torch.ones_like(tensor, dtype=torch.bool))
        assert mask.shape == tensor.shape
        assert torch.equal(tensor, torch.where(mask, model.weights[parameter], torch.zeros(())))
    assert bool(torch.isfinite(module(model.example)).all())
    assert tensors_digest(model.weights) == before


@every_granularity
def test_a_request_survives_the_trip_through_json_and_gives_the_same_masks(key: str) -> None:
    model = network("residual")
    spec = unlocked(key, model, 0.5)
    again = PruneSpec.from_json(json.dumps(spec.to_json()))
    assert again == spec
    ours, theirs = plan(model, spec), plan(model, again)
    assert ours.digest == theirs.digest
    assert all(torch.equal(mask, theirs.masks[name]) for name, mask in ours.masks.items())


@every_granularity
def test_one_ranking_over_all_layers_reaches_the_share_that_was_asked(key: str) -> None:
    model = network("mobile")
    share = 0.5 if has_units(key, model) else 0.0
    spec = PruneSpec(key, "lp_norm", f"global:sparsity={share}", unlocked(key, model, share).limits)
    scores = score(model, spec)
    n_units = sum(k.n_units for k in scores.groups if k.why_not is None and k.n_may_go)
    assert sum(k.n_pruned for k in plan(model, spec, scores).groups) == round(0.5 * n_units)


def _scored(model: LoadedModel, group: PruningGroup) -> list[str]:
    parts = [p.parameter for p in group.parts if p.role == "scored"]
    return parts or [next(layer.parameter for layer in layer_table(model) if layer.name == group.layers[0])]


def _n_cut(what: object) -> int:
    vectors = what.values() if isinstance(what, dict) else [what]
    return sum(int((~v).sum()) for v in vectors)


# -- against an outside oracle -------------------------------------------------------------------


def _sparsified(weight: torch.Tensor, share: float, block: tuple[int, int], n_zeros: int) -> torch.Tensor:
    """The mask that torch's own block sparsifier makes."""
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.weight = nn.Parameter(weight.clone())
    module = nn.Sequential(layer)
    sparsifier = WeightNormSparsifier(share, block, n_zeros)
    sparsifier.prepare(module, [{"tensor_fqn": "0.weight"}])
    sparsifier.step()
    return module[0].parametrizations.weight[0].mask.bool()


@pytest.mark.parametrize(("n", "m"), [(2, 4), (1, 4), (4, 8), (3, 16)])
def test_a_fully_patterned_layer_has_the_mask_of_torchs_own_sparsifier(n: int, m: int) -> None:
    torch.manual_seed(0)
    model = loaded(nn.Sequential(nn.Linear(32, 12)), 32)
    ours = plan(model, PruneSpec(f"n_of_m:n={n},m={m}", "lp_norm", "uniform:sparsity=1.0"))
    assert torch.equal(ours.masks["0.weight"], _sparsified(model.weights["0.weight"], 1.0, (1, m), m - n))
    assert sizes(model, ours)["n_of_m"].note.startswith(f"Every {m} neighbours keep {n}")


def test_half_of_the_groups_of_a_layer_can_take_the_pattern_and_the_others_stay_whole() -> None:
    model = network("plain")
    ours = plan(model, PruneSpec("n_of_m:n=1,m=2", "lp_norm", "uniform:sparsity=0.5"))
    per_group = ours.masks["conv2.weight"].movedim(1, -1).reshape(-1, 2).sum(1)
    assert sorted(set(per_group.tolist())) == [1, 2]
    assert int((per_group == 1).sum()) == len(per_group) // 2


def test_the_groups_of_a_convolution_run_along_its_input_channels() -> None:
    conv = nn.Conv2d(4, 1, 2, bias=False)
    conv.weight.data = torch.arange(1.0, 17.0).reshape(1, 4, 2, 2)
    model = loaded(nn.Sequential(conv), 4, 5, 5)
    ours = plan(model, PruneSpec("n_of_m", "lp_norm", "uniform:sparsity=1.0"))
    # At each of the four places the first two input channels hold the smaller weights.
    assert ours.masks["0.weight"][0, :, 0, 0].tolist() == [False, False, True, True]
    assert ours.masks["0.weight"].sum().item() == 8


def test_layers_whose_inputs_do_not_divide_by_m_say_so() -> None:
    groups = {k.name: k for k in get("n_of_m").groups(network("plain"), layer_table(network("plain")))}
    assert groups["conv1"].why_not == "Its 1 inputs do not divide into groups of 4."
    assert groups["conv2"].why_not == "Its 6 inputs do not divide into groups of 4."
    assert groups["fc"].why_not is None


def test_a_pattern_that_keeps_everything_is_refused() -> None:
    with pytest.raises(ExplorerError, match="4 of 4 prunes nothing"):
        get("n_of_m:n=4,m=4")


def test_blocks_are_those_of_torchs_own_sparsifier() -> None:
    torch.manual_seed(0)
    model = loaded(nn.Sequential(nn.Linear(24, 12)), 24)
    ours = plan(model, PruneSpec("block:rows=2,columns=4", "lp_norm", "uniform:sparsity=0.5"))
    assert torch.equal(ours.masks["0.weight"], _sparsified(model.weights["0.weight"], 0.5, (2, 4), 8))


def test_kernels_with_the_smallest_norms_go() -> None:
    model = network("plain")
    ours = plan(model, PruneSpec("kernel", "lp_norm", "uniform:sparsity=0.25"))
    norms = model.weights["conv2.weight"].flatten(2).norm(dim=2)
    expected = norms > norms.flatten().sort().values[11]
    assert torch.equal(ours.masks["conv2.weight"], expected[:, :, None, None].expand(8, 6, 3, 3))


@pytest.mark.parametrize(("layer", "dim"), [("conv2", 1), ("fc", 1)])
def test_input_channels_are_those_of_torchs_structured_pruning(layer: str, dim: int) -> None:
    model = network("plain")
    other = {"conv2": "fc", "fc": "conv2"}[layer]  # else what no layer reads any more would go too
    ours = plan(model, PruneSpec("in_channel", "lp_norm", "uniform:sparsity=0.5", {other: Limit(locked=True)}))
    shell = nn.Module()
    shell.register_parameter("w", nn.Parameter(model.weights[f"{layer}.weight"].clone()))
    prune.ln_structured(shell, "w", 0.5, n=2, dim=dim)
    assert torch.equal(ours.masks[f"{layer}.weight"], shell.w_mask.bool())


def test_an_input_channel_of_a_grouped_convolution_belongs_to_one_group() -> None:
    model = network("mobile")
    groups = {k.name: k for k in groups_of("in_channel", model)}
    assert (groups["grouped"].n_units, groups["depth"].n_units) == (8, 6)
    keep = torch.ones(8, dtype=torch.bool)
    keep[5] = False
    mask = get("in_channel").spread(model, groups["grouped"], keep)["grouped.weight"]
    assert isinstance(mask, torch.Tensor)
    gone = (~mask).nonzero()
    assert set(gone[:, 0].tolist()) == set(range(6, 12))
    assert set(gone[:, 1].tolist()) == {1}
