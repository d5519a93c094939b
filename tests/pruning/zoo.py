"""Small networks, one for each way in which channels can hang together; the builders' are in it too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import torch
import torch.nn.functional as F
from builders import Attention, Mobile, Padded, Plain, Recurrent, Residual, Tied, loaded
from torch import Tensor, nn
from zoo_sequences import (
    Bert,
    Causal,
    Cells,
    Cross,
    Einsum,
    Encoder,
    Flat,
    Gated,
    GroupedQuery,
    Hub,
    LastState,
    Seq2Seq,
    SequenceFirst,
    Tokens,
)

from explorer.types import LoadedModel
from explorer.types.inputs import tensors_of


class Dense(nn.Module):
    """DenseNet-style: every layer reads all that came before, side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(1, 6, 3, padding=1)
        self.b = nn.Conv2d(6, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(10)
        self.c = nn.Conv2d(10, 4, 3, padding=1)
        self.fc = nn.Linear(14, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.a(x))
        x = torch.cat([x, F.relu(self.b(x))], 1)
        x = torch.cat([x, F.relu(self.c(self.norm(x)))], 1)
        return self.fc(x.mean((2, 3)))


class UNet(nn.Module):
    """Down twice, up twice by transposed convolutions, skips side by side and one added."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Conv2d(1, 6, 3, padding=1)
        self.down1 = nn.Conv2d(6, 8, 3, stride=2, padding=1)
        self.down2 = nn.Conv2d(8, 12, 3, stride=2, padding=1)
        self.up1 = nn.ConvTranspose2d(12, 8, 2, stride=2)
        self.mix = nn.Conv2d(16, 8, 3, padding=1)
        self.up2 = nn.ConvTranspose2d(8, 6, 2, stride=2)
        self.out = nn.Conv2d(6, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        a = F.relu(self.enter(x))
        b = F.relu(self.down1(a))
        c = F.relu(self.up1(F.relu(self.down2(b))))
        c = F.relu(self.mix(torch.cat([b, c], 1)))
        return self.out(a + F.relu(self.up2(c))).mean((2, 3))


class TwoInputs(nn.Module):
    """A picture and a vector; answers in a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 6, 3, padding=1)
        self.side = nn.Linear(5, 6)
        self.mix = nn.Linear(12, 10)
        self.norm = nn.BatchNorm1d(10)
        self.fc = nn.Linear(10, 4)
        self.value = nn.Linear(10, 1)

    def forward(self, x: Tensor, y: Tensor) -> dict[str, Tensor]:
        a = F.relu(self.conv(x)).mean((2, 3))
        b = F.relu(self.norm(self.mix(torch.cat([a, torch.tanh(self.side(y))], dim=1))))
        return {"classes": self.fc(b), "value": self.value(b)}


class Functional(nn.Module):
    """No layers at all: weights are handed to functions."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_weight = nn.Parameter(torch.randn(8, 1, 3, 3) * 0.3)
        self.conv_bias = nn.Parameter(torch.randn(8) * 0.3)
        self.mix_weight = nn.Parameter(torch.randn(8, 4, 3, 3) * 0.2)
        self.up_weight = nn.Parameter(torch.randn(12, 8) * 0.3)
        self.up_bias = nn.Parameter(torch.randn(12))
        self.turned_weight = nn.Parameter(torch.randn(12, 10) * 0.3)
        self.out_weight = nn.Parameter(torch.randn(4, 10))

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(F.conv2d(x, self.conv_weight, self.conv_bias, padding=1))
        x = F.relu(F.conv2d(x, self.mix_weight, None, 1, 1, groups=2))
        x = F.gelu(F.linear(x.mean((2, 3)), self.up_weight, bias=self.up_bias))
        return F.linear(F.relu(x @ self.turned_weight), self.out_weight)


class Norms(nn.Module):
    """Group, instance and layer normalisation, PReLU with a slope for each channel."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(1, 12, 3, padding=1)
        self.group = nn.GroupNorm(4, 12)
        self.b = nn.Conv2d(12, 8, 3, padding=1)
        self.instance = nn.InstanceNorm2d(8, affine=True)
        self.act = nn.PReLU(8)
        self.c = nn.Conv2d(8, 6, 3, padding=1)
        self.bare = nn.GroupNorm(3, 6, affine=False)
        self.up = nn.Linear(6, 10)
        self.layer = nn.LayerNorm(10)
        self.fc = nn.Linear(10, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(self.instance(self.b(F.relu(self.group(self.a(x))))))
        return self.fc(self.layer(self.up(self.bare(self.c(x)).amax((2, 3)))))


class Shuffle(nn.Module):
    """ShuffleNet-style: grouped convolutions with their channels dealt anew in between."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 8, 1)
        self.a = nn.Conv2d(8, 8, 3, padding=1, groups=2)
        self.b = nn.Conv2d(8, 12, 3, padding=1, groups=2)
        self.fc = nn.Linear(12, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.a(F.relu(self.stem(x))))
        x = x.view(x.shape[0], 2, 4, 8, 8).transpose(1, 2).reshape(x.shape[0], 8, 8, 8)
        return self.fc(F.relu(self.b(x)).mean((2, 3)))


class Unflattened(nn.Module):
    """A linear layer whose outputs become channels by nn.Unflatten, then pixels by a pixel shuffle."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Linear(6, 48)
        self.shape = nn.Unflatten(1, (12, 2, 2))
        self.conv = nn.Conv2d(12, 16, 1)
        self.pixels = nn.PixelShuffle(2)
        self.out = nn.Conv2d(4, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.pixels(F.relu(self.conv(self.shape(F.relu(self.enter(x))))))).mean((2, 3))


class Squeeze(nn.Module):
    """Squeeze-and-excitation inside an inverted residual block (MobileNetV3-style)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 6, 3, padding=1)
        self.expand = nn.Conv2d(6, 12, 1)
        self.depth = nn.Conv2d(12, 12, 3, padding=1, groups=12)
        self.squeeze = nn.Conv2d(12, 4, 1)
        self.excite = nn.Conv2d(4, 12, 1)
        self.project = nn.Conv2d(12, 6, 1)
        self.norm = nn.BatchNorm2d(6)
        self.fc = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = F.hardswish(self.stem(x))
        y = F.hardswish(self.depth(F.hardswish(self.expand(x))))
        y = y * torch.sigmoid(self.excite(F.relu(self.squeeze(F.adaptive_avg_pool2d(y, 1)))))
        x = x + self.norm(self.project(y))
        return self.fc(x.mean((2, 3)))


class Deep(nn.Module):
    """Four residual blocks: identity, identity, a projecting one, identity."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 6, 3, padding=1)
        self.one, self.two = Deep.block(6, 6), Deep.block(6, 6)
        self.wider, self.shortcut = Deep.block(6, 8), nn.Conv2d(6, 8, 1)
        self.last = Deep.block(8, 8)
        self.fc = nn.Linear(8, 4)

    @staticmethod
    def block(n_in: int, n_out: int) -> nn.Sequential:
        first = nn.Conv2d(n_in, n_out, 3, padding=1, bias=False)
        second = nn.Conv2d(n_out, n_out, 3, padding=1, bias=False)
        return nn.Sequential(first, nn.BatchNorm2d(n_out), nn.ReLU(), second, nn.BatchNorm2d(n_out))

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem(x))
        x = F.relu(x + self.one(x))
        x = F.relu(x + self.two(x))
        x = F.relu(self.shortcut(x) + self.wider(x))
        return self.fc(F.relu(self.last(x) + x).mean((2, 3)))


class SharedBranches(nn.Module):
    """One convolution is used on two branches, and two linear layers share one weight."""

    def __init__(self) -> None:
        super().__init__()
        self.left = nn.Conv2d(1, 6, 3, padding=1)
        self.right = nn.Conv2d(1, 6, 1)
        self.both = nn.Conv2d(6, 8, 3, padding=1)
        self.first = nn.Linear(8, 8)
        self.second = nn.Linear(8, 8)
        self.second.weight = self.first.weight
        self.fc = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        a, b = self.both(F.relu(self.left(x))), self.both(F.relu(self.right(x)))
        x = (F.relu(a) + F.relu(b)).mean((2, 3))
        return self.fc(F.relu(self.second(F.relu(self.first(x)))))


class TiedHidden(nn.Module):
    """Tokens come in and go out by one weight, with a hidden layer in between."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(9, 6)
        self.up = nn.Linear(6, 10)
        self.down = nn.Linear(10, 6)
        self.out = nn.Linear(6, 9, bias=False)
        self.out.weight = self.embed.weight

    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x.abs().long().clamp_max(8)).mean(1)
        return self.out(self.down(F.relu(self.up(x))))


Build = Callable[[], nn.Module]
ZOO: dict[str, tuple[Build, tuple[tuple[int, ...], ...]]] = {
    "plain": (Plain, ((1, 8, 8),)),
    "residual": (Residual, ((1, 8, 8),)),
    "residual, padded": (Padded, ((1, 8, 8),)),
    "depthwise, grouped": (Mobile, ((1, 8, 8),)),
    "dense blocks": (Dense, ((1, 8, 8),)),
    "u-net": (UNet, ((1, 8, 8),)),
    "two inputs, a dictionary": (TwoInputs, ((1, 8, 8), (5,))),
    "functions": (Functional, ((1, 8, 8),)),
    "norms": (Norms, ((1, 8, 8),)),
    "channel shuffle": (Shuffle, ((1, 8, 8),)),
    "unflatten, pixel shuffle": (Unflattened, ((6,),)),
    "torch attention": (Attention, ((5, 6),)),
    "torch encoder": (Encoder, ((5, 6),)),
    "torch encoder, tokens first": (SequenceFirst, ((5, 6),)),
    "cross attention": (Cross, ((5, 6),)),
    "hub attention": (Bert, ((5, 6),)),
    "grouped queries": (GroupedQuery, ((5, 6),)),
    "hub attention, open shapes": (Hub, ((5, 6),)),
    "heads within the batch": (Flat, ((5, 6),)),
    "causal": (Causal, ((5, 6),)),
    "gated": (Gated, ((5, 6),)),
    "einsum attention": (Einsum, ((5, 6),)),
    "lstm, two ways": (Recurrent, ((6,),)),
    "gru, last state": (LastState, ((5, 6),)),
    "states handed on": (Seq2Seq, ((5, 6),)),
    "cells": (Cells, ((5, 6),)),
    "squeeze and excite": (Squeeze, ((1, 8, 8),)),
    "residual blocks": (Deep, ((1, 8, 8),)),
    "shared weights": (SharedBranches, ((1, 8, 8),)),
    "tied weights": (Tied, ((3,),)),
    "tied, hidden": (TiedHidden, ((3,),)),
    "tokens": (Tokens, ((5, 6),)),
}


@cache
def model_of(name: str) -> LoadedModel:
    """A network of the zoo with weights of chance; its example is a tuple where it takes several inputs."""
    build, shapes = ZOO[name]
    torch.manual_seed(0)
    model = loaded(build(), *shapes[0])
    if len(shapes) == 1:
        return model
    return replace(model, example=tuple(torch.randn(1, *shape) for shape in shapes))  # type: ignore[arg-type]


def inputs_for(model: LoadedModel, n: int = 16) -> tuple[Tensor, ...]:
    """``n`` samples of chance in the shape of the example."""
    generator = torch.Generator().manual_seed(5)
    example = () if model.example is None else tensors_of(model.example).values()
    return tuple(torch.randn(n, *x.shape[1:], generator=generator) for x in example)
