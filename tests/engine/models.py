"""Tiny models of every kind that the engine must run, with data and plans for them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.types import Inputs, InputSet, LayerTable, LoadedModel, Plan, Split, tensors_digest
from explorer.types.inputs import call, cloned

N_CLASSES = 5


class Residual(nn.Module):
    """Convolutions, batch norm, an in-place sum, in-place ReLU and a view."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU(inplace=True))
        self.conv1, self.bn1 = nn.Conv2d(6, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.conv2, self.bn2 = nn.Conv2d(6, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6)
        self.down = nn.Sequential(nn.Conv2d(6, 8, 1, stride=2), nn.BatchNorm2d(8))
        self.conv3, self.bn3 = nn.Conv2d(6, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8)
        self.head = nn.Linear(8 * 16, N_CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        y = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.bn2(self.conv2(y))
        y += x
        x = torch.relu_(y)
        x = (self.bn3(self.conv3(x)) + self.down(x)).relu_()
        return self.head(x.view(x.size(0), -1))


class Mlp(nn.Module):
    """Fully connected, with one weight used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(64, 32), nn.Linear(32, 32), nn.Linear(32, N_CLASSES)
        self.third = nn.Linear(32, 32)
        self.third.weight = self.second.weight

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.first(x.flatten(1)))
        return self.last(torch.tanh(self.third(torch.relu(self.second(x)))))


class Recurrent(nn.Module):
    """Rows as time steps."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(8, 12, num_layers=2, batch_first=True)
        self.head = nn.Linear(12, N_CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.gru(x.squeeze(1))
        return self.head(out[:, -1])


class Attention(nn.Module):
    """Patches with a class token, a learned position and self-attention."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(16, 12)
        self.token = nn.Parameter(torch.randn(1, 1, 12))
        self.position = nn.Parameter(torch.randn(1, 5, 12))
        self.norm = nn.LayerNorm(12)
        self.attention = nn.MultiheadAttention(12, 3, batch_first=True)
        self.head = nn.Linear(12, N_CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x.reshape(x.shape[0], 4, 16))
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], dim=1) + self.position
        y = self.norm(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        return self.head(x[:, 0])


class Branching(nn.Module):
    """A part whose path depends on the numbers: that part cannot be taken apart, the rest can."""

    class Part(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(32, 32)

        def forward(self, x: Tensor) -> Tensor:
            y = self.linear(x)
            x.mul_(0)  # a nuisance: writes to its own input
            return y if y.sum() > 0 else -y

    def __init__(self) -> None:
        super().__init__()
        self.first, self.part, self.last = nn.Linear(64, 32), Branching.Part(), nn.Linear(32, N_CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.part(torch.relu(self.first(x.flatten(1)))))


class Stubborn(nn.Module):
    """Nothing of it can be taken apart."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(64, 32), nn.Linear(32, N_CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.first(x.flatten(1)))
        return self.last(x) if x.sum() > 0 else self.last(-x)


class Pair(nn.Module):
    """Two inputs of different kinds, by position; it asks for their shapes."""

    def __init__(self) -> None:
        super().__init__()
        self.picture, self.numbers = nn.Conv2d(1, 4, 3, padding=1), nn.Linear(7, 64)
        self.middle, self.last = nn.Linear(4 * 64 + 64, 32), nn.Linear(32, N_CLASSES)

    def forward(self, picture: Tensor, numbers: Tensor, scale: float = 1.0) -> Tensor:
        assert picture.shape[1] == 1, "grey pictures"
        if numbers.dim() == 3:
            numbers = numbers.squeeze(1)
        n, *rest = picture.shape
        x = torch.relu(self.picture(picture)).view(n, 4 * rest[1] * rest[2])
        x = torch.cat([x, torch.relu(self.numbers(numbers))], dim=1)
        return self.last(torch.relu(self.middle(x))) * scale


class Words(nn.Module):
    """Words with a mask, by name, and an option that nobody gives."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.query, self.value = nn.Embedding(20, 12), nn.Linear(12, 12), nn.Linear(12, 12)
        self.last = nn.Linear(12, N_CLASSES)

    def forward(self, ids: Tensor, mask: Tensor | None = None, bias: Tensor | None = None) -> Tensor:
        x = self.embed(ids)
        heads = (*x.shape[:-1], 3, 4)
        query, value = (layer(x).view(heads).transpose(1, 2) for layer in (self.query, self.value))
        scores = query @ query.transpose(-1, -2)
        if mask is not None:
            scores = scores.masked_fill(mask[:, None, None, :] == 0, -1e9)
        if bias is not None:
            scores = scores + bias
        x = (scores.softmax(-1) @ value).transpose(1, 2).reshape(x.shape)
        return self.last(x[:, 0])


SEVERAL: dict[str, Callable[[], nn.Module]] = {"pair": Pair, "words": Words}
MODELS: dict[str, Callable[[], nn.Module]] = {
    "residual": Residual,
    "mlp": Mlp,
    "recurrent": Recurrent,
    "attention": Attention,
    "branching": Branching,
    "stubborn": Stubborn,
}


def load(name: str) -> LoadedModel:
    """One of the models, seeded, with batch-norm statistics that are not trivial."""
    torch.manual_seed(sum(map(ord, name)))
    module = {**MODELS, **SEVERAL}[name]()
    module.train()
    with torch.no_grad():
        for _ in range(3):
            call(module, samples(name, 64, seed=None))
    module.eval()
    weights = {key: p.detach() for key, p in module.named_parameters()}
    return LoadedModel(name, module, weights, tensors_digest(weights), samples(name, 1), N_CLASSES)


def samples(name: str, n: int, *, seed: int | None = 7) -> Inputs:
    """Random inputs that the model takes."""
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    if name == "words":
        ids = torch.randint(1, 20, (n, 6), generator=generator)
        return InputSet(named={"ids": ids, "mask": (ids > 4) | (torch.arange(6) == 0)})
    pictures = torch.randn(n, 1, 8, 8, generator=generator)
    return InputSet((pictures, torch.randn(n, 7, generator=generator))) if name == "pair" else pictures


def split(model: LoadedModel, n: int = 300, *, labelled: bool = True) -> Split:
    """Random samples, labelled by the dense model itself, but wrongly for every seventh."""
    x = samples(model.address, n)
    y = plain_logits(model, None, x).argmax(dim=1)
    y[::7] = (y[::7] + 1) % N_CLASSES
    return Split("tune", x, y if labelled else None)


def plan(model: LoadedModel, sparsity: float, only: str | None = None) -> Plan:
    """Cut the smallest weights of each matrix (or of one parameter alone)."""
    masks = {}
    for name, weight in model.weights.items():
        if weight.dim() > 1 and only in (None, name):
            cut = weight.abs().flatten().sort().values[int(sparsity * (weight.numel() - 1))]
            masks[name] = weight.abs() > cut if sparsity else torch.ones_like(weight, dtype=torch.bool)
    digest = tensors_digest({k: m.byte() for k, m in masks.items()})
    return Plan({}, (), masks, LayerTable(()), sparsity, digest)


def plain_logits(model: LoadedModel, pruned: Plan | None, x: Inputs) -> Tensor:
    """The oracle: a fresh module with masked weights loaded, run on all samples at once."""
    module = {**MODELS, **SEVERAL}[model.address]().eval()
    assert model.module is not None
    module.load_state_dict(model.module.state_dict())
    with torch.no_grad():
        for name, mask in (pruned.masks if pruned else {}).items():
            module.get_parameter(name).mul_(mask)
        return torch.cat([call(module, cloned(x[at : at + 64])) for at in range(0, len(x), 64)])
