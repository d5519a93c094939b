"""Checks of language models, of two classes and of time: each against an outside judge, failing for its own reason."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

import explorer as ex
from explorer.analysis.check import cost
from explorer.analysis.check.evidence import CheckEvidence
from explorer.analysis.check.policy import Policy
from explorer.metrics.latency import Latency
from explorer.types import Dataset, LoadedModel, Measurement, Split
from tests.analysis.check.two_models import Table, evidence_of, outcomes

N, LENGTH, WORDS = 40, 12, 30


class OfTokens(Table):
    """Scores (length, words) of a text, looked up by its number, which is its first token."""

    def forward(self, x: Tensor) -> Tensor:
        rows: Tensor = self.scores[x[:, 0]]  # type: ignore[index]
        return rows


def reader(scores: Tensor) -> LoadedModel:
    return LoadedModel("reader", OfTokens(scores).eval(), {}, "d", torch.zeros(1, LENGTH, dtype=torch.long), WORDS)


def of_texts(before: Tensor, after: Tensor, labels: Tensor, n: int = N) -> CheckEvidence:
    x = torch.arange(n)[:, None].expand(n, LENGTH).contiguous()
    split = Split("tune", x, labels[:n])
    return CheckEvidence(reader(before), reader(after), Dataset("made", {"tune": split}, (), "d"), split)


def perplexity(scores: Tensor, labels: Tensor) -> float:
    return float(nn.functional.cross_entropy(scores.flatten(0, 1), labels.flatten(), ignore_index=-1).exp())


def test_a_language_model_fails_by_its_perplexity_alone_which_is_that_of_torch() -> None:
    torch.manual_seed(0)
    labels = torch.randint(0, WORDS, (N, LENGTH))
    labels[:, -1] = -1  # nothing to predict at the end
    before = torch.randn(N, LENGTH, WORDS, dtype=torch.float64)
    before.scatter_add_(2, labels.clamp_min(0)[..., None], torch.full((N, LENGTH, 1), 4.0, dtype=torch.float64))
    after = before * 0.6  # the same choices, with less belief in them
    seen = outcomes(of_texts(before, after, labels), "language", "accuracy", "changed", "probabilities")
    failed = seen["language"]
    assert failed.value is not None
    assert failed.value.value == pytest.approx(perplexity(after, labels) / perplexity(before, labels))
    assert (failed.value.low or 0) > 1.1
    assert failed.status == "fail"
    assert "0.0% of the next tokens change" in failed.why
    assert {seen[key].status for key in ("accuracy", "changed", "probabilities")} <= {"does not apply", "pass", "fail"}
    assert seen["changed"].status == seen["probabilities"].status == "does not apply"
    assert outcomes(of_texts(before, before, labels), "language")["language"].status == "pass"
    between = outcomes(of_texts(before, before * 0.93, labels, 3), "language")["language"]
    assert between.status in ("pass", "cannot tell")
    assert outcomes(of_texts(before, after, labels, 1), "language")["language"].status == "cannot tell"


def test_of_two_classes_the_area_under_the_curve_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(600) % 2
    p = []
    for spread in (0.5, 2.0):
        second = 1 / (1 + np.exp(-(labels * 2.0 - 1 + rng.normal(0, spread, 600)).round(1)))  # rounded: with ties
        p.append(np.stack([1 - second, second], axis=1))
    seen = outcomes(evidence_of(p[0], p[1], labels), "operating")["operating"]
    area = next(row for row in seen.rows if row["name"] == "AUROC")
    assert area["before"] == pytest.approx(roc_auc_score(labels, p[0][:, 1]))
    assert area["after"] == pytest.approx(roc_auc_score(labels, p[1][:, 1]))
    assert area["after"] < area["before"]


def test_cost_fails_by_time_alone_where_the_whole_interval_is_slower(monkeypatch: pytest.MonkeyPatch) -> None:
    mlp = ex.load("digits-mlp")
    data = ex.load_data("digits", model=mlp)
    evidence = CheckEvidence(mlp, mlp, data, data.splits["tune"], times=30)
    rule = Policy.of().rule("cost")
    for low, value, high, status in (
        (0.45, 0.5, 0.55, "fail"),
        (0.97, 1.0, 1.02, "pass"),
        (0.8, 1.0, 1.2, "cannot tell"),
    ):
        monkeypatch.setattr(cost, "latency", lambda *_, r=(low, value, high), **__: timed(*r))
        outcome = rule.outcome(evidence)
        assert outcome.status == status
        assert outcome.value is not None
        assert (outcome.value.value, outcome.value.low) == (1 / value, 1 / high)
    evidence.times = 0
    assert rule.outcome(evidence).status == "pass"


def timed(low: float, value: float, high: float) -> Latency:
    """Times whose ratio dense / candidate is this."""
    one = Measurement("latency", 1.0, "milliseconds", "measured")
    ratio = Measurement("ratio", value, "x", "measured", low, high, 30)
    return Latency(one, one, ratio, n=30, total=30, batch=1, threads=1, runtime="torch", machine="here")
