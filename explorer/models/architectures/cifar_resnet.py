"""The residual networks of the CIFAR-10 experiments, depth 6n + 2, option A shortcuts.

Source: He et al. 2016, arXiv:1512.03385, section 4.2. Parameter names and the shape of the
shortcut follow the widely used public weights (pytorch_resnet_cifar10), so that those fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from explorer.params import param


class PadShortcut(nn.Module):
    """Option A: every second pixel, with zero channels added on both sides; no weights."""

    def __init__(self, n_added: int) -> None:
        super().__init__()
        self.n_added = n_added

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, c + n_added, h / 2, w / 2)."""
        before = self.n_added // 2
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, before, self.n_added - before))


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut without weights."""

    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(n_out)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(n_out)
        self.shortcut = nn.Identity() if stride == 1 else PadShortcut(n_out - n_in)

    def forward(self, x: Tensor) -> Tensor:
        """(n, n_in, h, w) -> (n, n_out, h / stride, w / stride)."""
        out: Tensor = self.bn1(self.conv1(x)).relu()
        out = self.bn2(self.conv2(out)) + self.shortcut(x)
        return out.relu()


def _stage(n_in: int, n_out: int, n_blocks: int) -> nn.Sequential:
    first = BasicBlock(n_in, n_out, 1 if n_in == n_out else 2)
    return nn.Sequential(first, *(BasicBlock(n_out, n_out, 1) for _ in range(n_blocks - 1)))


class CifarResNet(nn.Module):
    """A convolution, three stages of 16, 32 and 64 channels, mean over the picture, a classifier."""

    def __init__(self, depth: int, n_classes: int) -> None:
        super().__init__()
        n_blocks = (depth - 2) // 6
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = _stage(16, 16, n_blocks)
        self.layer2 = _stage(16, 32, n_blocks)
        self.layer3 = _stage(32, 64, n_blocks)
        self.linear = nn.Linear(64, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, 32, 32) -> (n, n_classes) logits."""
        out: Tensor = self.bn1(self.conv1(x)).relu()
        out = self.layer3(self.layer2(self.layer1(out)))
        out = self.linear(out.mean((2, 3)))
        return out


@dataclass(frozen=True)
class CifarResNet20:
    """ResNet-20 for 32 x 32 colour pictures; 0.27 million parameters."""

    key: ClassVar[str] = "cifar-resnet20"
    description: ClassVar[str] = "ResNet-20 for 32 x 32 colour pictures (He et al. 2016, option A)"
    depth: ClassVar[int] = 20
    input_shape: ClassVar[tuple[int, ...]] = (3, 32, 32)
    mean: ClassVar[tuple[float, ...]] = (0.485, 0.456, 0.406)
    std: ClassVar[tuple[float, ...]] = (0.229, 0.224, 0.225)
    n_classes: int = param(10, "Classes", low=2, high=1000)

    def build(self) -> nn.Module:
        """A new ResNet of this depth; (n, 3, 32, 32) -> (n, n_classes)."""
        return CifarResNet(self.depth, self.n_classes)


class CifarResNet32(CifarResNet20):
    """ResNet-32 for 32 x 32 colour pictures; 0.46 million parameters."""

    key: ClassVar[str] = "cifar-resnet32"
    description: ClassVar[str] = "ResNet-32 for 32 x 32 colour pictures (He et al. 2016, option A)"
    depth: ClassVar[int] = 32


class CifarResNet44(CifarResNet20):
    """ResNet-44 for 32 x 32 colour pictures; 0.66 million parameters."""

    key: ClassVar[str] = "cifar-resnet44"
    description: ClassVar[str] = "ResNet-44 for 32 x 32 colour pictures (He et al. 2016, option A)"
    depth: ClassVar[int] = 44


class CifarResNet56(CifarResNet20):
    """ResNet-56 for 32 x 32 colour pictures; 0.85 million parameters."""

    key: ClassVar[str] = "cifar-resnet56"
    description: ClassVar[str] = "ResNet-56 for 32 x 32 colour pictures (He et al. 2016, option A)"
    depth: ClassVar[int] = 56


class CifarResNet110(CifarResNet20):
    """ResNet-110 for 32 x 32 colour pictures; 1.7 million parameters."""

    key: ClassVar[str] = "cifar-resnet110"
    description: ClassVar[str] = "ResNet-110 for 32 x 32 colour pictures (He et al. 2016, option A)"
    depth: ClassVar[int] = 110
