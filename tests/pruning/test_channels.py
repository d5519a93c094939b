"""Whole channels: what is coupled, why, and that masked equals physically smaller."""

from __future__ import annotations

import pytest
import torch
import torch_pruning as tp
from builders import Attention, Mobile, Padded, Plain, Recurrent, Residual, Untraceable, loaded
from torch import nn

from explorer.pruning.apply import masked
from explorer.pruning.granularity import get
from explorer.pruning.layers import layer_table
from explorer.pruning.plan import plan
from explorer.pruning.spec import Limit, PruneSpec
from explorer.types import LoadedModel, Plan, PruningGroup

HALF = PruneSpec("out_channel", "lp_norm", "uniform:sparsity=0.5")


def groups_of(model: LoadedModel) -> dict[str, PruningGroup]:
    return {k.name: k for k in get("out_channel").groups(model, layer_table(model))}


def sliced_state(model: LoadedModel, ours: Plan) -> dict[str, torch.Tensor]:
    """The kept entries of every tensor of the model, cut out by hand from the masks."""
    assert model.module is not None
    state = dict(model.module.state_dict())
    for name, mask in ours.masks.items():
        tensor = state[name]
        for dim in range(mask.dim()):
            others = [d for d in range(mask.dim()) if d != dim]
            alive = mask.any(dim=others) if others else mask
            tensor = tensor.index_select(dim, alive.nonzero().flatten())
        state[name] = tensor
        if name.startswith("bn") and name.endswith(".weight"):
            for statistic in ("running_mean", "running_var"):
                state[name.replace("weight", statistic)] = state[name.replace("weight", statistic)][mask]
    return state


@pytest.mark.parametrize(
    ("dense", "smaller"),
    [(Plain(6, 8), Plain(3, 4)), (Residual(6, 8), Residual(3, 4))],
    ids=["plain", "residual"],
)
def test_a_masked_network_computes_what_the_smaller_network_computes(dense: nn.Module, smaller: nn.Module) -> None:
    model = loaded(dense, 1, 8, 8)
    first = next(iter(groups_of(model)))
    ours = plan(model, HALF.with_limit(first, Limit(locked=False)))
    smaller.eval().load_state_dict(sliced_state(model, ours))
    x = torch.randn(16, 1, 8, 8)
    torch.testing.assert_close(masked(model, ours).module(x), smaller(x), rtol=1e-5, atol=1e-6)
    shapes = {name: tuple(p.shape) for name, p in smaller.named_parameters()}
    assert {name: shapes[name] for name in ours.kept_shapes} == dict(ours.kept_shapes)


def test_a_residual_add_couples_the_stem_with_the_block_and_says_so() -> None:
    groups = groups_of(loaded(Residual(), 1, 8, 8))
    assert groups["stem"].layers == ("stem", "conv2")
    assert groups["stem"].coupled_by == ("added together",)
    assert groups["conv1"].layers == ("conv1",)


def test_batch_norm_and_the_next_layers_columns_go_with_a_channel() -> None:
    group = groups_of(loaded(Residual(), 1, 8, 8))["conv1"]
    roles = {(p.parameter, p.dim): p.role for p in group.parts if "running" not in p.parameter}
    assert roles == {
        ("conv1.weight", 0): "scored",
        ("bn1.weight", 0): "follows",
        ("bn1.bias", 0): "follows",
        ("conv2.weight", 1): "consumes",
    }


def test_a_zero_padded_shortcut_couples_only_the_channels_it_carries() -> None:
    groups = groups_of(loaded(Padded(), 1, 8, 8))
    assert (groups["stem"].layers, groups["stem"].n_units) == (("stem", "conv1"), 4)
    assert (groups["conv1"].layers, groups["conv1"].n_units) == (("conv1",), 4)


def test_a_flatten_gives_each_channel_all_its_columns_of_the_classifier() -> None:
    model = loaded(Plain(), 1, 8, 8)
    columns = next(p for p in groups_of(model)["conv2"].parts if p.parameter == "fc.weight")
    assert columns.units.tolist() == [unit for unit in range(8) for _ in range(4)]


def test_depthwise_grouped_and_concatenated_channels_are_followed() -> None:
    model = loaded(Mobile(), 1, 8, 8)
    groups = groups_of(model)
    assert groups["stem"].layers == ("stem", "depth")
    assert groups["point"].n_units == 4
    assert groups["grouped"].n_units == 6
    assert any("grouped" in reason for reason in groups["grouped"].coupled_by)
    side = next(p for p in groups["side"].parts if p.parameter == "fc.weight")
    assert side.units.tolist() == [-1] * 12 + [0, 1, 2, 3, 4]
    ours = plan(model, HALF)
    assert masked(model, ours).module(torch.randn(2, 1, 8, 8)).shape == (2, 4)


def test_the_classifier_is_never_cut() -> None:
    for network in (Plain(), Residual(), Mobile()):
        assert "output" in (groups_of(loaded(network, 1, 8, 8))["fc"].why_not or "")


def test_layers_that_cannot_shrink_say_why_in_a_sentence() -> None:
    attention = groups_of(loaded(Attention(), 5, 6))
    assert attention["up"].why_not is None
    assert "choose heads" in (attention["attend.in_proj_weight"].why_not or "")
    recurrent = groups_of(loaded(Recurrent(), 6))
    assert "recurrent" in (recurrent["lstm.weight_ih_l0"].why_not or "")
    untraceable = groups_of(loaded(Untraceable(), 4))
    assert "could not be traced" in (untraceable["a"].why_not or "")


def test_the_first_layer_is_locked_by_default_with_a_reason_and_can_be_unlocked() -> None:
    model = loaded(Residual(), 1, 8, 8)
    ours = {k.group.name: k for k in plan(model, HALF).groups}
    assert ours["stem"].locked
    assert ours["stem"].n_pruned == 0
    assert (ours["stem"].group.locked_by or "").startswith("First layer")
    free = plan(model, HALF.with_limit("stem", Limit(locked=False)))
    assert {k.group.name: k.n_pruned for k in free.groups}["stem"] == 3


def test_one_channel_always_stays_and_the_plan_says_so() -> None:
    model = loaded(Plain(), 1, 8, 8)
    ours = plan(model, PruneSpec("out_channel", "lp_norm", "uniform:sparsity=1.0"))
    assert {k.group.name: k.n_pruned for k in ours.groups}["conv2"] == 7
    assert any("At least one unit" in note for note in ours.notes)


def test_a_channels_score_is_the_norm_of_all_its_coupled_weights() -> None:
    model = loaded(Residual(), 1, 8, 8)
    granularity = get("out_channel")
    group = groups_of(model)["stem"]
    by_hand = torch.cat([model.weights[f"{name}.weight"].flatten(1) for name in ("stem", "conv2")], dim=1)
    assert torch.equal(granularity.unit_weights(model, group), by_hand)


@pytest.mark.parametrize(
    ("network", "layer"),
    [(Plain(), "conv1"), (Plain(), "conv2"), (Residual(), "stem"), (Residual(), "conv1"), (Mobile(), "stem")],
)
def test_the_coupled_parameters_are_those_of_torch_pruning(network: nn.Module, layer: str) -> None:
    model = loaded(network, 1, 8, 8)
    graph = tp.DependencyGraph().build_dependency(network.requires_grad_(True), example_inputs=model.example)
    group = graph.get_pruning_group(network.get_submodule(layer), tp.prune_conv_out_channels, idxs=[0])
    names = {module: name for name, module in network.named_modules()}
    theirs = {names[dep.target.module] for dep, _ in group if dep.target.module in names}
    ours = {part.parameter.rpartition(".")[0] for part in groups_of(model)[layer].parts}
    network.requires_grad_(False)
    assert ours == theirs
