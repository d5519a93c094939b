"""Small networks with samples of their own, to score units by."""

from __future__ import annotations

import copy
from dataclasses import replace

import torch
from builders import loaded
from torch import Tensor, nn

from explorer.types import Dataset, LoadedModel, Split, tensors_digest


class Sequence(nn.Module):
    """A GRU whose last state is classified."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(4, 6, batch_first=True)
        self.fc = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.gru(x)[0][:, -1])


class Perceptron(nn.Module):
    """Two linear layers around a ReLU: small enough to take the loss's derivatives number by number."""

    def __init__(self, n_classes: int = 3) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(5, 4), nn.Linear(4, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.b(torch.relu(self.a(x)))


def seeded(build: type[nn.Module], *input_shape: int) -> LoadedModel:
    """The same weights every time, and another generator than other tests use."""
    with torch.random.fork_rng():
        torch.manual_seed(11)
        return loaded(build(), *input_shape)


def doubled(model: LoadedModel) -> LoadedModel:
    """The same model in double precision."""
    module = copy.deepcopy(model.module).double()
    weights = dict(module.named_parameters())
    example = None if model.example is None else model.example.double()
    return replace(model, module=module, weights=weights, digest=tensors_digest(weights), example=example)


def samples(model: LoadedModel, n: int = 24, n_classes: int = 4, seed: int = 5) -> Dataset:
    """Random inputs with random labels, as a dataset with a fit split."""
    generator = torch.Generator().manual_seed(seed)
    example = model.example
    x = torch.randn(n, *example.shape[1:], generator=generator, dtype=torch.float64).to(example.dtype)
    y = torch.randint(0, n_classes, (n,), generator=generator)
    return Dataset("tiny", {"fit": Split("fit", x, y)}, tuple("abcd"), f"digest of tiny {seed}")
