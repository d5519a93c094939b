"""Models that predict numbers or the next token are measured in the same pass, with the same prefix cache."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import explorer as ex
from explorer.analysis.sensitivity.scan import Sensitivity, scan
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError
from explorer.metrics import METRICS
from explorer.metrics.accuracy import Accuracy
from explorer.metrics.base import Outputs
from explorer.pruning.apply import masked
from explorer.types import Dataset, LoadedModel, Split, tensors_digest
from tests.engine.models import load, plan
from tests.engine.models import split as classes_split
from tests.every import for_each

N, LENGTH, VOCABULARY = 200, 6, 11


class Regressor(nn.Module):
    """Convolution and batch norm, which fold, then k numbers; one number comes as (n,)."""

    def __init__(self, k: int) -> None:
        super().__init__()
        self.conv, self.bn, self.head = nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.Linear(8 * 64, k)
        self.k = k

    def forward(self, x: Tensor) -> Tensor:
        out = self.head(functional.relu(self.bn(self.conv(x))).flatten(1))
        return out[:, 0] if self.k == 1 else out


class Language(nn.Module):
    """Scores of the next token from a recurrent layer, in a dict as hubs give them."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.gru = nn.Embedding(VOCABULARY, 12), nn.GRU(12, 16, batch_first=True)
        self.head = nn.Linear(16, VOCABULARY)

    def forward(self, tokens: Tensor) -> dict[str, Tensor]:
        return {"logits": self.head(self.gru(self.embed(tokens))[0])}


def loaded(module: nn.Module, example: Tensor) -> LoadedModel:
    module.eval()
    weights = {name: p.detach() for name, p in module.named_parameters()}
    return LoadedModel("made here", module, weights, tensors_digest(weights), example, None)


def regression(k: int) -> tuple[LoadedModel, Split]:
    torch.manual_seed(k)
    model = loaded(Regressor(k), torch.zeros(1, 1, 8, 8))
    x = torch.randn(N, 1, 8, 8)
    with torch.no_grad():
        y = model.module(x)  # type: ignore[misc]
    return model, Split("tune", x, y + 0.1 * torch.randn_like(y))


def language() -> tuple[LoadedModel, Split]:
    torch.manual_seed(3)
    model = loaded(Language(), torch.zeros(1, LENGTH, dtype=torch.int64))
    x = torch.randint(VOCABULARY, (N, LENGTH))
    with torch.no_grad():
        y = model.module(x)["logits"].argmax(dim=-1)  # type: ignore[misc]
    y[:, ::3] = (y[:, ::3] + 1) % VOCABULARY
    y[::4, -2:] = -100
    return model, Split("tune", x, y)


def outputs(model: LoadedModel, sparsity: float, x: Tensor) -> Tensor:
    """torch's own."""
    with torch.no_grad():
        found = masked(model, plan(model, sparsity)).module(x)
    return found["logits"] if isinstance(found, dict) else found


def r2(found: Tensor, y: Tensor) -> float:
    """By its definition; several numbers a sample are pooled."""
    return float(1 - (found - y).square().sum() / (y - y.mean()).square().sum())


@pytest.mark.parametrize("k", [1, 3])
def test_numbers_are_judged_by_r2_and_mean_absolute_error(k: int) -> None:
    model, split = regression(k)
    evaluator = Evaluator(model, split, batch_size=64)
    found = evaluator.final(plan(model, 0.7))
    pruned, dense = outputs(model, 0.7, split.x), outputs(model, 0.0, split.x)
    assert evaluator.path == "prefix cache, folded"
    assert (found.judged_by, found.accuracy.name, set(found.metrics)) == ("numbers", "r2", {"r2", "mae"})
    assert found.accuracy.value == pytest.approx(r2(pruned, split.y), rel=1e-4)
    assert found.metrics["mae"].value == pytest.approx(float((pruned - split.y).abs().mean()), rel=1e-4)
    assert found.agreement.value == pytest.approx(r2(pruned, dense), rel=1e-4)
    assert found.drop.value == pytest.approx(r2(dense, split.y) - r2(pruned, split.y), rel=1e-4)
    assert found.drop.low < found.drop.value < found.drop.high
    assert torch.allclose(found.predictions.view(pruned.shape), pruned, atol=1e-4)
    assert (evaluator.dense().drop.value, evaluator.dense().agreement.value) == (0.0, 1.0)


def test_tokens_are_judged_by_their_accuracy_and_perplexity() -> None:
    model, split = language()
    found = Evaluator(model, split, batch_size=64).final(plan(model, 0.6))
    pruned, dense = outputs(model, 0.6, split.x), outputs(model, 0.0, split.x)
    counted = split.y >= 0
    right = (pruned.argmax(dim=-1) == split.y)[counted].double().mean()
    nats = functional.cross_entropy(pruned.double()[counted], split.y[counted])
    assert (found.judged_by, found.accuracy.name) == ("tokens", "accuracy")
    assert found.accuracy.value == pytest.approx(float(right))
    assert found.loss.value == pytest.approx(float(nats), rel=1e-5)
    assert found.metrics["perplexity"].value == pytest.approx(math.exp(float(nats)), rel=1e-5)
    equal = pruned.argmax(dim=-1) == dense.argmax(dim=-1)
    assert found.agreement.value == pytest.approx(float(equal.double().mean()))
    before = (dense.argmax(dim=-1) == split.y)[counted].double().mean()
    assert found.drop.value == pytest.approx(float(before - right))
    assert torch.equal(found.predictions, pruned.argmax(dim=-1))


@pytest.mark.parametrize("made", [lambda: regression(1), language], ids=["numbers", "tokens"])
def test_without_labels_numbers_and_tokens_are_judged_by_agreement(made: object) -> None:
    model, split = made()  # type: ignore[operator]
    evaluator = Evaluator(model, replace(split, y=None))
    found = evaluator.final(plan(model, 0.6))
    assert (found.judged_by, found.loss, found.accuracy) == ("agreement", None, found.agreement)
    assert found.drop.value == pytest.approx(1 - found.agreement.value)
    assert evaluator.dense().agreement.value == 1.0


@for_each("mode", ["exact", "verified", "estimate"])
@for_each("made", [lambda: regression(3), language])
def test_scans_of_numbers_and_tokens_measure_every_sample_and_say_so(made: object, mode: str) -> None:
    model, split = made()  # type: ignore[operator]
    found = Sensitivity.of(scan(model, Dataset("made", {"tune": split}, (), "digest"), levels=(0.6,), mode=mode))  # type: ignore[arg-type]
    assert found.complete
    for cell in found.cells:
        name = next(name for name in model.weights if name.startswith(f"{cell.group}.weight") or name == cell.group)
        wanted = Evaluator(model, split).final(plan(model, 0.6, only=name))
        assert cell.n == cell.total == N
        assert cell.judged_by == wanted.judged_by
        assert cell.accuracy.value == pytest.approx(wanted.accuracy.value, abs=0.02)
        assert ("Every sample" in cell.how) == (mode != "exact")


def test_outputs_and_labels_of_different_kinds_are_refused_in_words() -> None:
    numbers, split = regression(3)
    tokens, texts = language()
    with pytest.raises(ExplorerError, match="do not fit the data's labels"):
        Evaluator(numbers, replace(split, y=split.y[:, :2])).dense()
    with pytest.raises(ExplorerError, match="do not fit the data's labels"):
        Evaluator(tokens, replace(texts, y=texts.y[:, 0])).dense()
    with pytest.raises(ExplorerError, match="tokens up to 11, but the model tells 11 apart"):
        Evaluator(tokens, replace(texts, y=texts.y.clamp_min(0) + 1)).dense()


def test_the_right_class_among_the_first_five_comes_from_the_same_pass() -> None:
    model = load("mlp")
    split = classes_split(model, 100)
    assert "top_k" not in Evaluator(model, split).dense().metrics  # five classes: always among the first five
    wide = loaded(nn.Sequential(nn.Flatten(), nn.Linear(64, 9)), torch.zeros(1, 1, 8, 8))
    labels = torch.randint(9, (100,), generator=torch.Generator().manual_seed(1))
    found = Evaluator(wide, Split("tune", split.x, labels)).dense()
    with torch.no_grad():
        ranks = wide.module(split.x).argsort(dim=1, descending=True)[:, :5]  # type: ignore[misc]
    share = (ranks == labels.unsqueeze(1)).any(dim=1).double().mean()
    assert found.metrics["top_k"].value == pytest.approx(float(share))
    assert found.accuracy.name == Accuracy.key


def test_every_registered_metric_of_the_task_is_measured_without_another_line(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True)
    class Surprise(Accuracy):
        key: ClassVar[str] = "surprise"

        def per_sample(self, outputs: Outputs) -> Tensor:
            return 1 - super().per_sample(outputs)

    monkeypatch.setitem(METRICS.members, "surprise", Surprise)
    model = ex.load("digits-mlp")
    evaluation = Evaluator(model, ex.load_data("digits").splits["tune"]).dense()
    assert evaluation.metrics["surprise"].value == pytest.approx(1 - evaluation.accuracy.value)
    assert {"nll", "brier", "ece", "top_k", "surprise"} <= set(evaluation.metrics)
    assert evaluation.metrics["nll"].value == pytest.approx(evaluation.loss.value)  # type: ignore[union-attr]


def test_one_output_is_the_logit_of_class_1_as_torch_counts_it() -> None:
    model, split = regression(1)
    assert model.module is not None
    with torch.no_grad():
        logit = model.module(split.x)
        logit_of_pruned = outputs(model, 0.5, split.x)
    labels = ((logit + 0.05 * torch.randn(N, generator=torch.Generator().manual_seed(0))) > 0).long()
    binary = Split("tune", split.x, labels)
    for sparsity, expected in ((0.0, logit), (0.5, logit_of_pruned)):
        found = Evaluator(model, binary, threads=1).final(plan(model, sparsity))
        assert torch.equal(found.predictions, (expected > 0).long())
        assert found.accuracy.value == pytest.approx(float(((expected > 0).long() == labels).double().mean()))
        assert found.loss is not None
        loss = functional.binary_cross_entropy_with_logits(expected.double(), labels.double())
        assert found.loss.value == pytest.approx(float(loss), rel=1e-4)
