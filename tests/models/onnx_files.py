"""ONNX files as tests make them, and what ONNX Runtime answers."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Pictures(nn.Module):
    """Normalisations that an exporter cannot fold away, a grouped and a transposed convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.bn = nn.BatchNorm2d(1)
        self.conv = nn.Conv2d(1, 8, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(8)
        self.grouped = nn.Conv2d(8, 8, 3, padding=1, groups=2)
        self.up = nn.ConvTranspose2d(8, 6, 2, stride=2)
        self.fc = nn.Linear(6 * 4 * 4, 10)
        for norm in (self.bn, self.bn2):
            nn.init.normal_(norm.running_mean)  # type: ignore[arg-type]
            nn.init.uniform_(norm.running_var, 0.5, 2)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv(self.bn(x)))
        x = F.relu(self.up(F.max_pool2d(self.grouped(F.relu(self.bn2(x))), 2)))
        x = F.avg_pool2d(x, 2)
        return self.fc(x.view(x.size(0), -1))


def mlp() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


class Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.out = (nn.Linear(width, width) for _ in range(4))
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        n, length, width = x.shape
        y = self.before(x)
        size = width // self.heads
        q, k, v = (part(y).view(n, length, self.heads, size).transpose(1, 2) for part in (self.q, self.k, self.v))
        mixed = torch.softmax(q @ k.transpose(-1, -2) / size**0.5, -1) @ v
        x = x + self.out(mixed.transpose(1, 2).reshape(n, length, width))
        return x + self.down(F.gelu(self.up(self.between(x))))


class Texts(nn.Module):
    """A small transformer: embeddings, attention, products with a bias added."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(50, 16)
        self.positions = nn.Parameter(torch.randn(1, 12, 16))
        self.blocks = nn.ModuleList([Block(16, 2) for _ in range(2)])
        self.head = nn.Linear(16, 5)
        for name, parameter in self.named_parameters():
            if "before" in name or "between" in name:
                nn.init.normal_(parameter)  # equal ones an exporter stores once

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embedding(ids) + self.positions
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean(1))


class Two(nn.Module):
    """Two outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = nn.Linear(64, 4), nn.Linear(64, 10)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        flat = x.flatten(1)
        return self.one(flat), self.other(flat)


def pictures(n: int) -> Tensor:
    return torch.randn(n, 1, 8, 8, generator=torch.Generator().manual_seed(n))


def tokens(n: int) -> Tensor:
    return torch.randint(0, 50, (n, 12), generator=torch.Generator().manual_seed(n))


def exported(
    net: nn.Module, x: Tensor, path: Path, outputs: tuple[str, ...] = ("logits",), *, fixed: bool = False
) -> str:
    """Write the network; with an open number of samples, unless it is ``fixed`` to that of ``x``."""
    axes = None if fixed else {name: {0: "batch"} for name in ("x", *outputs)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net.eval(), (x,), str(path), dynamo=False, input_names=["x"], output_names=list(outputs), dynamic_axes=axes
        )
    return str(path)


def by_runtime(path: Path | str, x: Tensor, output: str = "logits") -> Tensor:
    """What ONNX Runtime answers."""
    import onnxruntime

    session: Any = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return torch.from_numpy(session.run([output], {session.get_inputs()[0].name: x.numpy()})[0])
