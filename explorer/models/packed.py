"""Pruned weights stored in fewer numbers, and back to plain tensors, bit for bit.

The description in the file's header names the ``kind`` and, under ``packed``, each packed tensor W with its shape. What
was not pruned is stored as it is. The file holds for each W

- ``csr``: W.values (kept, row by row), W.columns (int32, one for each) and W.rows (int32, n_rows + 1: where each row
  begins; int64 from 2^31 values on), with W as a matrix of shape[0] rows (a vector is one row);
- ``n_of_m``: W.values and W.indices (uint8, the lowest bit first: the place of each value in its group, ceil(log2 m)
  bits). ``pattern`` is [n, m]; groups lie along the last axis of W as a matrix, or along dimension 1 (input channels)
  of those that ``along_inputs`` names;
- ``removed``: W.values in W's smaller shape and W.units (uint8, one bit for each index of each dimension in turn, the
  lowest bit first, 1 keeps).

``bitmask`` is in :mod:`explorer.models.bitmask`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.models import bitmask
from explorer.text.names import clean
from explorer.types.aliases import JsonDict, JsonObject

VERSION = 1
PARTS: Mapping[str, tuple[str, ...]] = {
    "csr": ("values", "columns", "rows"),
    "n_of_m": ("values", "indices"),
    "removed": ("values", "units"),
}
# Moved as whole numbers of the same width, so that every bit arrives, whatever type it belongs to.
_BITS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
_MOST_DIMENSIONS = 16


class Layout(NamedTuple):
    """How one tensor lies in the file: its shape, the pattern (n, m), and whether groups run along its inputs."""

    shape: tuple[int, ...]
    pattern: tuple[int, int] = (0, 0)
    along_inputs: bool = False

    @property
    def n(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)

    @property
    def width(self) -> int:
        """How many numbers a row has."""
        return self.n // self.shape[0] if len(self.shape) > 1 and self.shape[0] else self.n

    @property
    def index_bits(self) -> int:
        """How many bits the place in a group takes."""
        return math.ceil(math.log2(self.pattern[1]))


def is_packed(about: JsonObject) -> bool:
    """Whether a file's own description says that its tensors are packed in one of these ways."""
    return about.get("kind") in PARTS or bitmask.is_packed(about)


def inside(about: JsonObject) -> JsonDict:
    """What the file says of itself once its tensors are plain: they may be those of a slim model."""
    return bitmask.inside(about)


def unpacked(
    tensors: Mapping[str, Tensor], about: JsonObject, label: str, room: int
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """(plain tensors, other names of tied ones); ExplorerError when the parts do not fit together, or into ``room``."""
    if bitmask.is_packed(about):
        return bitmask.unpacked(tensors, about, label, room)
    layouts, tied = _layouts(about, label), about.get("tied") or {}
    plain = _PLAIN[str(about["kind"])]
    dense = dict(tensors)
    for name, layout in layouts.items():
        parts = [dense.pop(f"{name}.{part}", None) for part in PARTS[str(about["kind"])]]
        given = [part for part in parts if part is not None]
        if len(given) < len(parts) or name in dense:
            raise _bad(label, f"{clean(name)!r} lacks a part.")
        room -= layout.n * given[0].element_size()
        if room < 0:
            raise ExplorerError(f"{label} cannot be opened.", why=bitmask.too_large(-room, 0), fix=bitmask.EXPORT_DENSE)
        tensor = plain(given, layout)
        if tensor is None:
            raise _bad(label, f"The parts of {clean(name)!r} do not fit together.")
        dense[name] = tensor
    if not isinstance(tied, dict) or any(
        not isinstance(first, str) or first not in dense or alias in dense for alias, first in tied.items()
    ):
        raise _bad(label, "It ties weights that it does not hold.")
    return dense, dict(tied)


def sizes_of(about: JsonObject) -> dict[str, int]:
    """{name: how many numbers} of the packed tensors, as the description says; what makes no sense is left out."""
    packed = about.get("packed")
    shapes = packed.items() if isinstance(packed, dict) else ()
    return {str(name): math.prod(shape) for name, shape in shapes if _is_shape(shape)}


def _layouts(about: JsonObject, label: str) -> dict[str, Layout]:
    packed, pattern = about.get("packed"), about.get("pattern") or [0, 0]
    along = about.get("along_inputs") or []
    is_pattern = (
        isinstance(pattern, list) and len(pattern) == 2 and all(type(v) is int for v in pattern) and pattern[1] <= 2**16
    )
    if about.get("version") != VERSION or not isinstance(packed, dict) or not is_pattern or not isinstance(along, list):
        raise _bad(label, f"It is not of version {VERSION} of the format.")
    if not all(_is_shape(shape) for shape in packed.values()):
        raise _bad(label, "A packed tensor has no shape.")
    if about.get("kind") == "n_of_m" and packed and not 0 < pattern[0] < pattern[1]:
        raise _bad(label, "Its pattern is none.")
    return {str(name): Layout(tuple(s), (pattern[0], pattern[1]), name in along) for name, s in packed.items()}


def _is_shape(shape: object) -> bool:
    return (
        isinstance(shape, list)
        and 0 < len(shape) <= _MOST_DIMENSIONS
        and all(type(size) is int and 0 <= size < 2**48 for size in shape)
    )


def runs_along_inputs(mask: Tensor, m: int) -> bool:
    """Whether groups of ``m`` lie along dimension 1: where the rows of the matrix do not hold them evenly."""
    rows = mask.reshape(mask.shape[0], -1) if mask.dim() > 1 else mask.reshape(1, -1)
    if rows.shape[1] % m:
        return True
    counts = rows.reshape(-1, m).sum(dim=1)
    return not bool((counts == counts[0]).all())


# -- packing ---------------------------------------------------------------------------------------


def pack(kind: str, tensor: Tensor, mask: Tensor, layout: Layout) -> dict[str, Tensor]:
    """The parts of a tensor of which the places where ``mask`` is False are zero."""
    bits = tensor.detach().cpu().contiguous()
    parts = _PACK[kind](bits.view(_BITS[bits.element_size()]), mask.cpu(), layout)
    values = parts["values"].contiguous()
    return {**parts, "values": values.view(tensor.dtype)}


def _pack_csr(tensor: Tensor, mask: Tensor, layout: Layout) -> dict[str, Tensor]:
    rows = mask.reshape(-1, layout.width) if layout.n else mask.reshape(max(1, mask.shape[0]), 0)
    begins = torch.cat([torch.zeros(1, dtype=torch.int64), rows.sum(dim=1).cumsum(dim=0)])
    kind = torch.int32 if int(begins[-1]) < 2**31 else torch.int64
    return {"values": tensor[mask], "columns": rows.nonzero()[:, 1].to(torch.int32), "rows": begins.to(kind)}


def _pack_n_of_m(tensor: Tensor, mask: Tensor, layout: Layout) -> dict[str, Tensor]:
    m = layout.pattern[1]
    if layout.along_inputs:
        tensor, mask = tensor.movedim(1, -1), mask.movedim(1, -1)
    places = mask.reshape(-1, m).nonzero()[:, 1]
    bits = (places[:, None] >> torch.arange(layout.index_bits)) & 1
    indices = np.packbits(bits.flatten().to(torch.uint8).numpy(), bitorder="little")
    return {"values": tensor[mask], "indices": torch.from_numpy(indices)}


def _pack_removed(tensor: Tensor, mask: Tensor, layout: Layout) -> dict[str, Tensor]:
    lines = units_left(mask)
    bits = np.packbits(torch.cat(lines).numpy(), bitorder="little")
    return {
        "values": tensor[mask].reshape([int(line.sum()) for line in lines]),
        "units": torch.from_numpy(bits),
    }


def units_left(mask: Tensor) -> list[Tensor]:
    """For each dimension, which indices keep anything."""
    return [mask.movedim(dim, 0).reshape(mask.shape[dim], -1).any(dim=1) for dim in range(mask.dim())]


# -- back --------------------------------------------------------------------------------------------


def _placed(values: Tensor, places: Tensor, n: int) -> Tensor:
    flat = torch.zeros(n, dtype=_BITS[values.element_size()])
    flat[places] = values.contiguous().reshape(-1).view(flat.dtype)
    return flat.view(values.dtype)


def _plain_csr(parts: list[Tensor], layout: Layout) -> Tensor | None:
    values, columns, rows = parts
    n_rows = layout.shape[0] if len(layout.shape) > 1 else 1
    if columns.dtype != torch.int32 or rows.dtype not in (torch.int32, torch.int64):
        return None
    if any(part.dim() != 1 for part in parts) or len(rows) != n_rows + 1 or len(columns) != len(values):
        return None
    counts = rows.long().diff()
    if int(rows[0]) != 0 or int(rows[-1]) != len(values) or bool((counts < 0).any()):
        return None
    if bool((columns < 0).any()) or bool((columns >= layout.width).any()):
        return None
    places = torch.repeat_interleave(torch.arange(n_rows), counts) * layout.width + columns
    if bool((places.diff() <= 0).any()):
        return None
    return _placed(values, places, layout.n).reshape(layout.shape)


def _plain_n_of_m(parts: list[Tensor], layout: Layout) -> Tensor | None:
    values, indices = parts
    n, m = layout.pattern
    last = layout.shape[1] if layout.along_inputs and len(layout.shape) > 1 else layout.width
    if indices.dtype != torch.uint8 or values.dim() != 1 or indices.dim() != 1 or last % m:
        return None
    n_groups = layout.n // m
    if len(values) != n_groups * n or len(indices) != -(-len(values) * layout.index_bits // 8):
        return None
    bits = torch.from_numpy(np.unpackbits(indices.numpy(), bitorder="little"))[: len(values) * layout.index_bits]
    places = (bits.reshape(-1, layout.index_bits).long() << torch.arange(layout.index_bits)).sum(dim=1).reshape(-1, n)
    if bool((places >= m).any()) or bool((places.diff(dim=1) <= 0).any()):
        return None
    flat = _placed(values, (torch.arange(n_groups)[:, None] * m + places).flatten(), layout.n)
    if not layout.along_inputs:
        return flat.reshape(layout.shape)
    first, inputs, *rest = layout.shape
    return flat.reshape(first, *rest, inputs).movedim(-1, 1).contiguous()


def _plain_removed(parts: list[Tensor], layout: Layout) -> Tensor | None:
    values, units = parts
    n_bits = sum(layout.shape)
    if units.dtype != torch.uint8 or units.dim() != 1 or len(units) != -(-n_bits // 8):
        return None
    bits = torch.from_numpy(np.unpackbits(units.numpy(), bitorder="little"))
    lines = torch.split(bits[:n_bits].bool(), list(layout.shape))
    if bool(bits[n_bits:].any()) or tuple(values.shape) != tuple(int(line.sum()) for line in lines):
        return None
    mask = torch.ones(layout.shape, dtype=torch.bool)
    for dim, line in enumerate(lines):
        mask &= line.reshape([-1 if d == dim else 1 for d in range(len(lines))])
    return _placed(values, mask.reshape(-1).nonzero().flatten(), layout.n).reshape(layout.shape)


def _bad(label: str, why: str) -> ExplorerError:
    return ExplorerError(f"{label} cannot be opened.", why=why, fix="Export it again.")


_PACK: Mapping[str, Callable[[Tensor, Tensor, Layout], dict[str, Tensor]]] = {
    "csr": _pack_csr,
    "n_of_m": _pack_n_of_m,
    "removed": _pack_removed,
}
_PLAIN: Mapping[str, Callable[[list[Tensor], Layout], Tensor | None]] = {
    "csr": _plain_csr,
    "n_of_m": _plain_n_of_m,
    "removed": _plain_removed,
}
