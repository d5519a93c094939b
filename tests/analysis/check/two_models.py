"""Two models whose answers are given: a table of class scores each, looked up by the number of the sample."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from explorer.analysis.check.base import Outcome
from explorer.analysis.check.evidence import CheckEvidence
from explorer.analysis.check.policy import Policy
from explorer.types import Dataset, LoadedModel, Split

N, CLASSES = 3000, 20


class Table(nn.Module):
    """Row i of ``scores`` for the sample i."""

    def __init__(self, scores: Tensor) -> None:
        super().__init__()
        self.register_buffer("scores", scores)

    def forward(self, x: Tensor) -> Tensor:
        rows: Tensor = self.scores[x[:, 0].long()]  # type: ignore[index]
        return rows


def model_of(probabilities: np.ndarray) -> LoadedModel:
    """A model that gives these probabilities (n, classes)."""
    scores = torch.tensor(probabilities, dtype=torch.float64).clamp_min(1e-12).log()
    n_classes = scores.shape[1]
    return LoadedModel("table", Table(scores).eval(), {}, "d", torch.zeros(1, 1), n_classes)


def evidence_of(
    dense: np.ndarray,
    candidate: np.ndarray,
    labels: Sequence[int] | np.ndarray,
    slices: dict[str, tuple[object, ...]] | None = None,
) -> CheckEvidence:
    """Both on samples with these labels."""
    x = torch.arange(len(labels), dtype=torch.float64)[:, None]
    split = Split("tune", x, torch.tensor(np.asarray(labels)))
    n_classes = dense.shape[1]
    data = Dataset("made", {"tune": split}, tuple(f"c{i}" for i in range(n_classes)), "d")
    return CheckEvidence(model_of(dense), model_of(candidate), data, split, slices=slices or {})


def usual() -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (N, CLASSES) of a calibrated model that is right on nine of ten, and the labels.

    It believes in its choice with 0.92, in the next class with 0.06; where it is wrong, the label comes third.
    """
    labels = np.arange(N) % CLASSES
    chosen = labels.copy()
    wrong = (np.arange(N) // CLASSES) % 12 == 0  # as many of every class
    chosen[wrong] = (labels[wrong] + 1) % CLASSES
    probabilities = np.full((N, CLASSES), 0.02 / (CLASSES - 2))
    probabilities[np.arange(N), chosen] = 0.92
    probabilities[np.arange(N), (chosen + 2) % CLASSES] = 0.06
    return probabilities, labels


def outcomes(evidence: CheckEvidence, *keys: str) -> dict[str, Outcome]:
    """What the checks of these keys say, calibration failing like the others."""
    policy = Policy.of({"calibration": {"level": "fail"}})
    return {key: policy.rule(key).outcome(evidence) for key in keys}
