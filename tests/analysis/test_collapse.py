from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from explorer import cli, models
from explorer.analysis import collapse
from explorer.engine.evaluator import Evaluator
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.types import (
    Evaluation,
    Finding,
    GroupPlan,
    LayerInfo,
    LayerTable,
    LoadedModel,
    Measurement,
    Plan,
    PruningGroup,
    Split,
    tensors_digest,
)
from tests.every import for_each

UNIFORM = {"allocation": {"key": "uniform", "sparsity": 0.9}, "limits": {}}


def model_of(**weights: Tensor) -> LoadedModel:
    return LoadedModel("hand", None, {f"{name}.weight": t for name, t in weights.items()}, "d")


def plan_of(model: LoadedModel, spec: dict[str, Any] = UNIFORM, unit: str = "weight", **masks: Tensor) -> Plan:
    layers, groups = [], []
    for parameter, weights in model.weights.items():
        name = parameter.removesuffix(".weight")
        layers.append(LayerInfo(name, parameter, "Conv2d", tuple(weights.shape), "net"))
        mask = masks.get(name, torch.ones_like(weights, dtype=torch.bool))
        n_units = mask.numel() if unit == "weight" else len(mask)
        n_kept = int(mask.sum()) if unit == "weight" else int(mask.flatten(1).any(dim=1).sum())
        group = PruningGroup(name, (name,), n_units, unit, mask.numel(), "net", "Conv2d")
        groups.append(GroupPlan(group, n_units - n_kept, 0.05, False))
    named = {f"{name}.weight": mask for name, mask in masks.items()}
    return Plan(spec, tuple(groups), named, LayerTable(tuple(layers)), 0.9, "digest")


def only(found: list[Finding]) -> Finding:
    assert len(found) == 1
    return found[0]


def kept(shape: tuple[int, ...], n: int) -> Tensor:
    flat = torch.zeros(math.prod(shape), dtype=torch.bool)
    flat[:n] = True
    return flat.reshape(shape)


def test_a_plan_that_prunes_nothing_has_no_findings():
    model = model_of(a=torch.randn(4, 3), b=torch.randn(2, 4))
    assert collapse.before(model, plan_of(model)) == []


def test_an_empty_layer_fails_and_names_layer_setting_and_action():
    model = model_of(a=torch.randn(4, 3), b=torch.randn(2, 4))
    found = only(collapse.before(model, plan_of(model, a=kept((4, 3), 0))))
    assert (found.level, found.layer) == ("fail", "a")
    assert "a is empty" in found.what
    assert "12 of 12 weights" in found.evidence
    assert "uniform sparsity 90%" in found.evidence
    assert "lock a" in found.action


def test_a_layer_with_under_one_percent_kept_is_nearly_empty():
    model = model_of(a=torch.randn(10, 100))
    assert "nearly empty: 9 weights are left" in only(collapse.before(model, plan_of(model, a=kept((10, 100), 9)))).what
    ten_rows = torch.zeros(10, 100, dtype=torch.bool)
    ten_rows[:, 0] = True
    assert collapse.before(model, plan_of(model, a=ten_rows)) == []


def test_a_layer_with_one_live_row_or_one_channel_left_is_nearly_empty():
    model = model_of(a=torch.randn(4, 3))
    by_weights = only(collapse.before(model, plan_of(model, a=kept((4, 3), 3))))
    assert "one output channel of 4 is left" in by_weights.what
    by_channels = only(collapse.before(model, plan_of(model, unit="channel", a=kept((4, 3), 3))))
    assert "one channel is left" in by_channels.what


def test_dead_channels_are_counted_and_numbered_under_single_weight_pruning():
    mask = torch.ones(4, 3, 2, 2, dtype=torch.bool)
    mask[1], mask[3], mask[0, 0] = False, False, False
    model = model_of(a=torch.randn(4, 3, 2, 2))
    found = only(collapse.before(model, plan_of(model, a=mask)))
    assert found.level == "warn"
    assert "2 dead output channels of 4" in found.what
    assert "Numbers 1, 3" in found.evidence


def test_removed_channels_are_not_called_dead():
    model = model_of(a=torch.randn(4, 3))
    assert collapse.before(model, plan_of(model, unit="channel", a=kept((4, 3), 6))) == []


def test_dead_channels_of_a_grouped_transposed_convolution_lie_in_its_second_dimension():
    net = nn.Sequential(nn.ConvTranspose2d(4, 6, 2, groups=2))
    model = LoadedModel("hand", net, dict(net.named_parameters()), "d")
    mask = torch.ones(4, 3, 2, 2, dtype=torch.bool)
    mask[2:, 1] = False
    group = PruningGroup("0", ("0",), 48, "weight", 48, "0", "ConvTranspose2d")
    layers = LayerTable((LayerInfo("0", "0.weight", "ConvTranspose2d", (4, 3, 2, 2), "0"),))
    plan = Plan(UNIFORM, (GroupPlan(group, 8, 0.1, False),), {"0.weight": mask}, layers, 0.1, "d")
    found = only(collapse.before(model, plan))
    assert "1 dead output channel of 6" in found.what
    assert "Numbers 4;" in found.evidence


def test_nan_and_infinite_weights_are_counted_and_not_blamed_on_a_setting():
    model = model_of(a=torch.tensor([[math.nan, 1.0], [math.inf, -math.inf]]))
    found = only(collapse.before(model, plan_of(model)))
    assert (found.level, found.layer) == ("fail", "a")
    assert "1 NaN and 2 infinite of 4" in found.evidence
    assert "no pruning setting" in found.evidence


def test_a_sum_that_overflows_is_not_mistaken_for_a_broken_weight():
    model = model_of(a=torch.full((2, 2), 3e38))
    assert collapse.before(model, plan_of(model)) == []


def test_the_worst_comes_first():
    dead = torch.ones(4, 3, dtype=torch.bool)
    dead[0] = False
    model = model_of(a=torch.randn(4, 3), b=torch.randn(4, 3))
    found = collapse.before(model, plan_of(model, a=dead, b=kept((4, 3), 0)))
    assert [(f.level, f.layer) for f in found] == [("fail", "b"), ("warn", "a")]


@for_each(
    ("spec", "words"),
    [
        ({"allocation": {"key": "global", "sparsity": 0.8}}, "global sparsity 80% (line at 0.05)"),
        ({"allocation": {"key": "per_layer", "sparsity": 0.1, "shares": {"a": 0.97}}}, "per_layer sparsity 97%"),
        ({"allocation": {"key": "threshold", "value": 0.2, "unit": "absolute"}}, "the common threshold 0.2"),
        (
            {"allocation": {"key": "threshold", "value": 0.2, "unit": "std", "values": {"a": 3.0}}},
            "its own threshold 3 standard deviations",
        ),
        ({"allocation": {"key": "uniform", "sparsity": 0.1}, "limits": {"a": {"floor": 1.0}}}, "the floor of 100%"),
        ({}, "this plan"),
    ],
)
def test_the_setting_that_emptied_a_layer_is_named_by_its_key_and_value(spec, words):
    model = model_of(a=torch.randn(4, 3))
    assert words in only(collapse.before(model, plan_of(model, spec, a=kept((4, 3), 0)))).evidence


def test_a_layer_emptied_by_what_feeds_it_says_so():
    model = model_of(a=torch.randn(4, 3), b=torch.randn(2, 4))
    plan = plan_of(model, unit="channel", b=kept((2, 4), 0))
    plan = Plan(plan.spec, plan.groups[:1], plan.masks, plan.layers, 0.9, "d")
    found = only(collapse.before(model, plan))
    assert "units that other layers lost" in found.evidence
    assert "layers that feed it" in found.action


def evaluation_of(predictions: Tensor, accuracy: Measurement, **more: Any) -> Evaluation:
    n = len(predictions)
    nothing = Measurement("drop", 0.0, "fraction", "measured")
    drop = Measurement("drop", more.pop("drop", 0.0), "fraction", "measured")
    dense = more.pop("dense", torch.arange(n) % 10)
    loss = more.pop("loss", None)
    return Evaluation(n, n, accuracy, drop, nothing, loss, predictions, dense, "labels", 0.1, **more)


def accuracy(value: float, low: float, high: float) -> Measurement:
    return Measurement("accuracy", value, "fraction", "measured", low, high)


GOOD, GUESSING = accuracy(0.9, 0.85, 0.94), accuracy(0.1, 0.06, 0.15)


def test_a_model_that_still_works_has_no_findings():
    assert collapse.after(evaluation_of(torch.arange(100) % 10, GOOD), 10) == []


def test_one_class_for_every_sample_is_a_constant_output():
    found = collapse.after(evaluation_of(torch.full((100,), 3), GUESSING), 10)
    assert [f.level for f in found] == ["fail", "fail"]
    assert "answers class 3 whatever it sees" in found[0].what
    assert "100 of 100" in found[0].evidence
    assert "no better than chance" in found[1].what


def test_nearly_one_class_warns_but_not_where_the_dense_model_does_the_same():
    predictions = torch.full((100,), 3)
    predictions[:3] = 1
    assert only(collapse.after(evaluation_of(predictions, GOOD), 10)).level == "warn"
    assert collapse.after(evaluation_of(predictions, GOOD, dense=torch.full((100,), 3)), 10) == []


@pytest.mark.parametrize(
    ("measured", "level", "words"),
    [
        (accuracy(0.02, 0.01, 0.05), "fail", "is below chance"),
        (accuracy(0.10, 0.06, 0.15), "fail", "is no better than chance"),
        (accuracy(0.13, 0.08, 0.19), "warn", "cannot be told from chance"),
    ],
)
def test_accuracy_is_compared_with_guessing(measured, level, words):
    found = only(collapse.after(evaluation_of(torch.arange(100) % 10, measured), 10))
    assert found.level == level
    assert words in found.what
    assert "against 10.0% by chance, on 100 samples" in found.evidence


def test_chance_is_not_judged_when_the_number_of_classes_is_not_known():
    assert collapse.after(evaluation_of(torch.arange(100) % 10, GUESSING), None) == []


def test_a_loss_that_is_not_finite_means_outputs_that_are_not_numbers():
    loss = Measurement("loss", math.nan, "nats", "measured")
    found = only(collapse.after(evaluation_of(torch.arange(100) % 10, GOOD, loss=loss), 10))
    assert "outputs are not numbers" in found.what


def test_too_few_samples_say_nothing():
    assert collapse.after(evaluation_of(torch.zeros(9, dtype=torch.int64), GUESSING), 10) == []


def test_with_the_plan_the_layer_that_lost_most_and_its_setting_are_named():
    model = model_of(a=torch.randn(4, 3), b=torch.randn(4, 3))
    plan = plan_of(model, a=kept((4, 3), 6), b=kept((4, 3), 3))
    found = collapse.after(evaluation_of(torch.full((100,), 3), GUESSING, drop=0.8), 10, plan)
    assert len(found) == 3
    assert all(f.layer == "b" and "75.0% went by uniform sparsity 90%" in f.evidence for f in found)


def test_a_model_that_was_at_chance_before_is_not_told_to_prune_less():
    model = model_of(a=torch.randn(4, 3), b=torch.randn(4, 3))
    plan = plan_of(model, b=kept((4, 3), 3))
    finding = only(collapse.after(evaluation_of(torch.arange(100) % 10, GUESSING), 10, plan))
    assert (finding.layer, finding.action) == (None, "Choose another model: pruning did not do this.")
    assert finding.evidence.endswith("So is the dense model's.")


def test_groups_that_all_take_their_pattern_are_not_nearly_empty():
    model = models.load("digits-cnn")
    assert collapse.before(model, make_plan(model, PruneSpec("n_of_m", "lp_norm", "global:sparsity=1.0"))) == []


def test_one_broken_weight_is_one_finding_and_no_reason_to_prune_less(tmp_path: Path, capsys):
    weights = {name: tensor.clone() for name, tensor in models.load("digits-mlp").weights.items()}
    weights["fc1.weight"][0, 0] = math.nan
    save_file(weights, tmp_path / "nan.safetensors")
    asked = ["evaluate", str(tmp_path / "nan.safetensors"), "--arch", "digits-mlp", "--data", "digits"]
    for sparsity in ("0", "0.5"):
        assert cli.main([*asked, "--sparsity", sparsity, "--no-keep"]) == 0
        remarks = [line for line in capsys.readouterr().out.splitlines() if line.startswith(("fail:", "warn:"))]
        assert len([line for line in remarks if line.startswith("fail: fc1")]) == 1
        assert "1 of 16,384" in remarks[0]
        assert not [line for line in remarks if "Prune less" in line]


class _Always(nn.Module):
    """Answers class 0 whatever it sees."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(4, 2)
        nn.init.zeros_(self.head.weight)
        self.head.bias.data.copy_(torch.tensor([1.0, 0.0]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(self.head(x))


def test_95_per_cent_by_always_answering_the_most_frequent_class_is_a_finding() -> None:
    module = _Always().eval()
    weights = {name: p.detach() for name, p in module.named_parameters()}
    model = LoadedModel("always", module, weights, tensors_digest(weights), torch.zeros(1, 4), 2)
    split = Split("tune", torch.randn(100, 4), torch.tensor([0] * 95 + [1] * 5))
    evaluation = Evaluator(model, split, threads=1).final(None)
    assert evaluation.accuracy.value == pytest.approx(0.95)
    assert evaluation.metrics["balanced_accuracy"].value == 0.5
    (finding,) = collapse.after(evaluation, 2, labels=split.y)
    assert finding.level == "fail"
    assert finding.what == "The accuracy is no better than always answering the most frequent class."
    assert "95.0% against 95.0% by always answering class 0; balanced accuracy is 50.0%" in finding.evidence
    assert "pruning did not do this" in finding.action
    even = Split("tune", torch.randn(100, 4), torch.tensor([0, 1] * 50))
    (chance,) = collapse.after(Evaluator(model, even, threads=1).final(None), 2, labels=even.y)
    assert "no better than chance" in chance.what or "cannot be told from chance" in chance.what
