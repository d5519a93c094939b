"""A residual network for digits: channels added together must be pruned together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from explorer.params import param


class Stem(nn.Module):
    """The first convolution."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        """(n, 1, h, w) -> (n, width, h, w)."""
        out: Tensor = self.norm(self.conv(x)).relu()
        return out


class ResidualBlock(nn.Module):
    """Two convolutions beside a shortcut: the identity, or a 1 x 1 convolution where shapes change.

    Source: He et al. 2016, arXiv:1512.03385 (option B shortcut).
    """

    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(n_out)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(n_out)
        same = n_in == n_out and stride == 1
        self.shortcut = nn.Identity() if same else nn.Conv2d(n_in, n_out, 1, stride=stride, bias=False)
        self.shortcut_norm = nn.Identity() if same else nn.BatchNorm2d(n_out)

    def forward(self, x: Tensor) -> Tensor:
        """(n, n_in, h, w) -> (n, n_out, h / stride, w / stride)."""
        out: Tensor = self.norm1(self.conv1(x)).relu()
        out = self.norm2(self.conv2(out)) + self.shortcut_norm(self.shortcut(x))
        return out.relu()


class PoolingHead(nn.Module):
    """Mean over the picture, then one classifier layer."""

    def __init__(self, width: int, n_classes: int) -> None:
        super().__init__()
        self.fc = nn.Linear(width, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """(n, width, h, w) -> (n, n_classes)."""
        out: Tensor = self.fc(x.mean((2, 3)))
        return out


class ResNet(nn.Module):
    """A stem, three residual blocks at halving resolution, and a head."""

    def __init__(self, width: int, n_classes: int) -> None:
        super().__init__()
        self.stem = Stem(width)
        self.block1 = ResidualBlock(width, width, 1)
        self.block2 = ResidualBlock(width, 2 * width, 2)
        self.block3 = ResidualBlock(2 * width, 4 * width, 2)
        self.head = PoolingHead(4 * width, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """(n, 1, 8, 8) -> (n, n_classes) logits."""
        out: Tensor = self.block3(self.block2(self.block1(self.stem(x))))
        out = self.head(out)
        return out


@dataclass(frozen=True)
class DigitsResNet:
    """A stem and three residual blocks: shortcuts couple the channels of several layers."""

    key: ClassVar[str] = "digits-resnet"
    description: ClassVar[str] = "A small residual network for 8 x 8 digits"
    input_shape: ClassVar[tuple[int, ...]] = (1, 8, 8)
    mean: ClassVar[tuple[float, ...]] = (0.3053,)
    std: ClassVar[tuple[float, ...]] = (0.3761,)
    width: int = param(16, "Channels of the stem", low=1, high=512)
    n_classes: int = param(10, "Classes", low=2, high=1000)

    def build(self) -> nn.Module:
        """A new residual network; (n, 1, 8, 8) -> (n, n_classes)."""
        return ResNet(self.width, self.n_classes)
