"""Which channels each parameter's slices belong to, collected while labels run through a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from explorer.pruning.coupling.derived import Derived, derived
from explorer.pruning.coupling.labels import Labels
from explorer.pruning.coupling.views import FROZEN, broadcast, distinct, frozen, varying
from explorer.types.aliases import CallArguments, NamedArguments, Operation

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
        self._first: dict[tuple[str, int, Role], Use] = {}
        self._pieces: dict[int, _Piece] = {}
        self._derived: dict[int, Derived] = {}

    def knows(self, parameter: object) -> bool:
        """Whether this is a parameter of the model, or a slice of one."""
        return isinstance(parameter, Tensor) and (id(parameter) in self.names or id(parameter) in self._pieces)

    def is_derived(self, numbers: object) -> bool:
        """Whether these numbers were moved out of one parameter of the model."""
        return id(numbers) in self._derived

    def add(self, parameter: Tensor | None, dim: int, labels: Tensor, role: Role) -> None:
        """Note a use; parameters that are not the model's own are left out."""
        if parameter is not None and id(parameter) in self.names:
            use = Use(self.names[id(parameter)], dim, labels, role)
            self.all.append(use)
            self._first.setdefault((use.parameter, dim, role), use)

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
        looked_up = self._find(weight, dim, "follows")
        if looked_up is not None:
            self.labels.join(looked_up, labels, "one parameter")

    def follow(self, parameter: Tensor | None, dim: int, labels: Tensor) -> None:
        """A bias or scale goes with these channels; called twice, both must agree."""
        if parameter is None:
            return
        piece, origin = self._pieces.get(id(parameter)), self._derived.get(id(parameter))
        if piece is None and id(parameter) not in self.names:
            own = None if origin is None else origin.dim_along(dim)
            if origin is not None and own is not None:
                self.follow(origin.whole, own, labels)
            return
        if piece is not None and dim == 0:
            self.labels.join(self.own(piece.whole, 0)[piece.index], labels, "one parameter")
            return
        parameter = parameter if piece is None else piece.whole
        existing = self._find(parameter, dim, "follows")
        if existing is None:
            self.add(parameter, dim, labels, "follows")
        elif existing is not labels:
            self.labels.join(existing, labels, "one parameter")

    def own(self, parameter: Tensor, dim: int) -> Tensor:
        """Labels of the slices of a parameter that is data by itself: those that it has, or fresh ones."""
        labels = self._find(parameter, dim, "follows")
        if id(parameter) not in self.names:
            return frozen((parameter.shape[dim],))
        if labels is None:
            labels = self.labels.fresh(parameter.shape[dim])
            self.add(parameter, dim, labels, "follows")
            read = self._find(parameter, dim, "consumes")
            if read is not None:
                self.labels.join(read, labels, "one parameter")
        return labels

    def slice_of(self, whole: Tensor, index: slice, piece: Tensor) -> tuple[Tensor, Tensor]:
        """Remember that ``piece`` is ``whole[index]``; labels of the shape of both, for whoever cuts."""
        self._pieces[id(piece)] = _Piece(piece, whole, index)
        rows = self.rows(whole, None, 0, whole.shape[0]) if whole.dim() > 1 else self.own(whole, 0)
        labels = rows.reshape(-1, *[1] * (whole.dim() - 1)).expand(whole.shape)
        return labels, labels[index]

    # -- parameters that are data ----------------------------------------------------------------

    def derive(self, result: object, function: Operation, args: CallArguments, kwargs: NamedArguments) -> None:
        """Remember from which numbers of a parameter an operation on it alone made its ``result``."""
        for tensor, origin in derived(self._origin, result, function, args, kwargs):
            self._derived[id(tensor)] = origin

    def _origin(self, tensor: object) -> Derived | None:
        if not isinstance(tensor, Tensor):
            return None
        if id(tensor) not in self._derived and id(tensor) in self.names and tensor.numel():
            self._derived[id(tensor)] = Derived.of(tensor)
        return self._derived.get(id(tensor))

    def constant(self, x: Tensor, constant: Tensor) -> None:
        """A parameter that is added or multiplied shrinks with the one dimension that holds channels."""
        full = broadcast(x, constant.shape)
        origin = self._origin(constant)
        if origin is None and constant.numel() > 1:
            origin = Derived.of(constant)
        if origin is None or not origin.meets(full):
            return
        place = origin.placed(full)
        if place is not None and id(origin.whole) in self.names:
            self._follow_where_used(origin.whole, *place)
        elif bool((distinct(self.labels.roots(x)) > FROZEN).any()):
            self._stay(full, x, constant)

    def _stay(self, full: Tensor, x: Tensor, constant: Tensor) -> None:
        """Nothing goes alone along the dimensions of numbers that stay; what stands on others (heads) goes whole."""
        lead, dims = full.dim() - constant.dim(), varying(full)
        held = [d for d in dims if d >= lead and constant.shape[d - lead] > 1]
        if len(held) == len(dims):
            self.labels.freeze(x, "combined with numbers that cannot shrink with it")
        for dim in held if len(held) < len(dims) else []:
            self.labels.join(full.narrow(dim, 0, 1), full, "combined with numbers that cannot shrink with it")

    def _follow_where_used(self, whole: Tensor, dim: int, labels: Tensor) -> None:
        used = labels >= 0
        if bool(used.all()):
            self.follow(whole, dim, labels)
        else:
            self.labels.join(self.own(whole, dim)[used], labels[used], "one parameter")

    def data(self, tensor: Tensor, but: int | None = None) -> Tensor:
        """Labels for numbers that are used as data: a parameter's one long dimension (``but`` this) may shrink."""
        origin = self._origin(tensor)
        dims = [d for d, size in enumerate(tensor.shape) if size > 1 and (but is None or d != but % tensor.dim())]
        dim = None if origin is None or len(dims) != 1 else origin.dim_along(dims[0])
        if origin is None or dim is None:
            return frozen(tensor.shape)
        return origin.spread(dim, self.own(origin.whole, dim))

    def cut_with(self, tensor: object) -> Tensor | None:
        """Labels of numbers made of a parameter alone, once all uses are noted; None where none of them may go."""
        origin = self._origin(tensor)
        if origin is None:
            return None
        for dim in range(origin.whole.dim()):
            labels = self._find(origin.whole, dim, "follows")
            if labels is not None:
                return origin.spread(dim, labels)
        return None

    def _find(self, parameter: Tensor, dim: int, role: Role) -> Tensor | None:
        use = self._first.get((self.names.get(id(parameter), ""), dim, role))
        return None if use is None else use.labels
