"""Plain convolutions with batch normalisation, no shortcuts: every channel has one producer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from explorer.params import param


class ConvPair(nn.Module):
    """conv1 - norm1 - ReLU - conv2 - norm2 - ReLU at one resolution."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(n_out)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(n_out)

    def forward(self, x: Tensor) -> Tensor:
        """(n, n_in, h, w) -> (n, n_out, h, w)."""
        out: Tensor = self.norm1(self.conv1(x)).relu()
        out = self.norm2(self.conv2(out)).relu()
        return out


class FlatHead(nn.Module):
    """Mean over the picture, then one classifier layer."""

    def __init__(self, width: int, n_classes: int) -> None:
        super().__init__()
        self.fc = nn.Linear(width, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """(n, width, h, w) -> (n, n_classes)."""
        out: Tensor = self.fc(x.mean((2, 3)))
        return out


class Cnn(nn.Module):
    """Two pairs of convolutions with a pooling step between them, and a head."""

    def __init__(self, width: int, n_classes: int) -> None:
        super().__init__()
        self.block1 = ConvPair(1, width)
        self.pool = nn.MaxPool2d(2)
        self.block2 = ConvPair(width, 2 * width)
        self.head = FlatHead(2 * width, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """(n, 1, 8, 8) -> (n, n_classes) logits."""
        out: Tensor = self.head(self.block2(self.pool(self.block1(x))))
        return out


@dataclass(frozen=True)
class DigitsCnn:
    """Four convolutions, each with batch normalisation and ReLU, then a classifier."""

    key: ClassVar[str] = "digits-cnn"
    description: ClassVar[str] = "Four plain convolutions for 8 x 8 digits"
    input_shape: ClassVar[tuple[int, ...]] = (1, 8, 8)
    mean: ClassVar[tuple[float, ...]] = (0.3053,)
    std: ClassVar[tuple[float, ...]] = (0.3761,)
    width: int = param(32, "Channels of the first block", low=1, high=512)
    n_classes: int = param(10, "Classes", low=2, high=1000)

    def build(self) -> nn.Module:
        """A new convolutional network; (n, 1, 8, 8) -> (n, n_classes)."""
        return Cnn(self.width, self.n_classes)
