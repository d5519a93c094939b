"""Counts are exact and masks are those of torch's own pruning."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from builders import Attention, Plain, Recurrent, Residual, Tied, loaded
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import prune

from explorer.errors import ExplorerError
from explorer.pruning.allocation.threshold import threshold_forms
from explorer.pruning.plan import plan
from explorer.pruning.scoring import score
from explorer.pruning.select import keep_mask
from explorer.pruning.spec import Limit, PruneSpec
from explorer.types import LoadedModel
from tests.every import for_each


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0, 1.0, 2.0]), min_size=1, max_size=30), st.data())
def test_exactly_n_go_lowest_first_and_ties_in_index_order(values: list[float], data: st.DataObject) -> None:
    n = data.draw(st.integers(0, len(values)))
    ranked = sorted(range(len(values)), key=lambda i: (values[i], i))
    assert (~keep_mask(torch.tensor(values), n)).nonzero().flatten().tolist() == sorted(ranked[:n])


@pytest.mark.parametrize("n", [-1, 4])
def test_more_units_than_there_are_cannot_be_pruned(n: int) -> None:
    with pytest.raises(ExplorerError, match="units cannot be pruned"):
        keep_mask(torch.ones(3), n)


@for_each("sparsity", [0.0, 0.1, 0.37, 0.5, 0.9, 0.999, 1.0])
@for_each("network", [Plain, Residual, Recurrent, Attention])
def test_global_magnitude_gives_the_masks_of_torch(network: type[nn.Module], sparsity: float) -> None:
    torch.manual_seed(0)
    model = loaded(network(), *_shape(network))
    ours = plan(model, PruneSpec("weight", "lp_norm:p=1", f"global:sparsity={sparsity}"))
    layers = ours.layers.prunable
    shells = [nn.Module() for _ in layers]
    for shell, layer in zip(shells, layers, strict=True):
        shell.register_parameter("w", nn.Parameter(model.weights[layer.parameter].clone()))
    prune.global_unstructured([(s, "w") for s in shells], prune.L1Unstructured, amount=sparsity)
    for shell, layer in zip(shells, layers, strict=True):
        assert torch.equal(_mask(ours, layer.parameter, model), shell.w_mask.bool()), layer.name
    assert ours.n_pruned == round(sparsity * ours.layers.n_prunable)


@pytest.mark.parametrize("sparsity", [0.0, 0.25, 0.5, 0.81, 1.0])
def test_uniform_magnitude_gives_the_masks_of_torch(sparsity: float) -> None:
    torch.manual_seed(0)
    model = loaded(Plain(), 1, 8, 8)
    ours = plan(model, PruneSpec("weight", "lp_norm:p=1", f"uniform:sparsity={sparsity}"))
    for name in ("conv1", "conv2", "fc"):
        layer = nn.Linear(1, 1)
        layer.weight = nn.Parameter(model.weights[f"{name}.weight"].clone())
        prune.l1_unstructured(layer, "weight", amount=sparsity)
        assert torch.equal(_mask(ours, f"{name}.weight", model), layer.weight_mask.bool())


def test_a_layer_of_equal_weights_loses_exactly_the_share_that_was_asked() -> None:
    layer = nn.Linear(10, 1)
    nn.init.constant_(layer.weight, 0.25)
    model = loaded(nn.Sequential(layer), 10)
    ours = plan(model, PruneSpec(allocation="uniform:sparsity=0.3"))
    assert ours.masks["0.weight"].tolist() == [[False] * 3 + [True] * 7]
    assert ours.sparsity == pytest.approx(0.3)


def test_a_layer_with_one_weight_can_go_wholly_or_stay() -> None:
    model = loaded(nn.Sequential(nn.Linear(1, 1)), 1)
    assert plan(model, PruneSpec(allocation="uniform:sparsity=0.4")).n_pruned == 0
    assert plan(model, PruneSpec(allocation="uniform:sparsity=1.0")).n_pruned == 1


def test_a_threshold_prunes_what_lies_below_it_and_nothing_at_it() -> None:
    layer = nn.Linear(5, 1)
    layer.weight.data = torch.tensor([[0.1, -0.2, 0.2, 0.3, -0.05]])
    model = loaded(nn.Sequential(layer), 5)
    ours = plan(model, PruneSpec(allocation="threshold:value=0.2"))
    assert ours.masks["0.weight"].tolist() == [[False, True, True, True, False]]
    assert ours.groups[0].threshold == pytest.approx(0.2)


def test_the_three_forms_of_a_threshold_convert_into_one_another() -> None:
    torch.manual_seed(1)
    model = loaded(nn.Sequential(nn.Linear(40, 25)), 40)
    scores = score(model, PruneSpec())
    forms = threshold_forms(scores, "0", 700)
    weight = model.weights["0.weight"]
    assert forms["std"] == pytest.approx(forms["absolute"] / weight.double().std(correction=0).item())
    for unit, value in forms.items():
        spec = PruneSpec(allocation=f"threshold:unit={unit},value={value!r}")
        n = plan(model, spec, scores).n_pruned
        assert abs(n - 700) <= (1 if unit == "std" else 0), unit


def test_each_layer_gets_the_share_given_to_it_and_the_others_the_default() -> None:
    model = loaded(Plain(), 1, 8, 8)
    spec = PruneSpec.from_json({"allocation": {"key": "per_layer", "sparsity": 0.5, "shares": {"conv1": 0.0}}})
    pruned = {k.group.name: k.n_pruned for k in plan(model, spec).groups}
    assert pruned == {"conv1": 0, "conv2": 216, "fc": 64}


def test_floors_and_caps_hold_while_the_total_stays_as_asked() -> None:
    torch.manual_seed(2)
    model = loaded(Plain(), 1, 8, 8)
    spec = PruneSpec(allocation="global:sparsity=0.5", limits={"conv2": Limit(cap=0.4), "conv1": Limit(floor=0.9)})
    ours = plan(model, spec)
    shares = {k.group.name: k.sparsity for k in ours.groups}
    assert shares["conv2"] <= 0.4
    assert shares["conv1"] >= 0.9 - 1 / 54
    assert ours.n_pruned == round(0.5 * ours.layers.n_prunable)


def test_a_request_the_caps_forbid_says_so() -> None:
    model = loaded(Plain(), 1, 8, 8)
    limits = {name: Limit(cap=0.1) for name in ("conv1", "conv2", "fc")}
    ours = plan(model, PruneSpec(allocation="global:sparsity=0.9", limits=limits))
    assert ours.asked == 0.9
    assert ours.sparsity <= 0.1
    assert any("floor or a cap" in note for note in ours.notes)


def test_a_locked_layer_is_held_where_it_stands() -> None:
    model = loaded(Plain(), 1, 8, 8)
    limits = {"conv1": Limit(locked=True), "fc": Limit(locked=True, floor=0.25)}
    ours = plan(model, PruneSpec(allocation="uniform:sparsity=0.8", limits=limits))
    assert {k.group.name: k.n_pruned for k in ours.groups} == {"conv1": 0, "conv2": 346, "fc": 32}


def test_random_scores_depend_on_seed_and_layer_only() -> None:
    model = loaded(Plain(), 1, 8, 8)
    first = score(model, PruneSpec("weight", "random:seed=1")).values
    again = score(model, PruneSpec("weight", "random:seed=1")).values
    other = score(model, PruneSpec("weight", "random:seed=2")).values
    assert torch.equal(first["conv1"], again["conv1"])
    assert not torch.equal(first["conv1"], other["conv1"])
    assert not torch.equal(first["conv1"], first["conv2"][:54])


def test_tied_weights_are_counted_and_pruned_once() -> None:
    model = loaded(Tied(), 3)
    ours = plan(model, PruneSpec(allocation="global:sparsity=0.5"))
    assert [layer.name for layer in ours.layers] == ["embed"]
    assert ours.layers["embed"].aliases == ("out.weight",)
    assert ours.n_pruned == 27


def test_recurrent_and_attention_matrices_are_prunable_and_the_rest_says_why_not() -> None:
    names = {layer.name for layer in plan(loaded(Recurrent(), 6), PruneSpec()).layers.prunable}
    assert {"embed", "lstm.weight_ih_l0", "lstm.weight_hh_l1_reverse", "fc"} <= names
    table = plan(loaded(Attention(), 5, 6), PruneSpec()).layers
    assert {"attend.in_proj_weight", "attend.out_proj"} <= {layer.name for layer in table.prunable}
    assert "free parameter" in (table["position"].why_not or "")
    assert "normalisation" in (table["norm"].why_not or "")


def test_weights_that_are_not_numbers_are_not_ranked() -> None:
    module = Plain()
    module.conv1.weight.data[0, 0, 0, 0] = float("nan")
    table = plan(loaded(module, 1, 8, 8), PruneSpec()).layers
    assert "NaN" in (table["conv1"].why_not or "")


def test_a_layer_name_the_model_does_not_have_is_refused() -> None:
    model = loaded(Plain(), 1, 8, 8)
    with pytest.raises(ExplorerError, match="called 'conv9'"):
        plan(model, PruneSpec(limits={"conv9": Limit(locked=True)}))


def test_plans_with_equal_masks_have_equal_digests_and_others_do_not() -> None:
    model = loaded(Plain(), 1, 8, 8)
    by_share = plan(model, PruneSpec(allocation="uniform:sparsity=0.5"))
    by_name = plan(model, PruneSpec(allocation="per_layer:sparsity=0.5"))
    more = plan(model, PruneSpec(allocation="uniform:sparsity=0.6"))
    assert by_share.digest == by_name.digest != more.digest


def test_the_dense_weights_are_never_written_to() -> None:
    model = loaded(Plain(), 1, 8, 8)
    before = {name: t.clone() for name, t in model.weights.items()}
    plan(model, PruneSpec("out_channel", "lp_norm", "uniform:sparsity=0.5"))
    assert all(torch.equal(before[name], t) for name, t in model.weights.items())


@pytest.mark.parametrize("key", ["uniform", "global", "per_layer", "threshold"])
def test_every_allocation_prunes_nothing_by_default(key: str) -> None:
    assert plan(loaded(Plain(), 1, 8, 8), PruneSpec(allocation=key)).n_pruned == 0


def test_a_weights_only_model_can_be_planned_but_not_run() -> None:
    model = replace(loaded(Plain(), 1, 8, 8), module=None, example=None, why_not_runnable="No architecture is known.")
    ours = plan(model, PruneSpec(allocation="global:sparsity=0.5"))
    assert ours.n_pruned == round(0.5 * ours.layers.n_prunable)
    with pytest.raises(ExplorerError, match="Not one channel of this network can go. No architecture is known."):
        plan(model, PruneSpec("out_channel", "lp_norm", "uniform:sparsity=0.5"))
    channels = plan(model, PruneSpec("out_channel", "lp_norm", "uniform"))
    assert {k.group.why_not for k in channels.groups} == {"No architecture is known."}


def _shape(network: type[nn.Module]) -> tuple[int, ...]:
    return {"Recurrent": (6,), "Attention": (5, 6)}.get(network.__name__, (1, 8, 8))


def _mask(ours: object, name: str, model: LoadedModel) -> torch.Tensor:
    return ours.masks.get(name, torch.ones_like(model.weights[name], dtype=torch.bool))  # type: ignore[attr-defined]
