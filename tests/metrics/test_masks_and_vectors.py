"""Masks, vectors and language models with an ignored label: values against scikit-learn, torch and arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import jaccard_score
from torch import Tensor, nn
from torch.nn import functional

import explorer as ex

SPEC = ex.PruneSpec("weight", "lp_norm:p=1", "uniform:sparsity=0.6")


def segmenter() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 4, 1)).eval()


def pictures(n: int = 30) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(n, 3, 6, 7, generator=generator)
    with torch.no_grad():
        y = segmenter()(x).argmax(1)
    noise = torch.rand(y.shape, generator=generator)
    y[noise < 0.2] = torch.randint(4, (int((noise < 0.2).sum()),), generator=generator)
    y[noise > 0.95], y[(noise > 0.9) & (noise <= 0.95)] = 255, -1
    return x, y


def test_masks_are_measured_by_mean_iou_and_the_accuracy_of_places() -> None:
    x, y = pictures()
    model = ex.load(segmenter(), example=x[:2])
    data = ex.load_data((x, y), model=model)

    report = ex.evaluate(model, SPEC, data)

    tune = data.splits["tune"]
    with torch.no_grad():
        dense, pruned = (m(tune.x) for m in (model.module, ex.masked(model, ex.plan(model, SPEC)).module))  # type: ignore[misc]
    has_class = (tune.y >= 0) & (tune.y != 255)  # type: ignore[operator]
    truth = tune.y[has_class].numpy()  # type: ignore[index]
    iou, before = (jaccard_score(truth, out.argmax(1)[has_class].numpy(), average="macro") for out in (pruned, dense))
    metrics = report.to_json()["metrics"]
    assert metrics["mean_iou"]["value"] == pytest.approx(iou)
    assert metrics["drop"]["value"] == pytest.approx(before - iou)
    right = (pruned.argmax(1)[has_class].numpy() == truth).mean()
    assert metrics["pixel_accuracy"]["value"] == pytest.approx(right)
    loss = functional.cross_entropy(pruned.double(), tune.y.masked_fill(~has_class, -100), ignore_index=-100)  # type: ignore[union-attr]
    assert metrics["loss"]["value"] == pytest.approx(float(loss))
    same = (pruned.argmax(1) == dense.argmax(1)).double().mean()
    assert metrics["agreement"]["value"] == pytest.approx(float(same))
    assert metrics["mean_iou"]["low"] < iou < metrics["mean_iou"]["high"]
    assert "mean_iou" in str(report)
    assert any("masks" in finding.what for finding in data.findings)


def test_masks_without_labels_are_measured_by_agreement() -> None:
    x, _ = pictures()
    model = ex.load(segmenter(), example=x[:2])
    report = ex.evaluate(model, SPEC, (x, None))
    assert report.evaluation is not None
    assert report.evaluation.judged_by == "agreement"
    assert report.drop is not None
    assert report.drop.value == pytest.approx(1 - report.evaluation.agreement.value)
    assert 0 < report.drop.value < 1


def test_scans_sweeps_and_moved_thresholds_follow_masks() -> None:
    x, y = pictures()
    model = ex.load(segmenter(), example=x[:2])
    data = ex.load_data((x, y), model=model)
    (point,) = ex.sweep(model, SPEC, data, sparsities=(0.6,))
    cells = list(ex.scan(model, data, levels=(0.6,), mode="verified"))
    assert point.accuracy.name == "mean_iou"
    assert point.accuracy.value == pytest.approx(ex.evaluate(model, SPEC, data).accuracy.value)  # type: ignore[union-attr]
    assert {cell.accuracy.name for cell in cells} == {"mean_iou"}
    loss = ex.evaluate(model, SPEC, data, metric="pixel_loss")
    assert loss.drop is not None
    assert loss.drop.best == "lowest"


def test_masks_that_do_not_fit_are_refused() -> None:
    x, y = pictures()
    model = ex.load(segmenter(), example=x[:2])
    with pytest.raises(ex.ExplorerError, match="do not fit the data's masks"):
        ex.evaluate(model, SPEC, (x, y[:, :3]))
    with pytest.raises(ex.ExplorerError, match="classes up to 9"):
        ex.evaluate(model, SPEC, (x, y.masked_fill(y == 2, 9)))


def test_vectors_are_measured_by_their_cosine_to_the_dense_ones() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(10, 20), nn.Tanh(), nn.Linear(20, 6)).eval()
    x = torch.randn(80, 10)
    model = ex.load(network, example=x[:2], task="embedding")

    report = ex.evaluate(model, SPEC, x)

    with torch.no_grad():
        dense = network(x).numpy()
        pruned = ex.masked(model, ex.plan(model, SPEC)).module(x).numpy()
    cosines = (dense * pruned).sum(1) / np.linalg.norm(dense, axis=1) / np.linalg.norm(pruned, axis=1)
    assert report.accuracy is not None
    assert report.drop is not None
    assert (report.accuracy.name, report.accuracy.value) == ("cosine", pytest.approx(cosines.mean(), rel=1e-5))
    assert report.drop.value == pytest.approx(1 - cosines.mean(), rel=1e-4)
    half = 1.959964 * cosines.std(ddof=1) / math.sqrt(len(cosines))
    assert report.accuracy.high == pytest.approx(cosines.mean() + half, rel=1e-4)
    assert ex.evaluate(model, None, x).accuracy.value == pytest.approx(1.0)  # type: ignore[union-attr]
    (point,) = ex.sweep(model, SPEC, ex.load_data(x, model=model), sparsities=(0.6,))
    assert point.accuracy.value == pytest.approx(report.accuracy.value)


class Words(nn.Module):
    """A language model of one layer."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.words = nn.Embedding(17, 12)
        self.head = nn.Linear(12, 17)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.words(tokens))


def test_a_causal_language_model_is_measured_on_the_tokens_that_follow() -> None:
    tokens = torch.randint(17, (40, 9), generator=torch.Generator().manual_seed(0))
    model = ex.load(Words(), example=tokens[:2], task="tokens")

    report = ex.evaluate(model, SPEC, tokens)

    with torch.no_grad():
        logits = ex.masked(model, ex.plan(model, SPEC)).module(tokens)[:, :-1].double()
    nats = functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
    metrics = report.to_json()["metrics"]
    assert metrics["perplexity"]["value"] == pytest.approx(float(nats.exp()), rel=1e-5)
    right = (logits.argmax(-1) == tokens[:, 1:]).double().mean()
    assert metrics["token_accuracy"]["value"] == pytest.approx(float(right))


def test_a_masked_language_model_is_measured_where_there_is_a_label() -> None:
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(17, (60, 9), generator=generator)
    labels = torch.where(torch.rand(60, 9, generator=generator) < 0.2, tokens, -100)
    model = ex.load(Words(), example=tokens[:2])

    report = ex.evaluate(model, SPEC, (tokens, labels))

    with torch.no_grad():
        logits = ex.masked(model, ex.plan(model, SPEC)).module(tokens).double()
    nats = functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-100)
    metrics = report.to_json()["metrics"]
    assert metrics["loss"]["value"] == pytest.approx(float(nats), rel=1e-5)
    per_text = functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-100, reduction="none")
    sums, n = per_text.view(60, 9).sum(1), (labels >= 0).double().sum(1)
    residuals = (sums - float(nats) * n) * 60 / float(n.sum())
    half = 1.959964 * float(residuals.std()) / math.sqrt(60)
    assert metrics["perplexity"]["high"] == pytest.approx(math.exp(float(nats) + half), rel=1e-5)
