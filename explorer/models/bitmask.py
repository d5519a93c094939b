"""Weights stored as one bit for each place and the values that were kept: back to plain tensors, bit for bit.

A pruned tensor W is three tensors in the file: W.values (kept, in order), W.bits (uint8, the lowest
bit first, 1 keeps) and W.shape (int32). What was not pruned is stored as it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.text.names import clean
from explorer.types.aliases import JsonDict, JsonObject

KIND = "bitmask"
VERSION = 1
EXPORT_DENSE = "Export it as plain safetensors instead."
PARTS = ("values", "bits", "shape")
# Moved as whole numbers of the same width, so that every bit arrives, whatever type it belongs to.
_BITS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def is_packed(about: JsonObject) -> bool:
    """Whether a file's own description says that its tensors are packed this way."""
    return about.get("kind") == KIND


def inside(about: JsonObject) -> JsonDict:
    """What the file says of itself once its tensors are plain: they may be those of a slim model."""
    return {**about, "kind": about.get("inside")}


def pack(tensor: Tensor, mask: Tensor) -> dict[str, Tensor]:
    """{values, bits, shape} of a tensor of which the places where ``mask`` is False are zero."""
    keeps, flat = mask.cpu().reshape(-1), tensor.detach().cpu().contiguous().reshape(-1)
    return {
        "values": flat.view(_BITS[flat.element_size()])[keeps].view(flat.dtype),
        "bits": torch.from_numpy(np.packbits(keeps.numpy(), bitorder="little")),
        "shape": torch.tensor(tuple(tensor.shape), dtype=torch.int32),
    }


def unpacked(
    tensors: Mapping[str, Tensor], about: JsonObject, label: str, room: int
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """(plain tensors, other names of tied ones); ExplorerError when the parts do not fit together, or into ``room``."""
    packed, tied = about.get("packed"), about.get("tied") or {}
    if about.get("version") != VERSION or not isinstance(packed, list) or not isinstance(tied, dict):
        raise _bad(label, f"It is not of version {VERSION} of the format.")
    dense = dict(tensors)
    for name in packed:
        parts = [dense.pop(f"{name}.{part}", None) for part in PARTS] if isinstance(name, str) else [None]
        if any(part is None for part in parts) or name in dense:
            raise _bad(label, f"{clean(str(name))!r} lacks its values, its bits or its shape.")
        tensor = _plain(parts[0], parts[1], parts[2], room, label)  # type: ignore[arg-type]
        if tensor is None:
            raise _bad(label, f"The values, bits and shape of {clean(name)!r} do not fit together.")
        room -= tensor.numel() * tensor.element_size()
        dense[name] = tensor
    if any(not isinstance(first, str) or first not in dense or alias in dense for alias, first in tied.items()):
        raise _bad(label, "It ties weights that it does not hold.")
    return dense, dict(tied)


def _plain(values: Tensor, bits: Tensor, shape: Tensor, room: int, label: str) -> Tensor | None:
    if bits.dtype != torch.uint8 or shape.dtype != torch.int32 or max(v.dim() for v in (values, bits, shape)) != 1:
        return None
    sizes = shape.tolist()
    n = math.prod(sizes)
    if len(sizes) > 16 or min(sizes, default=0) < 0 or bits.numel() != -(-n // 8):
        return None
    if n * values.element_size() > room:
        raise ExplorerError(
            f"{label} cannot be opened.", why=too_large(n * values.element_size(), room), fix=EXPORT_DENSE
        )
    keeps = torch.from_numpy(np.unpackbits(bits.numpy(), bitorder="little"))
    if bool(keeps[n:].any()) or int(keeps.sum()) != values.numel():
        return None
    flat = torch.zeros(n, dtype=_BITS[values.element_size()])
    flat[keeps[:n].bool()] = values.contiguous().view(flat.dtype)
    return flat.view(values.dtype).reshape(sizes)


def too_large(n_bytes: int, room: int) -> str:
    """Why packed tensors are not unpacked."""
    return (
        f"Its packed tensors would take {n_bytes / 2**20:,.0f} MiB; "
        f"{room / 2**20:,.0f} MiB are left for a file of its size."
    )


def _bad(label: str, why: str) -> ExplorerError:
    return ExplorerError(f"{label} cannot be opened.", why=why, fix="Export it again.")
