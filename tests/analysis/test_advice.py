"""Does pruning pay: shares are counted, steps are measured, and nothing is recommended that is not surely within."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import explorer as ex
from explorer.analysis.advice import Advice, advice_of, first_steps
from explorer.analysis.layer_times import layer_times
from explorer.cli import main
from explorer.engine.evaluator import Evaluator
from explorer.pruning.spec import PruneSpec
from explorer.tasks.advice import AdviceRequest
from tests.cli.asked import result


@pytest.fixture(scope="module")
def advice() -> Advice:
    return ex.advise("digits-mlp", max_drop=0.05)


def test_shares_and_left_overs_are_those_of_arithmetic_by_hand(advice: Advice) -> None:
    module = ex.load("digits-mlp").module
    assert module is not None
    layers = {name: layer for name, layer in module.named_modules() if isinstance(layer, nn.Linear)}
    total = sum(p.numel() for p in module.parameters())
    n_macs = sum(layer.weight.numel() for layer in layers.values())  # one row a sample: a weight is used once
    for cost in advice.layers:
        weight = layers[cost.name].weight
        assert (cost.weights, cost.macs) == (weight.numel(), weight.numel())
        assert cost.weight_share == weight.numel() / total
        assert cost.mac_share == weight.numel() / n_macs
    assert {cost.name for cost in advice.layers} == set(layers)
    channels = next(each for each in advice.removable if each.granularity == "out_channel")
    plan = ex.plan(ex.load("digits-mlp"), PruneSpec("out_channel", allocation="uniform:sparsity=1"))
    small = ex.sliced(ex.load("digits-mlp"), plan).module
    assert channels.parameters_left == sum(p.numel() for p in small.parameters()) / total


def test_each_step_is_what_evaluate_says_and_only_one_that_is_surely_within_is_recommended(
    advice: Advice,
) -> None:
    for step in (advice.steps[0], advice.steps[-1]):
        report = ex.evaluate("digits-mlp", step.point.spec)
        assert report.drop is not None
        assert (step.point.accuracy.value, step.point.drop.low) == (report.accuracy.value, report.drop.low)
    for step in advice.steps:
        low, high = step.point.drop.low, step.point.drop.high
        assert low is not None
        assert high is not None
        right = "within" if high <= 0.05 else "beyond" if low > 0.05 else "cannot tell"
        assert step.outcome == right
    best = advice.best("size")
    assert best is not None
    assert best.size_share == min(step.size_share for step in advice.steps if step.outcome == "within")
    assert best.name in " ".join(advice.sentences())


def test_where_nothing_is_surely_within_nothing_is_recommended_and_the_nearest_is_named(advice: Advice) -> None:
    model = ex.load("digits-mlp")
    data = ex.load_data("digits", model=model)
    dense = Evaluator(model, data.splits["tune"]).dense()
    strict = advice_of(model, data, dense, [step.point for step in advice.steps], max_drop=0.0)
    assert strict.best("size") is None
    assert "no step tried surely stays within" in strict.sentences()[-2]


def test_only_units_that_the_network_has_are_tried_and_only_cut_units_spare_multiplications(advice: Advice) -> None:
    kinds = {spec.granularity.key for spec in first_steps(ex.load("digits-gru"))}
    assert kinds == {"weight", "n_of_m", "hidden_unit"}
    assert all(step.compute_share == 1.0 for step in advice.steps if step.pattern != "units")
    assert any(step.compute_share < 1.0 for step in advice.steps if step.pattern == "units")


class _Slow(nn.Module):
    """A layer that takes long inside one that takes no time of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.outer = nn.Sequential(nn.Linear(1500, 1500))
        self.last = nn.Linear(1500, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.outer(x))


def test_the_time_of_a_pass_is_divided_among_its_layers_and_none_of_it_is_counted_twice() -> None:
    model = ex.load(_Slow().eval(), example=torch.randn(64, 1500))
    times = layer_times(model, {"outer", "outer.0", "last"}, batch=64)
    parts = {name: time.value for name, time in times.layers.items()}
    assert max(parts, key=parts.__getitem__) == "outer.0"
    assert parts["outer"] < parts["outer.0"]
    assert sum(parts.values()) <= times.whole.value * 1.5  # medians of passes do not add up exactly
    assert times.whole.origin == "measured"
    assert not any(module._forward_hooks for module in (model.module or nn.Module()).modules())


def test_the_command_line_and_a_request_say_what_python_says(
    advice: Advice, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("advise", "digits-mlp", "--max-drop", "5%", "--no-keep")
    content = result(capsys, *command)
    steps = [(s["name"], s["outcome"], s["point"]["drop"]["value"], s["point"]["size_bytes"]) for s in content["steps"]]
    assert steps == [(s.name, s.outcome, s.point.drop.value, s.point.size_bytes) for s in advice.steps]
    *points, last = ex.run(AdviceRequest(0.05), "digits-mlp", "digits")
    assert isinstance(last, Advice)
    assert [step.outcome for step in last.steps] == [step.outcome for step in advice.steps]
    assert len(points) == len(last.steps)
    assert main(list(command)) == 0
    text = capsys.readouterr().out
    assert "surely within 5 points" in text
    assert "Channels at 30%" in text
