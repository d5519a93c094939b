"""Small networks written out by hand, wrapped as loaded models."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explorer.types import LoadedModel, tensors_digest


def loaded(module: nn.Module, *input_shape: int, n_classes: int = 4) -> LoadedModel:
    """A loaded model around ``module`` whose batch norms have seen data."""
    generator = torch.Generator().manual_seed(3)
    for m in module.modules():
        if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d):
            for tensor in (t for t in (m.weight, m.bias, m.running_mean, m.running_var) if t is not None):
                tensor.data.copy_(torch.rand(tensor.shape, generator=generator) + 0.1)
    module.eval().requires_grad_(False)
    weights = dict(module.named_parameters())
    example = torch.randn(1, *input_shape, generator=generator)
    return LoadedModel("tiny", module, weights, tensors_digest(weights), example=example, n_classes=n_classes)


class Plain(nn.Module):
    """conv-BN-ReLU twice, then a classifier behind a flatten; widths can be chosen."""

    def __init__(self, a: int = 6, b: int = 8) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, a, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(a)
        self.conv2 = nn.Conv2d(a, b, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(b)
        self.fc = nn.Linear(b * 4, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 2)
        x = F.max_pool2d(torch.sigmoid(self.bn2(self.conv2(x))), 2)
        return self.fc(torch.flatten(x, 1))


class Residual(nn.Module):
    """A stem, one residual block with its own inner width, and a pooled classifier."""

    def __init__(self, stem: int = 6, inner: int = 8) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, stem, 3, padding=1, bias=False)
        self.bn0 = nn.BatchNorm2d(stem)
        self.conv1 = nn.Conv2d(stem, inner, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, stem, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(stem)
        self.fc = nn.Linear(stem, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn0(self.stem(x)))
        x = F.relu(x + self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        return self.fc(x.mean(dim=(2, 3)))


class Padded(nn.Module):
    """An option-A shortcut: 4 channels grow to 8 by zero padding (He et al. 2016)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, padding=1)
        self.conv1 = nn.Conv2d(4, 8, 3, padding=1)
        self.fc = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem(x))
        x = F.relu(self.conv1(x) + F.pad(x, (0, 0, 0, 0, 2, 2)))
        return self.fc(x.mean(dim=(2, 3)))


class Mobile(nn.Module):
    """Depthwise, then pointwise; then a grouped convolution; then two branches concatenated."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 6, 1)
        self.depth = nn.Conv2d(6, 6, 3, padding=1, groups=6)
        self.point = nn.Conv2d(6, 8, 1)
        self.grouped = nn.Conv2d(8, 12, 3, padding=1, groups=2)
        self.side = nn.Conv2d(8, 5, 1)
        self.fc = nn.Linear(17, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.point(F.relu6(self.depth(self.stem(x)))))
        x = torch.cat([F.relu(self.grouped(x)), self.side(x)], dim=1)
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(11, 5)
        self.lstm = nn.LSTM(5, 7, num_layers=2, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(14, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.lstm(self.embed(x.abs().long().clamp_max(10)))[0][:, -1])


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.position = nn.Parameter(torch.randn(1, 5, 8))
        self.enter = nn.Linear(6, 8)
        self.attend = nn.MultiheadAttention(8, 2, batch_first=True)
        self.norm = nn.LayerNorm(8)
        self.up = nn.Linear(8, 16)
        self.down = nn.Linear(16, 8)
        self.fc = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.enter(x) + self.position
        x = self.norm(x + self.attend(x, x, x, need_weights=False)[0])
        return self.fc((x + self.down(F.gelu(self.up(x)))).mean(1))


class Tied(nn.Module):
    """Encoder and decoder share one weight."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(9, 6)
        self.out = nn.Linear(6, 9, bias=False)
        self.out.weight = self.embed.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.embed(x.abs().long().clamp_max(8)).mean(1))


class Untraceable(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Linear(4, 4)
        self.b = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.b(x) if x.sum() > 0 else self.a(x)
