"""Worse pictures: the published constants, what each corruption does by hand, and a model that cannot bear them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from explorer.analysis.check.evidence import CheckEvidence
from explorer.analysis.check.policy import Policy
from explorer.analysis.corrupting import FOR_LARGE, FOR_SMALL, corrupted
from explorer.types import Dataset, LoadedModel, Split


def pictures(n: int = 3, channels: int = 3, size: int = 16) -> np.ndarray:
    return np.random.default_rng(0).random((n, channels, size, size))


def test_the_constants_are_those_of_the_published_benchmarks() -> None:
    """Severities 1, 3 and 5 of CIFAR-10-C and ImageNet-C."""
    small = {kind: (c[0], c[2], c[4]) for kind, c in FOR_SMALL.items()}
    large = {kind: (c[0], c[2], c[4]) for kind, c in FOR_LARGE.items()}
    assert small == {
        "gaussian noise": (0.04, 0.08, 0.10), "gaussian blur": (0.4, 0.7, 1.0), "brightness": (0.05, 0.15, 0.3),
        "contrast": (0.75, 0.4, 0.15), "JPEG": (80, 58, 40), "pixelate": (0.95, 0.85, 0.65),
    }  # fmt: skip
    assert large == {
        "gaussian noise": (0.08, 0.18, 0.38), "gaussian blur": (1, 3, 6), "brightness": (0.1, 0.3, 0.5),
        "contrast": (0.4, 0.2, 0.05), "JPEG": (25, 15, 7), "pixelate": (0.6, 0.4, 0.25),
    }  # fmt: skip


def test_each_corruption_does_what_it_is_called() -> None:
    x = pictures()
    noise = corrupted(np.full((1, 1, 60, 60), 0.5), "gaussian noise", 3, 0) - 0.5
    assert noise.std() == pytest.approx(0.08, rel=0.05)
    assert np.array_equal(corrupted(x, "gaussian noise", 3, 0), corrupted(x, "gaussian noise", 3, 0))
    assert not np.array_equal(corrupted(x, "gaussian noise", 3, 0), corrupted(x, "gaussian noise", 3, 1))
    assert corrupted(x, "gaussian blur", 5, 0).std() < x.std()
    brighter = corrupted(x, "brightness", 3, 0)
    assert brighter.max(axis=1) == pytest.approx(np.clip(x.max(axis=1) + 0.15, 0, 1))
    flat = corrupted(x, "contrast", 3, 0)
    assert flat == pytest.approx((x - x.mean(axis=(2, 3), keepdims=True)) * 0.4 + x.mean(axis=(2, 3), keepdims=True))
    coarse = corrupted(np.kron(np.eye(2), np.ones((8, 8)))[None, None], "pixelate", 5, 0)
    assert coarse.shape == (1, 1, 16, 16)
    for kind in FOR_SMALL:
        worse = corrupted(x, kind, 5, 0)
        assert worse.shape == x.shape
        assert 0 <= worse.min() <= worse.max() <= 1
        assert not np.array_equal(worse, x)


class LeftOrRight(torch.nn.Module):
    """Which half is brighter; ``touchy``: the other answer where the first pixel, black on clean pictures, is not."""

    def __init__(self, touchy: bool) -> None:
        super().__init__()
        self.touchy = touchy

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        halves = torch.stack([x[..., :4].mean(dim=(1, 2, 3)), x[..., 4:].mean(dim=(1, 2, 3))], dim=1)
        scores = 20 * halves
        wrong = (x[:, 0, 0, 0] > 0.02) & self.touchy
        return torch.where(wrong[:, None], scores.flip(1), scores)


def evidence() -> CheckEvidence:
    labels = torch.arange(400) % 2
    x = torch.zeros(400, 1, 8, 8)
    x[labels == 0, :, 2:6, 0:4] = 0.8
    x[labels == 1, :, 2:6, 4:8] = 0.8
    split = Split("tune", x, labels)
    data = Dataset("made", {"tune": split}, ("left", "right"), "d", meta={"mean": [0.0], "std": [1.0]}, images=True)
    dense, candidate = (
        LoadedModel("m", LeftOrRight(touchy).eval(), {}, str(touchy), x[:1], 2) for touchy in (False, True)
    )
    return CheckEvidence(dense, candidate, data, split)


def test_a_model_that_breaks_on_worse_pictures_alone_fails_this_check_alone() -> None:
    here = evidence()
    policy = Policy.of()
    assert policy.rule("accuracy").outcome(here).status in ("pass", "cannot tell")
    assert policy.rule("changed").outcome(here).status == "pass"
    seen = policy.rule("corruptions").outcome(here)
    assert seen.status == "fail"
    assert "brightness" in seen.why
    assert len(seen.rows) == 6 * 3
    here.candidate = here.dense
    del here.__dict__["pair"]
    assert policy.rule("corruptions").outcome(here).status == "pass"


def test_pictures_whose_black_and_white_are_not_known_are_left_alone() -> None:
    here = evidence()
    here.dataset = replace(here.dataset, meta={})
    assert Policy.of().rule("corruptions").outcome(here).status == "does not apply"
