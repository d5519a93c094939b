"""What each weight of a network was multiplied by: the inputs of linear, convolutional and recurrent layers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.pruning.evidence.recurrent import CELLS, SEQUENCES, read_by_cell, read_by_layers
from explorer.pruning.evidence.watching import Watch, argument
from explorer.types.aliases import CallArguments, GraphValue, NamedArguments
from explorer.types.operators import Rule, named
from explorer.types.stopping import check

_CONVOLUTIONS = named(Rule.CONVOLUTION)
_TRANSPOSED = named(Rule.TRANSPOSED)
_PRODUCTS = {"matmul": (0, 1), "__matmul__": (0, 1), "mm": (0, 1), "addmm": (1, 2)}  # places of inputs and weight
_PATCHES = 1 << 23  # numbers of a convolution's patches that are held at once


@dataclass(frozen=True, eq=False)
class Rows:
    """(..., columns) inputs of a matrix of weights: (rows, columns), or (columns, rows) where it is ``turned``."""

    x: Tensor
    turned: bool = False

    def squares(self) -> Tensor:
        """The sum of squares of each input, in a shape that spreads to the weight's."""
        sums = self.x.reshape(-1, self.x.shape[-1]).square().sum(dim=0, dtype=torch.float64)
        return sums[:, None] if self.turned else sums[None]

    def products(self) -> Tensor:
        """(1, columns, columns): the sums of products of all pairs of inputs."""
        rows = self.x.reshape(-1, self.x.shape[-1])
        sums = rows.new_zeros(1, rows.shape[1], rows.shape[1], dtype=torch.float64)
        for part in torch.split(rows, max(1, _PATCHES // max(1, rows.shape[1]))):
            check()
            sums += part.T @ part
        return sums

    @property
    def n_columns(self) -> int:
        """How many inputs each output reads."""
        return self.x.shape[-1]


@dataclass(frozen=True, eq=False)
class Patches:
    """(n, channels, *places) inputs of a convolution: each output reads one patch of them."""

    x: Tensor
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]
    groups: int

    def squares(self) -> Tensor:
        """The sum of squares of each input of a patch: (groups, channels of a group, *kernel)."""
        total = self.x.square().sum(dim=0, dtype=torch.float64, keepdim=True)
        sums = torch.stack([seen.sum(dim=-1)[0] for seen in self._slices(total)], dim=-1)
        return sums.reshape(self.groups, -1, *self.kernel)

    def products(self) -> Tensor:
        """(groups, columns, columns); a column is an input of a patch, channel by channel as weights lie."""
        sums = self.x.new_zeros(self.groups, self.n_columns, self.n_columns, dtype=torch.float64)
        for part in torch.split(self.x, max(1, _PATCHES // max(1, self.x[0].numel() * prod(self.kernel)))):
            check()
            patches = torch.stack(list(self._slices(part)), dim=2)  # (n, channels, kernel, places)
            by_group = patches.reshape(len(part), self.groups, self.n_columns, -1).transpose(0, 1)
            columns = by_group.transpose(1, 2).reshape(self.groups, self.n_columns, -1)
            sums += columns @ columns.transpose(1, 2)
        return sums

    @property
    def n_columns(self) -> int:
        """How many inputs each output reads."""
        return self.x.shape[1] // self.groups * prod(self.kernel)

    def _offsets(self) -> Iterator[tuple[int, ...]]:
        return product(*(range(size) for size in self.kernel))

    def _slices(self, x: Tensor) -> Iterator[Tensor]:
        """(n, channels, places) for each place of the kernel: what it meets as the kernel moves."""
        padded = F.pad(x, [side for sides in reversed(self.padding) for side in sides])
        sizes = padded.shape[2:]
        steps = [
            (size - d * (k - 1) - 1) // s + 1
            for size, k, s, d in zip(sizes, self.kernel, self.stride, self.dilation, strict=True)
        ]
        for offset in self._offsets():
            where = tuple(
                slice(o * d, o * d + s * (n - 1) + 1, s)
                for o, s, d, n in zip(offset, self.stride, self.dilation, steps, strict=True)
            )
            yield padded[(slice(None), slice(None), *where)].flatten(2)


@dataclass(frozen=True, eq=False)
class Spread:
    """(n, channels, *places) inputs of a transposed convolution: each goes to a patch of outputs."""

    x: Tensor

    def squares(self) -> Tensor:
        """The sum of squares of each channel, (channels, 1, 1, ...): the border's cut is left out of account."""
        sums = self.x.square().sum(dim=[d for d in range(self.x.dim()) if d != 1], dtype=torch.float64)
        return sums.reshape(-1, *[1] * (self.x.dim() - 1))


Inputs = Rows | Patches | Spread


class InputWatch(Watch):
    """Tells ``found(parameter, inputs)`` what each weight was multiplied by, and ``partly`` which are used in parts."""

    @abstractmethod
    def found(self, parameter: str, inputs: Inputs) -> None:
        """This weight was multiplied by these inputs."""

    @abstractmethod
    def partly(self, parameter: str) -> None:
        """Only a part of this weight was taken: what each of its numbers is multiplied by cannot be told."""

    def saw(self, name: str, args: CallArguments, kwargs: NamedArguments, out: object) -> None:
        for weight, inputs in _read(name, args, kwargs):
            parameter = self.name_of(weight)
            if parameter is not None:
                self.found(parameter, inputs)
        if name == "__getitem__" and (whole := self.name_of(args[0])) is not None and args[0].dim() > 1:
            self.partly(whole)


def _read(name: str, args: CallArguments, kwargs: NamedArguments) -> Iterator[tuple[Any, Inputs]]:
    """(weight, what it was multiplied by) for each weight that a call of a torch function reads."""
    if name == "linear":
        yield argument(args, kwargs, 1, "weight"), Rows(argument(args, kwargs, 0, "input"))
    elif name in _PRODUCTS and len(args) > _PRODUCTS[name][1]:
        x, weight = (args[place] for place in _PRODUCTS[name])
        if isinstance(weight, Tensor) and weight.dim() == 2 and isinstance(x, Tensor):
            yield weight, Rows(x, turned=True)
    elif name in _CONVOLUTIONS:
        yield _convolution(args, kwargs)
    elif name in _TRANSPOSED:
        x, weight = argument(args, kwargs, 0, "input"), argument(args, kwargs, 1, "weight")
        yield weight, Spread(x if x.dim() == weight.dim() else x[None])
    elif name in SEQUENCES:
        yield from ((weight, Rows(x)) for weight, x in read_by_layers(name, args))
    elif name in CELLS:
        yield from ((weight, Rows(x)) for weight, x in read_by_cell(name, args))


def _convolution(args: CallArguments, kwargs: NamedArguments) -> tuple[Tensor, Patches]:
    x, weight = argument(args, kwargs, 0, "input"), argument(args, kwargs, 1, "weight")
    kernel = tuple(weight.shape[2:])
    stride, dilation = (
        _each(argument(args, kwargs, place, name, 1), len(kernel)) for place, name in ((3, "stride"), (5, "dilation"))
    )
    padding = argument(args, kwargs, 4, "padding", 0)
    if padding == "same":  # torch puts the odd one at the end
        totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        sides = tuple((total // 2, total - total // 2) for total in totals)
    else:
        sides = tuple((p, p) for p in _each(0 if padding == "valid" else padding, len(kernel)))
    batch = x if x.dim() == weight.dim() else x[None]
    return weight, Patches(batch, kernel, stride, sides, dilation, int(argument(args, kwargs, 6, "groups", 1)))


def _each(value: GraphValue, n: int) -> tuple[int, ...]:
    numbers = [int(v) for v in value] if isinstance(value, tuple | list) else [int(value)]
    return tuple(numbers * n if len(numbers) == 1 else numbers)
