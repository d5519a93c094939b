"""How many bytes a pruned model takes: six answers, because "size" alone means nothing.

Each kind but ``dense_file_compressed`` is the exact length of one safetensors file that ``export`` writes, so every
number can be checked by writing that file. ``explorer.models.packed`` says what each kind holds for a tensor W that
lost weights; in ``bitmask`` it is W.values (kept), W.bits (uint8, one bit per weight) and W.shape (int32).

Tensors that lost nothing stay dense in every kind; buffers such as batch-norm statistics are included.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from explorer.metrics.filesize import Entry, file_bytes, header, in_file_order
from explorer.metrics.origin import machine, today
from explorer.ranking.together import counted
from explorer.types import LoadedModel, Measurement, Plan
from explorer.types.small import is_small

NOTES = {
    "dense_file": "The whole file with every zero written out: pruning does not change it.",
    "dense_file_compressed": "The dense file with its zeros, packed by zlib: smaller to send, full size once loaded.",
    "csr": "Kept values, an int32 column for each, and where each row begins; needs software that reads CSR.",
    "bitmask": "Kept values and one bit for each weight; needs software that unpacks it.",
    "n_of_m": "Kept values and their places in each group of m; needs software that reads this pattern.",
    "removed": "Tensors in their smaller shapes, without the pruned units, and the places of the units that are left.",
}
# 1:2 is also 2:4, which has hardware; so 4 comes first.
_GROUP_SIZES = (4, 2, 8, 16, 32)
_CHUNK = 1 << 20


def stored_tensors(model: LoadedModel) -> dict[str, Tensor]:
    """What a file of this model holds: every parameter once, and the persistent buffers."""
    stored = {**model.weights, **model.buffers}
    if model.module is not None:
        parameters = {name for name, _ in model.module.named_parameters(remove_duplicate=False)}
        state = model.module.state_dict()
        stored.update({name: t for name, t in state.items() if name not in stored and name not in parameters})
    return stored


def file_dtypes(model: LoadedModel) -> dict[str, torch.dtype]:
    """The types that a file of this model goes back to, for what was converted for computing."""
    named = {name: getattr(torch, str(dtype), None) for name, dtype in (model.meta.get("dtypes") or {}).items()}
    return {name: dtype for name, dtype in named.items() if isinstance(dtype, torch.dtype)}


@dataclass(frozen=True)
class Described:
    """What files say beside their tensors: ``metadata(kind)`` of the header, and the other names of tied weights.

    A dense file holds a tied weight under each of its names, the others hold it once.
    """

    metadata: Callable[[str], Mapping[str, str]]
    tied: Mapping[str, str]


_SILENT = Described(lambda kind: {}, {})


def sizes(
    model: LoadedModel, plan: Plan, *, compress: bool = False, described: Described = _SILENT
) -> dict[str, Measurement]:
    """Bytes of the pruned model by kind of file; kinds that do not apply are absent.

    Without ``described`` of the tensors alone; ``export.sizes.file_sizes`` counts what export writes.
    ``compress`` really compresses the masked tensors (about 30 MB/s) for ``dense_file_compressed``.
    ``n_of_m`` is there only when every tensor that lost weights keeps exactly n of every m neighbours;
    ``removed`` only when whole units go and have a physical form.
    """
    values = stored_tensors(model) | dict(plan.updates)
    dtypes = file_dtypes(model)
    changed = {name: values[name] for name in dtypes if name in values}
    tensors = values | {n: torch.empty(t.shape, dtype=dtypes[n], device="meta") for n, t in changed.items()}
    pattern = n_of_m_pattern(list(plan.cut.values()))
    kinds = _kinds(tensors, plan, described.tied, pattern)
    lengths = {kind: file_bytes(entries, described.metadata(kind)) for kind, entries in kinds.items()}
    out = {kind: Measurement(kind, n, "bytes", "counted", note=NOTES[kind]) for kind, n in lengths.items()}
    if pattern:
        note = f"Every {pattern[1]} neighbours keep {pattern[0]}; {NOTES['n_of_m'].lower()}"
        out["n_of_m"] = replace(out["n_of_m"], note=note)
    if compress:
        out["dense_file_compressed"] = _compressed(values | {n: t.to(dtypes[n]) for n, t in changed.items()}, plan)
    return out


def _kinds(
    tensors: Mapping[str, Tensor], plan: Plan, tied: Mapping[str, str], pattern: tuple[int, int] | None
) -> dict[str, list[Entry]]:
    """The tensors of each kind of file."""
    kept, dense = _kept_counts(plan), _dense(tensors)
    by_name = {entry.name: entry for entry in dense}
    copies = [replace(by_name[first], name=alias) for alias, first in tied.items() if first in by_name]
    kinds = {
        "dense_file": [*dense, *(copy for copy in copies if copy.name not in by_name)],
        "csr": _packed(tensors, kept, _csr),
        "bitmask": _packed(tensors, kept, _bitmask),
    }
    if pattern:
        index_bits = math.ceil(math.log2(pattern[1]))
        kinds["n_of_m"] = _packed(tensors, kept, lambda entry, n: _indexed(entry, n, index_bits))
    if plan.kept_shapes:
        smaller = _removed(plan)
        kinds["removed"] = [part for e in dense for part in (_small(e, smaller[e.name]) if e.name in smaller else [e])]
    return kinds


def parameters(model: LoadedModel, plan: Plan) -> dict[str, Measurement]:
    """Counts over the whole model: ``total``; ``kept`` by the masks (or left after removal); ``nonzero`` values."""
    masks, weights = plan.masks, {**model.weights, **plan.updates}

    def left(name: str) -> Tensor:
        return weights[name] * masks[name].to(weights[name].device) if name in masks else weights[name]

    small = {name: left(name) for name, tensor in weights.items() if is_small(tensor)}
    nonzero = sum(counted(small, _not_zero).values())
    nonzero += sum(int(torch.count_nonzero(left(name))) for name in weights if name not in small)
    return {
        "total": Measurement("total", model.n_parameters, "parameters", "counted", note="All parameters, tied once."),
        "kept": Measurement(
            "kept",
            _n_kept(model, plan),
            "parameters",
            "counted",
            note="Parameters left, without zero weights.",
        ),
        "nonzero": Measurement(
            "nonzero", nonzero, "parameters", "counted", note="Kept parameters whose value is not exactly zero."
        ),
    }


def compression_ratio(model: LoadedModel, plan: Plan) -> Measurement:
    """All parameters of the model / parameters left; >= 1, infinite when nothing is left.

    Source: Blalock et al. 2020, arXiv:2003.03033, section 6 (original size / new size).
    """
    kept = _n_kept(model, plan)
    ratio = model.n_parameters / kept if kept else math.inf
    note = "All parameters of the model, biases included, by the parameters left; a file shrinks less than this."
    return Measurement("compression_ratio", ratio, "x", "counted", note=note)


def n_of_m_pattern(masks: list[Tensor]) -> tuple[int, int] | None:
    """(n, m) when all masks keep exactly n of every m neighbours (0 < n < m), else None.

    Neighbours are m consecutive weights of one output row, or m consecutive input channels of a kernel.
    """
    for m in _GROUP_SIZES if masks else ():
        n = _kept_per_group(masks[0], m)
        if n is not None and all(_kept_per_group(mask, m) == n for mask in masks[1:]):
            return n, m
    return None


def _kept_per_group(mask: Tensor, m: int) -> int | None:
    ways = [mask.reshape(mask.shape[0], -1)] if mask.dim() > 1 else [mask.reshape(1, -1)]
    if mask.dim() > 2:
        ways.append(mask.movedim(1, -1).reshape(-1, mask.shape[1]))
    for rows in ways:
        if rows.shape[1] % m or not rows.numel():
            continue
        n = int(rows.reshape(-1, m)[0].sum())
        if 0 < n < m and bool((rows.reshape(-1, m).sum(dim=1) == n).all()):
            return n
    return None


def _kept_counts(plan: Plan) -> dict[str, int]:
    """How many weights stay, for each tensor that lost some."""
    return counted(plan.cut, _itself)


def _not_zero(numbers: Tensor) -> Tensor:
    return numbers != 0


def _itself(mask: Tensor) -> Tensor:
    return mask


def _n_kept(model: LoadedModel, plan: Plan) -> int:
    """What neither a mask nor removal takes, without the prunable weights that were zero already."""
    n_kept, n_left = 0, counted(plan.left, _itself)
    for name, tensor in model.weights.items():
        by_shape = math.prod(plan.kept_shapes.get(name, tuple(tensor.shape)))
        n_kept += min(by_shape, n_left.get(name, by_shape))
    return n_kept


def _dense(tensors: Mapping[str, Tensor]) -> list[Entry]:
    return [Entry(name, t.dtype, tuple(t.shape)) for name, t in tensors.items()]


def _packed(
    tensors: Mapping[str, Tensor], kept: Mapping[str, int], pack: Callable[[Entry, int], Iterator[Entry]]
) -> list[Entry]:
    parts = (pack(e, kept[e.name]) if e.name in kept else [e] for e in _dense(tensors))
    return [entry for part in parts for entry in part]


def _csr(entry: Entry, n_kept: int) -> Iterator[Entry]:
    n_rows = entry.shape[0] if len(entry.shape) > 1 else 1
    yield Entry(f"{entry.name}.values", entry.dtype, (n_kept,))
    yield Entry(f"{entry.name}.columns", torch.int32, (n_kept,))
    yield Entry(f"{entry.name}.rows", torch.int32 if n_kept < 2**31 else torch.int64, (n_rows + 1,))


def _bitmask(entry: Entry, n_kept: int) -> Iterator[Entry]:
    yield Entry(f"{entry.name}.values", entry.dtype, (n_kept,))
    yield Entry(f"{entry.name}.bits", torch.uint8, (-(-math.prod(entry.shape) // 8),))
    yield Entry(f"{entry.name}.shape", torch.int32, (len(entry.shape),))


def _indexed(entry: Entry, n_kept: int, index_bits: int) -> Iterator[Entry]:
    yield Entry(f"{entry.name}.values", entry.dtype, (n_kept,))
    yield Entry(f"{entry.name}.indices", torch.uint8, (-(-n_kept * index_bits // 8),))


def _removed(plan: Plan) -> dict[str, tuple[int, ...]]:
    """The smaller shapes of the tensors whose masks cut whole slices and nothing else."""
    masks = plan.cutting.masks
    whole = {name: shape for name, shape in plan.kept_shapes.items() if shape and name in masks}
    counts = {name: int(masks[name].sum()) for name in whole}
    smaller = {n: shape for n, shape in whole.items() if counts[n] == math.prod(shape) < masks[n].numel()}
    # A mask that keeps nothing does not say which of its axes were cut: the file gives all of them the length 0.
    return {n: shape if math.prod(shape) else (0,) * len(shape) for n, shape in smaller.items()}


def _small(entry: Entry, shape: tuple[int, ...]) -> Iterator[Entry]:
    yield Entry(f"{entry.name}.values", entry.dtype, shape)
    yield Entry(f"{entry.name}.units", torch.uint8, (-(-sum(entry.shape) // 8),))


def _compressed(tensors: Mapping[str, Tensor], plan: Plan) -> Measurement:
    packer = zlib.compressobj(6)
    n_bytes = len(packer.compress(header(_dense(tensors))))
    for entry in in_file_order(_dense(tensors)):
        for piece in _masked_bytes(tensors[entry.name], plan.masks.get(entry.name)):
            n_bytes += len(packer.compress(piece))
    n_bytes += len(packer.flush())
    kind = "dense_file_compressed"
    return Measurement(kind, n_bytes, "bytes", "measured", machine=machine(), date=today(), note=NOTES[kind])


def _masked_bytes(tensor: Tensor, mask: Tensor | None) -> Iterator[bytes]:
    """The masked tensor's bytes, a megabyte or so at a time, so that no second model is held."""
    flat = tensor.detach().reshape(-1)
    keeps = None if mask is None else mask.reshape(-1)
    for start in range(0, flat.numel(), _CHUNK):
        piece = flat[start : start + _CHUNK].cpu().contiguous()
        if keeps is not None:
            piece = torch.where(keeps[start : start + _CHUNK].cpu(), piece, torch.zeros((), dtype=piece.dtype))
        yield piece.view(torch.uint8).numpy().tobytes()
