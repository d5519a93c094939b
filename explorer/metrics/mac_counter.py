"""Sees every matrix product of a forward pass and finds the weight behind it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from explorer.types.aliases import CallArguments, GraphValue, NamedArguments
from explorer.types.stopping import check

# What a rule answers: the operands that may be a weight, the MACs of the product, and those that are not surely zero.
Product = tuple[tuple[Tensor, ...], int, Callable[[], int] | None]
aten = torch.ops.aten


def _mm(a: Tensor, b: Tensor) -> list[Product]:
    return [((b, a), a.numel() * b.shape[-1], lambda: _alive(a, b))]


def _mv(a: Tensor, b: Tensor) -> list[Product]:
    return [((a, b), a.numel(), None)]


def _alive(a: Tensor, b: Tensor) -> int:
    """MACs of (..., m, k) @ (..., k, n) once every slice that holds nothing but zeros is cut out."""
    left, right = a != 0, b != 0
    rows, columns = left.any(-1).sum(-1), right.any(-2).sum(-1)
    inner = (left.any(-2) & right.any(-1)).sum(-1)
    return int((rows * inner * columns).sum())


def _convolution(out: Tensor, x: Tensor, weight: Tensor, transposed: bool) -> list[Product]:
    # A transposed convolution spreads each input value, a plain one gathers for each output value.
    spread = x if transposed else out
    return [((weight,), spread.numel() * math.prod(weight.shape[1:]), None)]


def _rnn_layer(x: Tensor, weight_ih: Tensor, weight_hh: Tensor) -> list[Product]:
    n_steps = x.numel() // x.shape[-1]
    return [((w,), n_steps * w.numel(), None) for w in (weight_ih, weight_hh)]


def _attention(q: Tensor, k: Tensor, v: Tensor) -> list[Product]:
    n_pairs = q.numel() // q.shape[-1] * k.shape[-2]
    # The kernel keeps its attention weights to itself; none of them is zero for certain.
    weights = q.new_ones(()).expand(*q.shape[:-1], k.shape[-2])
    ways = [(n_pairs * q.shape[-1], q, k.mT), (n_pairs * v.shape[-1], weights, v)]
    same = q.shape[:-2] == k.shape[:-2]
    return [((), n, partial(_alive, a, b) if same else None) for n, a, b in ways]


Rule = Callable[[Any, Sequence[Any]], list[Product]]
_RULES: dict[Any, Rule] = {
    aten.mm: lambda out, a: _mm(a[0], a[1]),
    aten.addmm: lambda out, a: _mm(a[1], a[2]),
    aten.bmm: lambda out, a: _mm(a[0], a[1]),
    aten.baddbmm: lambda out, a: _mm(a[1], a[2]),
    aten.addbmm: lambda out, a: _mm(a[1], a[2]),
    aten.mv: lambda out, a: _mv(a[0], a[1]),
    aten.addmv: lambda out, a: _mv(a[1], a[2]),
    aten.dot: lambda out, a: _mv(a[0], a[1]),
    aten.linear: lambda out, a: _mm(a[0], a[1].mT),
    aten.convolution: lambda out, a: _convolution(out, a[0], a[1], a[6]),
    aten.mkldnn_rnn_layer: lambda out, a: _rnn_layer(a[0], a[1], a[2]),
    # One product with the weight for each pair of inputs; scaling by the second input is left out.
    aten._trilinear: lambda out, a: [((a[1],), a[0].shape[0] * a[1].numel(), None)],
}
for _name in ("flash_attention_for_cpu", "flash_attention", "efficient_attention", "cudnn_attention"):
    _RULES[getattr(aten, f"_scaled_dot_product_{_name}")] = lambda out, a: _attention(a[0], a[1], a[2])


@dataclass(frozen=True)
class _Home:
    """Where in its storage a parameter lies. ``derived`` tensors are computed from it (weight norm, ...)."""

    name: str
    tensor: Tensor
    derived: bool = False

    def holds(self, other: Tensor) -> bool:
        return 0 <= other.storage_offset() - self.tensor.storage_offset() < self.tensor.numel()


class MacCounter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While it is on, in this thread only, it adds up how often each weight is multiplied.

    ``fixed``: MACs between activations; ``alive``: those of them that no slice of zeros makes needless.
    """

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing is compiled here: torch would import its compiler, for seconds, only to keep it off."""
        return False

    def __init__(self, parameters: Mapping[str, Tensor], constants: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.fixed = self.alive = 0
        self._whole: dict[str, int] = {}
        self._parts: dict[str, Tensor] = {}
        self._homes: dict[int, list[_Home]] = {}
        # Held, because a freed storage's address could be given to an activation.
        self._held: list[Tensor] = []
        self._constants = {_storage(t) for t in constants}
        for name, tensor in parameters.items():
            self._homes.setdefault(_storage(tensor), []).append(_Home(name, tensor))

    def __torch_dispatch__(
        self, func: Any, types: object, args: CallArguments = (), kwargs: NamedArguments | None = None
    ) -> GraphValue:
        check()
        out = func(*args, **(kwargs or {}))
        rule = _RULES.get(func.overloadpacket)
        if rule is None:
            self._follow([*args, *(kwargs or {}).values()], out)
            return out
        for product in rule(out, args):
            self._count(*product)
        return out

    def uses(self) -> dict[str, int | Tensor]:
        """Multiplications of each weight: one number a tensor, or a tensor where its parts differ."""
        counts: dict[str, int | Tensor] = dict(self._whole)
        for name, part in self._parts.items():
            total = part + self._whole.get(name, 0)
            first = int(total.flatten()[0])
            counts[name] = first if bool((total == first).all()) else total
        return counts

    def _count(self, operands: Sequence[Tensor], n_macs: int, alive: Callable[[], int] | None) -> None:
        for operand in operands:
            if (home := self._home(operand)) is not None:
                self._credit(home, operand, n_macs)
                return
        self.fixed += n_macs
        self.alive += n_macs if alive is None else alive()

    def _credit(self, home: _Home, view: Tensor, n_macs: int) -> None:
        """Each distinct weight of the view is multiplied equally often, repeated (expanded) ones more."""
        repeated = [stride == 0 for stride in view.stride()]
        sizes = [1 if again else size for size, again in zip(view.shape, repeated, strict=True)]
        n_distinct = math.prod(sizes)
        if home.derived or n_distinct >= home.tensor.numel():
            self._whole[home.name] = self._whole.get(home.name, 0) + n_macs // max(1, home.tensor.numel())
            return
        counts = self._parts.setdefault(home.name, _zeros_like(home.tensor))
        offset = view.storage_offset() - home.tensor.storage_offset()
        counts.as_strided(sizes, view.stride(), offset).add_(n_macs // max(1, n_distinct))

    def _home(self, tensor: Tensor) -> _Home | None:
        return next((home for home in self._homes.get(_storage(tensor), ()) if home.holds(tensor)), None)

    def _is_known(self, tensor: Tensor) -> bool:
        return _storage(tensor) in self._homes or _storage(tensor) in self._constants

    def _follow(self, inputs: Sequence[object], out: object) -> None:
        """A tensor computed from one whole parameter and constants alone still stands for that parameter."""
        tensors = [t for t in tree_leaves(inputs) if isinstance(t, Tensor)]
        homes = [self._home(t) for t in tensors]
        if not any(homes) or not all(map(self._is_known, tensors)):
            return
        for tensor in (t for t in tree_leaves(out) if isinstance(t, Tensor) and not self._is_known(t)):
            source = next((home for home in homes if home and home.tensor.numel() == tensor.numel()), None)
            self._held.append(tensor)
            if source is None:
                self._constants.add(_storage(tensor))
            else:
                self._homes[_storage(tensor)] = [_Home(source.name, tensor, derived=True)]


def _storage(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


def _zeros_like(tensor: Tensor) -> Tensor:
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=torch.int64).zero_()
