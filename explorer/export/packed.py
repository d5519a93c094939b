"""Pruned weights in fewer numbers: each kind of file as small on disk as it is counted, and openable again."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import load
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.export.files import check_target, misread, put, same_tensors
from explorer.export.packing import plain_weights
from explorer.export.weights import METADATA_KEY, describe, pruned_tensors
from explorer.metrics.size import n_of_m_pattern
from explorer.models import bitmask
from explorer.models.packed import VERSION, Layout, pack, runs_along_inputs, unpacked
from explorer.types import LoadedModel, Plan
from explorer.types.aliases import JsonDict
from explorer.types.files.reading.limits import opened_bytes

KINDS = ("bitmask", "csr", "n_of_m", "removed")


def write_packed(model: LoadedModel, plan: Plan, path: Path | str, kind: str, *, force: bool = False) -> int:
    """Write the weights packed as ``kind`` to ``path`` (.safetensors), read back bit for bit; how many bytes.

    The file is as large as ``file_sizes()[kind]`` counts. Raises ExplorerError for a kind that this plan has not, for
    names that do not fit and when the disk refuses; what was there stays.
    """
    target = Path(path)
    check_target(model, target, ".safetensors", force=force)
    content = packed_file(model, plan, kind)
    put({target: content})
    return len(content)


def packed_file(model: LoadedModel, plan: Plan, kind: str) -> bytes:
    """The same file in memory, for a browser's download; unpacked again and compared bit for bit."""
    masks, about = masks_of(plan, kind), described(model, plan, kind)
    tied: Mapping[str, str] = about["tied"]
    # Zeros that were there already are left out, too; -0.0 among them comes back as +0.0.
    whole = plan.masks if kind == "removed" else plan.left
    tensors = {name: tensor for name, tensor in pruned_tensors(model, plan, whole).items() if name not in tied}
    stored: dict[str, Tensor] = {name: tensor for name, tensor in tensors.items() if name not in masks}
    for name, mask in masks.items():
        stored |= {f"{name}.{part}": tensor for part, tensor in _parts(kind, tensors[name], mask, about, name).items()}
    content = plain_weights(stored, {METADATA_KEY: json.dumps(about)})
    again, _ = unpacked(load(content), about, "The packed file", opened_bytes(len(content)))
    if not same_tensors(tensors, again):
        raise misread("The packed file")
    return content


def masks_of(plan: Plan, kind: str) -> dict[str, Tensor]:
    """The masks of the tensors that a file of this kind packs. ExplorerError where the plan has no such form."""
    cut = dict(plan.cut)
    if kind == "n_of_m" and n_of_m_pattern(list(cut.values())) is None:
        why = "Not every group of neighbouring weights keeps as many as the others."
        raise ExplorerError("These weights have no n:m pattern.", why=why, fix="Prune with --granularity n_of_m.")
    if kind != "removed":
        return cut
    if not plan.kept_shapes:
        raise ExplorerError(
            "Nothing of these weights is removed as a whole.",
            why="Only whole units leave smaller tensors behind.",
            fix="Choose a structured granularity such as out_channel, or write a bitmask.",
        )
    units = plan.cutting.masks
    smaller = {name: units[name] for name in plan.kept_shapes if name in units}
    return {
        name: mask
        for name, mask in smaller.items()
        if mask.dim() and not bool(mask.all()) and int(mask.sum()) == math.prod(plan.kept_shapes[name])
    }


def described(model: LoadedModel, plan: Plan, kind: str) -> JsonDict:
    """What a file of this kind says of itself: how its tensors are packed, and what it holds."""
    about, masks = describe(model, plan), masks_of(plan, kind)
    about |= {"inside": about.get("kind"), "kind": kind, "version": VERSION, "tied": tied_names(model, plan)}
    if kind == bitmask.KIND:
        return about | {"packed": sorted(masks)}
    about |= {"packed": {name: list(mask.shape) for name, mask in sorted(masks.items())}}
    pattern = n_of_m_pattern(list(masks.values())) if kind == "n_of_m" else None
    if pattern is None:
        return about
    along = sorted(name for name, mask in masks.items() if runs_along_inputs(mask, pattern[1]))
    return about | {"pattern": list(pattern), "along_inputs": along}


def _parts(kind: str, tensor: Tensor, mask: Tensor, about: JsonDict, name: str) -> dict[str, Tensor]:
    if kind == bitmask.KIND:
        return bitmask.pack(tensor, mask)
    n, m = about.get("pattern", (0, 0))
    layout = Layout(tuple(mask.shape), (n, m), name in about.get("along_inputs", ()))
    return pack(kind, tensor, mask, layout)


def tied_names(model: LoadedModel, plan: Plan) -> dict[str, str]:
    """The other names of tied weights, which are stored once."""
    of_layers = {alias: layer.parameter for layer in plan.layers for alias in layer.aliases}
    return {**of_layers, **(model.meta.get("tied") or {})}


def write_bitmask(model: LoadedModel, plan: Plan, path: Path | str, *, force: bool = False) -> int:
    """:func:`write_packed` as a bitmask: one bit for each place, and the values that are left."""
    return write_packed(model, plan, path, bitmask.KIND, force=force)


def bitmask_file(model: LoadedModel, plan: Plan) -> bytes:
    """:func:`packed_file` as a bitmask."""
    return packed_file(model, plan, bitmask.KIND)
