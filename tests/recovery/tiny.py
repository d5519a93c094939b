"""Networks and data small enough to be trained in a blink."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from explorer.pruning.spec import PruneSpec
from explorer.recovery.state import State
from explorer.types import Dataset, LoadedModel, Split
from tests.pruning.builders import loaded


class Two(nn.Module):
    """Two fully connected layers with tanh between, and optional dropout."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.fc1 = nn.Linear(6, 10)
        self.drop = nn.Dropout(dropout)
        self.fc2 = nn.Linear(10, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.drop(torch.tanh(self.fc1(x))))


class Normed(nn.Module):
    """A linear layer, batch norm, and a classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(6, 5)
        self.norm = nn.BatchNorm1d(5)
        self.fc2 = nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(torch.relu(self.norm(self.fc1(x))))


def two(dropout: float = 0.0) -> LoadedModel:
    torch.manual_seed(0)
    return loaded(Two(dropout), 6, n_classes=3)


def normed() -> LoadedModel:
    torch.manual_seed(0)
    return loaded(Normed(), 6, n_classes=3)


def flowers(n: int = 60, seed: int = 0) -> Dataset:
    """Three clouds of points, one a class; fit, tune and test alike."""
    generator = torch.Generator().manual_seed(seed)
    splits = {}
    for name in ("fit", "tune", "test"):
        y = torch.arange(n) % 3
        x = torch.randn(n, 6, generator=generator) + 2.0 * nn.functional.one_hot(y, 6)
        splits[name] = Split(name, x, y)  # type: ignore[arg-type]
    return Dataset("clouds", splits, ("a", "b", "c"), f"clouds-{n}-{seed}")


def half(level: float = 0.5) -> PruneSpec:
    return PruneSpec("weight", "lp_norm", f"global:sparsity={level}")  # type: ignore[arg-type]


def copies(model: LoadedModel) -> dict[str, Tensor]:
    assert model.module is not None
    return {name: tensor.clone() for name, tensor in model.module.state_dict().items()}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def at_start(model: LoadedModel) -> State:
    return State(model, model)
