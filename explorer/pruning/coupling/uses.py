"""Which channels each parameter's slices belong to, collected while labels run through a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from explorer.pruning.coupling.labels import FROZEN, Labels, constant_along

Role = Literal["scored", "follows", "consumes"]


@dataclass(frozen=True, eq=False)
class Use:
    """The slices of ``parameter`` along ``dim`` belong to the channels ``labels``, one a slice."""

    parameter: str
    dim: int
    labels: Tensor
    role: Role


@dataclass(frozen=True, eq=False)
class _Piece:
    """A slice of a parameter that the network takes before it uses it."""

    tensor: Tensor
    whole: Tensor
    index: slice


class Uses:
    """Every use so far, and the names of the parameters (and statistics) by the id of their tensor."""

    def __init__(self, labels: Labels, names: Mapping[int, str]) -> None:
        self.labels = labels
        self.names = names
        self.all: list[Use] = []
        self._pieces: dict[int, _Piece] = {}
        self._views: dict[int, tuple[Tensor, Tensor]] = {}

    def knows(self, parameter: object) -> bool:
        """Whether this is a parameter of the model, or a slice of one."""
        return isinstance(parameter, Tensor) and (id(parameter) in self.names or id(parameter) in self._pieces)

    def add(self, parameter: Tensor | None, dim: int, labels: Tensor, role: Role) -> None:
        """Note a use; parameters that are not the model's own are left out."""
        if parameter is not None and id(parameter) in self.names:
            self.all.append(Use(self.names[id(parameter)], dim, labels, role))

    def rows(self, weight: Tensor, bias: Tensor | None, dim: int, n: int) -> Tensor:
        """Labels for a layer's output channels; a layer that is called twice makes the same ones."""
        piece = self._pieces.get(id(weight))
        if piece is not None:
            labels = self.rows(piece.whole, None, 0, piece.whole.shape[0])[piece.index]
        else:
            existing = self._find(weight, dim, "scored")
            labels = self.labels.fresh(n) if existing is None else existing
            if existing is None:
                self.add(weight, dim, labels, "scored")
        self.follow(bias, 0, labels)
        return labels

    def columns(self, weight: Tensor, dim: int, labels: Tensor) -> None:
        """A layer reads these channels; called twice, its columns tie both inputs together."""
        piece = self._pieces.get(id(weight))
        weight = weight if piece is None else piece.whole
        existing = self._find(weight, dim, "consumes")
        if existing is None:
            self.add(weight, dim, labels, "consumes")
        else:
            self.labels.join(existing, labels, "read by one shared layer")

    def follow(self, parameter: Tensor | None, dim: int, labels: Tensor) -> None:
        """A bias or scale goes with these channels; called twice, both must agree."""
        piece = self._pieces.get(id(parameter))
        if parameter is None or not (piece or id(parameter) in self.names):
            return
        if piece is not None and dim == 0:
            existing = self._find(piece.whole, 0, "follows")
            whole = self.labels.fresh(piece.whole.shape[0]) if existing is None else existing
            if existing is None:
                self.add(piece.whole, 0, whole, "follows")
            self.labels.join(whole[piece.index], labels, "one parameter")
            return
        parameter = parameter if piece is None else piece.whole
        existing = self._find(parameter, dim, "follows")
        if existing is None:
            self.add(parameter, dim, labels, "follows")
        elif existing is not labels:
            self.labels.join(existing, labels, "one parameter")

    def slice_of(self, whole: Tensor, index: slice, piece: Tensor) -> tuple[Tensor, Tensor]:
        """Remember that ``piece`` is ``whole[index]``; labels of the shape of both, for whoever cuts."""
        self._pieces[id(piece)] = _Piece(piece, whole, index)
        if whole.dim() > 1:
            rows = self.rows(whole, None, 0, whole.shape[0])
        else:
            existing = self._find(whole, 0, "follows")
            rows = self.labels.fresh(whole.shape[0]) if existing is None else existing
            if existing is None:
                self.add(whole, 0, rows, "follows")
        labels = rows.reshape(-1, *[1] * (whole.dim() - 1)).expand(whole.shape)
        return labels, labels[index]

    def view_of(self, whole: Tensor, piece: Tensor) -> None:
        """Remember that ``piece`` is a part of ``whole`` with as many dimensions."""
        if piece.dim() == whole.dim():
            self._views[id(piece)] = (piece, whole)

    def constant(self, x: Tensor, constant: Tensor) -> None:
        """A parameter that is added or multiplied shrinks with the one dimension that holds channels."""
        full = x + torch.zeros(constant.shape, dtype=x.dtype)
        lead = full.dim() - constant.dim()
        holds = [d for d in range(constant.dim()) if constant.shape[d] > 1 and constant_along(full, [d + lead]) is None]
        if not holds:
            return
        others = [d for d in range(full.dim()) if d != holds[0] + lead]
        vector = constant_along(full, others)
        whole = self._views.get(id(constant), (constant, constant))[1]
        if whole.shape[holds[0]] == constant.shape[holds[0]]:
            constant = whole
        if vector is not None and self.knows(constant):
            self.follow(constant, holds[0], vector)
        elif bool((self.labels.roots(x) > FROZEN).any()):
            self.labels.freeze(x, "combined with numbers that cannot shrink with it")

    def _find(self, parameter: Tensor, dim: int, role: Role) -> Tensor | None:
        name = self.names.get(id(parameter))
        matches = (use.labels for use in self.all if (use.parameter, use.dim, use.role) == (name, dim, role))
        return next(matches, None)
