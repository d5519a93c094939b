"""Fully connected layers on the 64 pixels of a digit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from explorer.params import param


class Mlp(nn.Module):
    """fc1 - ReLU - fc2 - ReLU - fc3 on flattened pixels."""

    def __init__(self, hidden1: int, hidden2: int, n_classes: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(64, hidden1)
        self.fc2 = nn.Linear(hidden1, hidden2)
        self.fc3 = nn.Linear(hidden2, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """(n, 1, 8, 8) -> (n, n_classes) logits."""
        out: Tensor = self.fc1(x.flatten(1)).relu()
        out = self.fc2(out).relu()
        out = self.fc3(out)
        return out


@dataclass(frozen=True)
class DigitsMlp:
    """Three fully connected layers: the smallest model that shows what a threshold does."""

    key: ClassVar[str] = "digits-mlp"
    description: ClassVar[str] = "Three fully connected layers for 8 x 8 digits"
    input_shape: ClassVar[tuple[int, ...]] = (1, 8, 8)
    mean: ClassVar[tuple[float, ...]] = (0.3053,)
    std: ClassVar[tuple[float, ...]] = (0.3761,)
    hidden1: int = param(256, "Units in the first layer", low=1, high=4096)
    hidden2: int = param(128, "Units in the second layer", low=1, high=4096)
    n_classes: int = param(10, "Classes", low=2, high=1000)

    def build(self) -> nn.Module:
        """A new multilayer perceptron; (n, 1, 8, 8) -> (n, n_classes)."""
        return Mlp(self.hidden1, self.hidden2, self.n_classes)
