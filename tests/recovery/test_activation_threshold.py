"""Skipping activations: thresholds and zeros by hand, and a network that is left alone at share 0."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from explorer import data, models
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError
from explorer.pruning.apply import masked
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.recovery.activation_threshold import Watched, magnitudes, skipping, threshold_for, why_not
from explorer.types import Dataset, LoadedModel, Split


class Tiny(nn.Module):
    """Two inputs pass a ReLU and become the two classes."""

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x)


def tiny() -> tuple[LoadedModel, Dataset]:
    """Eight fit samples with magnitudes 1 to 8 twice over, four tune samples."""
    fit = torch.tensor([[float(i), float(i)] for i in range(1, 9)])
    tune = torch.tensor([[3.0, 2.0], [1.0, 6.0], [-1.0, 7.0], [9.0, 8.0]])
    labels = torch.tensor([0, 1, 1, 0])
    splits = {"fit": Split("fit", fit, torch.zeros(8, dtype=torch.int64)), "tune": Split("tune", tune, labels)}
    model = LoadedModel("tiny", Tiny().eval(), {}, "tiny", example=fit[:1], n_classes=2)
    return model, Dataset("made", splits, ("0", "1"), "made")


def test_a_tiny_network_by_hand() -> None:
    model, made = tiny()
    zero, half, most = skipping(model, made, shares=(0.0, 0.5, 0.8))

    # Magnitudes 1, 1, 2, 2, ..., 8, 8: half of them lie below 5, twelve of sixteen below 7.
    assert (zero.thresholds, half.thresholds, most.thresholds) == ({"network": 0}, {"network": 5}, {"network": 7})
    # One of the eight activations is zero anyway; then 3, 2 and 1 go; then 6 as well.
    assert [p.skipped.value for p in (zero, half, most)] == [1 / 8, 4 / 8, 5 / 8]
    assert [p.already_zero.value for p in (zero, half, most)] == [1 / 8] * 3
    # 0, 6, 7 and 9 win at first; without 3 and 2 the first sample falls to class 0, as it should;
    # without 6 the second one falls to class 0 too, wrongly.
    assert [p.accuracy.value for p in (zero, half, most)] == [1.0, 1.0, 0.75]
    assert most.drop.value == 0.25
    assert most.layers == {"network": 5 / 8}


@pytest.mark.parametrize(("share", "threshold"), [(0.0, 0.0), (0.25, 2.0), (0.99, 4.0), (1.0, math.inf)])
def test_a_threshold_is_the_magnitude_that_the_share_lies_below(share: float, threshold: float) -> None:
    assert threshold_for(torch.tensor([1.0, 2.0, 3.0, 4.0]), share) == threshold


@pytest.mark.parametrize("name", ["digits-mlp", "digits-cnn", "digits-vit"])
def test_share_zero_is_the_dense_network_and_more_share_is_more_zeros(name: str) -> None:
    model = models.load(name)
    digits = data.load("digits", model=model)
    evaluator = Evaluator(model, digits.splits["tune"])
    found = list(skipping(model, digits, shares=(0.0, 0.7, 1.0), evaluator=evaluator))
    assert found[0].accuracy == evaluator.dense().accuracy
    assert torch.equal(found[0].evaluation.predictions, evaluator.dense().predictions)
    assert found[0].skipped.value == found[0].already_zero.value
    assert found[1].skipped.value == pytest.approx(0.7, abs=0.03)
    assert found[2].skipped.value == 1.0


def test_a_real_network_by_its_own_formula() -> None:
    model = models.load("digits-mlp")
    digits = data.load("digits", model=model)
    (found,) = skipping(model, digits, shares=(0.8,))
    w = model.weights
    first, second = found.thresholds.values()
    x = digits.splits["tune"].x.flatten(1)
    h = F.relu(F.linear(x, w["fc1.weight"], w["fc1.bias"]))
    h = h * (h >= first)
    g = F.relu(F.linear(h, w["fc2.weight"], w["fc2.bias"]))
    g = g * (g >= second)
    logits = F.linear(g, w["fc3.weight"], w["fc3.bias"])
    expected = (logits.argmax(1) == digits.splits["tune"].y).double().mean()
    assert found.accuracy.value == pytest.approx(float(expected), abs=1e-9)
    n_zero = int((h == 0).sum() + (g == 0).sum())
    assert found.skipped.value == pytest.approx(n_zero / (h.numel() + g.numel()))


class Several(nn.Module):
    """Activations as a shared module, in place, and as functions and methods."""

    def __init__(self) -> None:
        super().__init__()
        self.act = nn.ReLU(inplace=True)
        self.gate = nn.Sequential(nn.GELU())

    def forward(self, x: Tensor) -> Tensor:
        y = x + 0
        self.act(y)  # changes y where it lies
        return self.gate(self.act(y - 1) + torch.relu(x) + x.relu())


def test_every_way_to_write_an_activation_is_seen_once_and_named() -> None:
    seen: list[str] = []
    x = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    watched = Watched(Several().eval(), lambda name, out: seen.append(name))
    assert torch.equal(watched(x), Several()(x))
    assert seen == ["act", "act #2", "network", "network #2", "gate.0"]


def test_an_activation_in_place_is_changed_in_place() -> None:
    def nothing(name: str, out: Tensor) -> Tensor | None:
        return torch.zeros_like(out) if name == "act" else None

    x = torch.full((1, 2), 5.0)
    # Without y, what the shared ReLU gives is relu(0 - 1) = 0: left are the two functions of x.
    assert torch.equal(Watched(Several().eval(), nothing)(x), F.gelu(torch.full((1, 2), 10.0)))


def test_the_network_itself_is_left_without_hooks_and_unchanged() -> None:
    model = models.load("digits-cnn")
    assert model.module is not None
    x = data.load("digits", model=model).splits["tune"].x[:8]
    before = model.module(x)
    Watched(model.module, lambda name, out: torch.zeros_like(out))(x)
    assert torch.equal(model.module(x), before)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.module.modules())


def test_threads_do_not_see_each_others_activations() -> None:
    model = models.load("digits-mlp")
    assert model.module is not None
    x = data.load("digits", model=model).splits["tune"].x[:64]
    dense = model.module(x)
    zeroing = Watched(model.module, lambda name, out: torch.zeros_like(out))
    leaving = Watched(model.module, lambda name, out: None)

    def many(network: nn.Module) -> list[Tensor]:
        return [network(x) for _ in range(20)]

    with ThreadPoolExecutor(2) as pool:
        zeroed, left = pool.submit(many, zeroing), pool.submit(many, leaving)
    assert all(torch.equal(out, dense) for out in left.result())
    assert not any(torch.equal(out, dense) for out in zeroed.result())


def test_a_pruned_network_is_what_skips_when_a_plan_is_given() -> None:
    model = models.load("digits-mlp")
    digits = data.load("digits", model=model)
    plan = make_plan(model, PruneSpec("weight", "lp_norm", "global:sparsity=0.8"))
    evaluator = Evaluator(model, digits.splits["tune"])
    (found,) = skipping(model, digits, shares=(0.0,), plan=plan, evaluator=evaluator)
    assert found.accuracy == evaluator.final(plan).accuracy
    ranked = magnitudes(masked(model, plan).module, digits.splits["fit"].x[:256])
    assert threshold_for(ranked["network"], 0.9) != threshold_for(
        magnitudes(model.module, digits.splits["fit"].x[:256])["network"],  # type: ignore[arg-type]
        0.9,
    )


def test_what_cannot_be_skipped_is_refused_in_a_sentence() -> None:
    gru, (model, made) = models.load("digits-gru"), tiny()
    assert "no ReLU, GELU" in str(why_not(gru))
    with pytest.raises(ExplorerError, match="gates of recurrent layers stay"):
        skipping(gru, data.load("digits", model=gru))
    with pytest.raises(ExplorerError, match="A share of 1.2 is not possible"):
        skipping(model, made, shares=(1.2,))
    with pytest.raises(ExplorerError, match="has no fit split"):
        skipping(model, Dataset("made", {"tune": made.splits["tune"]}, ("0", "1"), "made"))
