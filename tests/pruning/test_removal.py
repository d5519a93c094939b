"""For every network of the zoo and every kind of unit: the smaller network computes what the masked one does."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
import torch_pruning as tp
from torch import nn
from zoo import ZOO, inputs_for, model_of

from explorer import data, models
from explorer.errors import ExplorerError
from explorer.pruning.apply import masked
from explorer.pruning.granularity import GRANULARITIES, get
from explorer.pruning.layers import layer_table
from explorer.pruning.plan import plan
from explorer.pruning.slicing import largest_difference, sliced
from explorer.pruning.spec import Limit, PruneSpec
from explorer.types import LoadedModel, Plan, tensors_digest
from explorer.types.inputs import tensors_of
from tests.every import for_each

PHYSICAL = [member.key for member in GRANULARITIES if not member.why_no_removal or member.key == "head"]
# Every group that must be there, with its number of units; whatever is not named here has none.
UNITS: dict[str, dict[str, dict[str, int]]] = {
    "head": {
        "torch attention": {"attend.in_proj_weight": 2},
        "torch encoder": {f"encoder.layers.{i}.self_attn.in_proj_weight": 4 for i in (0, 1)},
        "torch encoder, tokens first": {f"encoder.layers.{i}.self_attn.in_proj_weight": 4 for i in (0, 1)},
        "cross attention": {"attend.in_proj_weight": 4, "other.q_proj_weight": 2},
        "hub attention": {"query": 4},
        "grouped queries": {"query": 2},
        "einsum attention": {"qkv": 4},
        "hub attention, open shapes": {"q_proj": 4},
        "heads within the batch": {"q_proj": 4},
        "causal": {"c_attn": 4, "attend.in_proj_weight": 2},
    },
    "hidden_unit": {
        "lstm, two ways": {"lstm.weight_ih_l0": 7},
        "gru, last state": {"rnn.weight_ih_l0": 8},
        "states handed on": {"encode.weight_ih_l0": 8, "plain.weight_ih_l0": 6},
        "cells": {"cell.weight_ih": 8},
    },
    "mlp_neuron": {
        "two inputs, a dictionary": {"side": 6, "mix": 10},
        "torch attention": {"up": 16},
        "torch encoder": {f"encoder.layers.{i}.linear1": 24 for i in (0, 1)},
        "torch encoder, tokens first": {f"encoder.layers.{i}.linear1": 24 for i in (0, 1)},
        "hub attention": {"intermediate": 20},
        "grouped queries": {"intermediate": 20},
        "einsum attention": {"out": 8},
        "tied, hidden": {"up": 10},
        "tokens": {"enter": 8, "up": 12},
        "norms": {"up": 10},
        "gated": {"gate": 10, "both": 8},
    },
    "layer": {
        name: {"residual blocks": n}
        for name, n in {
            "residual": 1, "residual, padded": 1, "u-net": 1, "torch attention": 2, "torch encoder": 4,
            "torch encoder, tokens first": 4, "cross attention": 1, "hub attention": 2, "grouped queries": 2,
            "squeeze and excite": 1, "residual blocks": 4,
            "hub attention, open shapes": 1, "heads within the batch": 1, "causal": 2, "gated": 2,
        }.items()
    },
    "depth": {
        name: {"layer blocks": n}
        for name, n in {
            "residual": 1, "residual, padded": 1, "u-net": 1, "torch attention": 2, "torch encoder": 2,
            "torch encoder, tokens first": 2, "cross attention": 1, "hub attention": 2, "grouped queries": 2,
            "squeeze and excite": 1, "residual blocks": 3,
            "hub attention, open shapes": 1, "heads within the batch": 1, "causal": 2, "gated": 2,
        }.items()
    },
    "out_channel": {
        "plain": {"conv1": 6, "conv2": 8},
        "residual": {"stem": 6, "conv1": 8},
        "residual, padded": {"stem": 4, "conv1": 4},
        "depthwise, grouped": {"stem": 6, "point": 4, "grouped": 6, "side": 5},
        "dense blocks": {"a": 6, "b": 4, "c": 4},
        "u-net": {"enter": 6, "down1": 8, "down2": 12, "up1": 8, "mix": 8},
        "two inputs, a dictionary": {"conv": 6, "side": 6, "mix": 10},
        "functions": {"conv_weight": 4, "mix_weight": 4, "up_weight": 12, "turned_weight": 10},
        "norms": {"a": 4, "b": 8, "c": 3, "up": 10},
        "channel shuffle": {"stem": 4, "a": 2, "b": 6},
        "unflatten, pixel shuffle": {"enter": 12, "conv": 4},
        "torch attention": {"enter": 8, "up": 16},
        "torch encoder": {"enter": 16, **{f"encoder.layers.{i}.linear1": 24 for i in (0, 1)}},
        "torch encoder, tokens first": {"enter": 16, **{f"encoder.layers.{i}.linear1": 24 for i in (0, 1)}},
        "cross attention": {"query": 8, "wide": 10, "other.out_proj": 8},
        "hub attention": {"enter": 12, "intermediate": 20},
        "grouped queries": {"enter": 12, "intermediate": 20},
        "einsum attention": {"out": 8},
        "gru, last state": {"enter": 9},
        "squeeze and excite": {"stem": 6, "expand": 12, "squeeze": 4},
        "residual blocks": {"stem": 6, "one.0": 6, "two.0": 6, "wider.0": 8, "shortcut": 8, "last.0": 8},
        "shared weights": {"left": 6, "both": 8},
        "tied, hidden": {"up": 10, "down": 6},
        "tokens": {"enter": 8, "up": 12},
        "hub attention, open shapes": {"enter": 12},
        "heads within the batch": {"enter": 12},
        "causal": {"enter": 12},
        "gated": {"gate": 10, "both": 8},
    },
}  # fmt: skip
every_network = for_each("name", ZOO)
every_unit = for_each("key", PHYSICAL)


def request(key: str, model: LoadedModel, share: float) -> PruneSpec:
    groups = get(key).groups(model, layer_table(model))
    limits = {k.name: Limit(locked=False) for k in groups if k.locked_by}
    return PruneSpec(key, "lp_norm", f"uniform:sparsity={share}", limits)


def proves_itself(model: LoadedModel, ours: Plan) -> nn.Module:
    before = tensors_digest(model.weights)
    full, small = masked(model, ours).module, sliced(model, ours).module
    x = inputs_for(model)
    assert largest_difference(full, small, x) <= 1e-5
    assert torch.equal(_classes(full, x), _classes(small, x))
    shapes = {name: tuple(p.shape) for name, p in small.named_parameters()}
    expected = {name: tuple(t.shape) for name, t in model.weights.items()} | dict(ours.kept_shapes)
    assert shapes == {name: expected[name] for name in shapes}
    assert all(0 in ours.kept_shapes[name] for name in set(expected) - set(shapes))
    assert tensors_digest(model.weights) == before
    return small


def _classes(module: nn.Module, x: tuple[torch.Tensor, ...]) -> torch.Tensor:
    out = module(*x)
    return (out["classes"] if isinstance(out, dict) else out).argmax(1)


@every_network
@every_unit
def test_the_units_of_every_network_are_found(key: str, name: str) -> None:
    model = model_of(name)
    groups = get(key).groups(model, layer_table(model))
    assert {k.name: k.n_units for k in groups if k.why_not is None} == UNITS[key].get(name, {})


@for_each("share", [0.25, 0.75])
@for_each(("key", "name"), [(key, name) for key in UNITS for name in UNITS[key]])
def test_what_is_removed_is_what_was_masked(key: str, name: str, share: float) -> None:
    model = model_of(name)
    ours = plan(model, request(key, model, share))
    small = proves_itself(model, ours)
    n_left = sum(p.numel() for p in small.parameters())
    assert (n_left < model.n_parameters) == any(k.n_pruned for k in ours.groups)


@for_each(
    ("key", "name", "sentence"),
    [
        ("out_channel", "lstm, two ways", "choose hidden units"),
        ("out_channel", "hub attention", "choose heads"),
        ("out_channel", "lstm, two ways", "An embedding"),
        ("out_channel", "plain", "The network's output"),
        ("head", "plain", "Not the query, key or value"),
        ("hidden_unit", "plain", "Not a recurrent layer"),
        ("mlp_neuron", "plain", "only other linear layers read"),
        ("layer", "plain", "in no residual block"),
        ("depth", "residual blocks", "another shape"),
        ("mlp_neuron", "heads within the batch", "only other linear layers read"),
    ],
)
def test_what_cannot_go_says_why(key: str, name: str, sentence: str) -> None:
    model = model_of(name)
    reasons = [k.why_not or "" for k in get(key).groups(model, layer_table(model))]
    assert any(sentence in reason for reason in reasons)


@pytest.mark.parametrize(
    "key", [m.key for m in GRANULARITIES if m.why_no_removal and m.key not in ("head", "in_channel")]
)
def test_units_without_a_smaller_form_are_refused_in_a_sentence(key: str) -> None:
    model = model_of("depthwise, grouped")
    ours = plan(model, request(key, model, 0.5))
    assert ours.n_pruned
    assert not ours.kept_shapes
    with pytest.raises(ExplorerError, match="cannot be removed"):
        sliced(model, ours)


@for_each("share", [0.25, 0.5, 0.75])
@for_each(
    ("key", "sample"),
    [
        ("head", "digits-vit"), ("mlp_neuron", "digits-vit"), ("mlp_neuron", "digits-mlp"), ("layer", "digits-vit"),
        ("depth", "digits-vit"),
        ("hidden_unit", "digits-gru"), ("layer", "digits-resnet"), ("out_channel", "digits-resnet"),
    ],
)  # fmt: skip
def test_the_samples_are_cut_and_not_one_answer_changes(key: str, sample: str, share: float) -> None:
    model = models.load(sample)
    ours = plan(model, request(key, model, share))
    assert ours.n_pruned
    small = proves_itself(model, ours)
    digits = data.load("digits").splits["tune"].x
    full = masked(model, ours).module
    assert torch.equal(full(digits).argmax(1), small(digits).argmax(1))


# -- against torch-pruning ---------------------------------------------------------------------------


@for_each(
    ("name", "layer"),
    [
        ("plain", "conv1"), ("plain", "conv2"), ("residual", "stem"), ("residual", "conv1"),
        ("depthwise, grouped", "stem"), ("depthwise, grouped", "side"), ("dense blocks", "a"), ("dense blocks", "b"),
        ("u-net", "enter"), ("u-net", "down1"), ("u-net", "down2"), ("u-net", "up1"), ("squeeze and excite", "expand"),
        ("squeeze and excite", "stem"), ("residual blocks", "stem"), ("residual blocks", "wider.0"),
        ("hub attention", "intermediate"), ("shared weights", "left"),
    ],
)  # fmt: skip
def test_the_smaller_network_is_that_of_torch_pruning(name: str, layer: str) -> None:
    """Both remove the same channels; the tensors and the outputs of both networks are equal."""
    model = model_of(name)
    whole = plan(model, PruneSpec("out_channel"))
    limits = {k.group.name: Limit(locked=k.group.name != layer) for k in whole.groups if k.group.why_not is None}
    ours = plan(model, PruneSpec("out_channel", "lp_norm", "uniform:sparsity=0.5", limits))
    group = next(k.group for k in ours.groups if k.group.name == layer)
    mask = ours.masks[f"{layer}.weight"]
    dim = next(p.dim for p in group.parts if p.parameter == f"{layer}.weight" and p.role == "scored")
    gone = (~mask.movedim(dim, 0).flatten(1).any(1)).nonzero().flatten().tolist()
    theirs = _pruned_by_torch_pruning(model, layer, gone)
    small = proves_itself(model, ours)
    x = inputs_for(model)
    torch.testing.assert_close(small(*x), theirs(*x), rtol=1e-5, atol=1e-6)
    state = small.state_dict()
    assert all(torch.equal(tensor, state[key]) for key, tensor in theirs.state_dict().items() if key in state)


def _pruned_by_torch_pruning(model: LoadedModel, layer: str, gone: list[int]) -> nn.Module:
    network: Any = copy.deepcopy(model.module).requires_grad_(True)
    graph = tp.DependencyGraph().build_dependency(network, example_inputs=tuple(tensors_of(model.example).values()))
    module = network.get_submodule(layer)
    linear = tp.prune_linear_out_channels if isinstance(module, nn.Linear) else tp.prune_conv_out_channels
    graph.get_pruning_group(module, linear, idxs=gone).prune()
    pruned: nn.Module = network.requires_grad_(False)
    return pruned
