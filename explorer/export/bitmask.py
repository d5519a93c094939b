"""Pruned weights as one bit for each place and the values that were kept: as small on disk as it is counted."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors.torch import load
from torch import Tensor

from explorer.export.files import check_target, misread, put, same_tensors
from explorer.export.packing import plain_weights
from explorer.export.weights import METADATA_KEY, describe, pruned_tensors
from explorer.models.bitmask import KIND, VERSION, pack, unpacked
from explorer.types import LoadedModel, Plan
from explorer.types.files.reading.limits import opened_bytes


def write_bitmask(model: LoadedModel, plan: Plan, path: Path | str, *, force: bool = False) -> int:
    """Write the packed weights to ``path`` (.safetensors), read back bit for bit; how many bytes.

    The file is as large as ``sizes()["bitmask"]`` counts, and its header longer by what it says of itself.
    Raises ExplorerError for names that do not fit and when the disk refuses; what was there stays.
    """
    target = Path(path)
    check_target(model, target, ".safetensors", force=force)
    content = bitmask_file(model, plan)
    put({target: content})
    return len(content)


def bitmask_file(model: LoadedModel, plan: Plan) -> bytes:
    """The same file in memory, for a browser's download; unpacked again and compared bit for bit."""
    tied = _tied(model, plan)
    # Zeros that were there already are left out, too; -0.0 among them comes back as +0.0.
    tensors = {name: tensor for name, tensor in pruned_tensors(model, plan, plan.left).items() if name not in tied}
    cut = {name: mask for name, mask in plan.left.items() if not bool(mask.all())}
    stored: dict[str, Tensor] = {name: tensor for name, tensor in tensors.items() if name not in cut}
    for name, mask in cut.items():
        stored |= {f"{name}.{part}": tensor for part, tensor in pack(tensors[name], mask).items()}
    about = describe(model, plan)
    about |= {"inside": about.get("kind"), "kind": KIND, "version": VERSION, "packed": sorted(cut), "tied": tied}
    content = plain_weights(stored, {METADATA_KEY: json.dumps(about)})
    again, _ = unpacked(load(content), about, "The packed file", opened_bytes(len(content)))
    if not same_tensors(tensors, again):
        raise misread("The packed file")
    return content


def _tied(model: LoadedModel, plan: Plan) -> dict[str, str]:
    """The other names of tied weights, which are stored once."""
    of_layers = {alias: layer.parameter for layer in plan.layers for alias in layer.aliases}
    return {**of_layers, **(model.meta.get("tied") or {})}
