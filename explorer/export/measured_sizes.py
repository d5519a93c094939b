"""The file sizes that are elsewhere counted, found out by writing the files and asking the disk."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.export.files import misread
from explorer.metrics.origin import machine, today
from explorer.metrics.size import NOTES, file_dtypes, n_of_m_pattern, stored_tensors
from explorer.models.bitmask import pack
from explorer.pruning.apply import compensated
from explorer.pruning.slicing import sliced
from explorer.types import LoadedModel, Measurement, Plan
from explorer.types.files.reading.scratch import scratch

Tensors = dict[str, Tensor]


def measure_sizes(model: LoadedModel, plan: Plan, folder: Path | str | None = None) -> dict[str, Measurement]:
    """Bytes on disk by kind of file: what ``metrics.size.sizes`` counts, here written, read back and measured.

    ``folder``: where to write for a moment (default: the system's place for such files). The kinds that do not
    apply, or cannot be made of this network, are absent. Files that ``export`` writes hold these tensors and, in
    their header, what they say of themselves. Raises ExplorerError when the disk refuses.
    """
    with scratch(folder) as place:
        written = {kind: _written(tensors, place) for kind, tensors in _kinds(model, plan)}
        written["dense_file_compressed"] = _zipped(_masked(model, plan), place)
    where, day = machine(), today()
    return {
        kind: replace(Measurement(kind, n, "bytes", "measured", note=NOTES[kind]), machine=where, date=day)
        for kind, n in written.items()
    }


def _kinds(model: LoadedModel, plan: Plan) -> Iterator[tuple[str, Tensors]]:
    tensors = _masked(model, plan)
    yield "dense_file", tensors
    yield "csr", _packed(tensors, plan, _csr)
    yield "bitmask", _packed(tensors, plan, pack)
    cut = [mask for mask in plan.left.values() if not bool(mask.all())]
    pattern = n_of_m_pattern(cut)
    if pattern:
        m = pattern[1]
        yield "n_of_m", _packed(tensors, plan, lambda tensor, mask: _indexed(tensor, mask, m))
    if plan.kept_shapes:
        try:
            yield "removed", _as_stored(_small(sliced(model, plan).module), model)
        except ExplorerError:
            return  # it stays masked; the network says why where removal is offered


def _written(tensors: Tensors, place: Path) -> int:
    path = place / "file.safetensors"
    save_file(tensors, path)
    n_bytes = path.stat().st_size
    again = load_file(path)
    if set(again) != set(tensors) or any(again[name].shape != tensor.shape for name, tensor in tensors.items()):
        raise misread("A file to be measured")
    path.unlink()
    return n_bytes


def _zipped(tensors: Tensors, place: Path) -> int:
    plain, path = place / "file.safetensors", place / "file.safetensors.zlib"
    save_file(tensors, plain)
    packer = zlib.compressobj(6)
    with plain.open("rb") as given, path.open("wb") as out:
        while piece := given.read(1 << 20):
            out.write(packer.compress(piece))
        out.write(packer.flush())
    return path.stat().st_size


def _masked(model: LoadedModel, plan: Plan) -> Tensors:
    """Every tensor of the model's file once, with zeros where the plan cuts, and where there were zeros."""
    tensors = {name: t.detach().cpu() for name, t in stored_tensors(compensated(model, plan)).items()}
    for name, mask in plan.left.items():
        tensors[name] = tensors[name].masked_fill(~mask.cpu(), 0)
    return _as_stored({name: t.clone() for name, t in tensors.items()}, model)


def _as_stored(tensors: Tensors, model: LoadedModel) -> Tensors:
    """In the types of the model's file, as they are counted."""
    types = file_dtypes(model)
    return {name: tensor.to(types.get(name, tensor.dtype)).contiguous() for name, tensor in tensors.items()}


def _packed(tensors: Tensors, plan: Plan, how: Callable[[Tensor, Tensor], Tensors]) -> Tensors:
    out: Tensors = {}
    for name, tensor in tensors.items():
        mask = plan.left.get(name)
        if mask is None or bool(mask.all()):
            out[name] = tensor
        else:
            out |= {f"{name}.{part}": t for part, t in how(tensor, mask.cpu()).items()}
    return out


def _csr(tensor: Tensor, mask: Tensor) -> Tensors:
    rows = mask.reshape(mask.shape[0], -1) if mask.dim() > 1 else mask.reshape(1, -1)
    begins = torch.cat([torch.zeros(1, dtype=torch.int64), rows.sum(dim=1).cumsum(dim=0)])
    n_kept = int(begins[-1])
    return {
        "values": tensor[mask],
        "columns": rows.nonzero()[:, 1].to(torch.int32),
        "rows": begins.to(torch.int32 if n_kept < 2**31 else torch.int64),
    }


def _indexed(tensor: Tensor, mask: Tensor, m: int) -> Tensors:
    """The kept values and, in ceil(log2 m) bits each, their place in their group."""
    rows = mask.reshape(mask.shape[0], -1) if mask.dim() > 1 else mask.reshape(1, -1)
    along, values = rows.nonzero()[:, 1], tensor[mask]
    if rows.shape[1] % m or not _even(rows, m):
        # Groups of neighbouring input channels: the channels go last, so that a group lies together.
        moved = mask.movedim(1, -1).reshape(-1, mask.shape[1])
        along, values = moved.nonzero()[:, 1], tensor.movedim(1, -1)[mask.movedim(1, -1)]
    width = math.ceil(math.log2(m))
    bits = ((along % m)[:, None] >> torch.arange(width)) & 1
    packed = np.packbits(bits.flatten().to(torch.uint8).numpy(), bitorder="little")
    shape = torch.tensor(tuple(tensor.shape), dtype=torch.int32)
    return {"values": values, "indices": torch.from_numpy(packed), "shape": shape}


def _even(rows: Tensor, m: int) -> bool:
    counts = rows.reshape(-1, m).sum(dim=1)
    return bool((counts == counts[0]).all())


def _small(module: nn.Module) -> Tensors:
    """Parameters once each, and the persistent buffers, of a network that was cut."""
    parameters = {name for name, _ in module.named_parameters(remove_duplicate=False)}
    once = {name: p for name, p in module.named_parameters()}
    buffers = {name: t for name, t in module.state_dict().items() if name not in parameters}
    return {name: t.detach().cpu().clone().contiguous() for name, t in {**once, **buffers}.items()}
