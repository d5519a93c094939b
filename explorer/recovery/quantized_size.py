"""How many bytes a model takes whose weights are whole numbers of a few bits, pruned or not.

Each kind is the exact length of one safetensors file, as in ``metrics.size``. Per tensor W of whole numbers the
file holds W.scales (float32, one for each output channel) and

- ``int8``: W.values in W's shape, zeros included (int8; packed into uint8 where fewer than 8 bits are asked);
- ``int8_bitmask``: W.values (kept ones), W.bits (uint8, one bit for each weight) and W.shape (int32);
- ``int8_csr``: W.values (kept ones), W.columns (int32) and W.rows (int32);
- ``int8_removed``: W.values in W's smaller shape.

What is not made of whole numbers (biases, normalisation, statistics) is stored as it is in ``metrics.size``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch

from explorer.metrics.filesize import Entry, file_bytes
from explorer.metrics.size import stored_tensors
from explorer.recovery.quantization import channel_axis, check_bits, quantized_layers
from explorer.types import LoadedModel, Measurement, Plan

NOTES = {
    "int8": "Every weight as a whole number, zeros included, and one float32 scale for each output channel.",
    "int8_bitmask": "Kept whole numbers and one bit for each weight; needs software that unpacks it.",
    "int8_csr": "Kept whole numbers, an int32 column for each, and where each row begins; needs software for CSR.",
    "int8_removed": "The pruned units are cut out, and what is left are whole numbers with their scales.",
}


def quantized_sizes(model: LoadedModel, plan: Plan, bits: int = 8) -> dict[str, Measurement]:
    """Bytes of the pruned model with weights of ``bits`` bits, by kind of file; all are counted.

    ``int8_removed`` is there only when whole units go and have a physical form.
    """
    check_bits(bits)
    axes = {layer.parameter: channel_axis(layer) for layer in quantized_layers(model)}
    entries = [Entry(name, t.dtype, tuple(t.shape)) for name, t in stored_tensors(model).items()]
    kept = {name: int(mask.sum()) for name, mask in plan.left.items() if not bool(mask.all())}
    kinds = {
        "int8": [e for entry in entries for e in _dense(entry, axes, bits)],
        "int8_bitmask": [e for entry in entries for e in _sparse(entry, axes, kept, bits, "bitmask")],
        "int8_csr": [e for entry in entries for e in _sparse(entry, axes, kept, bits, "csr")],
    }
    if plan.kept_shapes:
        cut = [_cut(entry, plan, {e.name: e.shape for e in entries}) for entry in entries]
        kinds["int8_removed"] = [e for entry in cut for e in _dense(entry, axes, bits)]
    return {
        kind: Measurement(kind, file_bytes(listed), "bytes", "counted", note=_note(kind, bits))
        for kind, listed in kinds.items()
    }


def smallest(model: LoadedModel, plan: Plan, bits: int = 8) -> Measurement:
    """The smallest of :func:`quantized_sizes`."""
    return min(quantized_sizes(model, plan, bits).values(), key=lambda m: m.value)


def _note(kind: str, bits: int) -> str:
    return NOTES[kind] if bits == 8 else f"{NOTES[kind]} Numbers of {bits} bits, packed."


def _dense(entry: Entry, axes: dict[str, int], bits: int) -> Iterator[Entry]:
    if entry.name not in axes:
        yield entry
        return
    yield _values(entry.name, entry.shape, bits)
    yield Entry(f"{entry.name}.scales", torch.float32, (entry.shape[axes[entry.name]],))


def _values(name: str, shape: tuple[int, ...], bits: int) -> Entry:
    if bits == 8:
        return Entry(f"{name}.values", torch.int8, shape)
    return Entry(f"{name}.values", torch.uint8, (-(-math.prod(shape) * bits // 8),))


def _sparse(entry: Entry, axes: dict[str, int], kept: dict[str, int], bits: int, kind: str) -> Iterator[Entry]:
    if entry.name not in kept:
        yield from _dense(entry, axes, bits)
        return
    n_kept = kept[entry.name]
    whole = entry.name in axes
    yield _values(entry.name, (n_kept,), bits) if whole else Entry(f"{entry.name}.values", entry.dtype, (n_kept,))
    if kind == "bitmask":
        yield Entry(f"{entry.name}.bits", torch.uint8, (-(-math.prod(entry.shape) // 8),))
        yield Entry(f"{entry.name}.shape", torch.int32, (len(entry.shape),))
    else:
        n_rows = entry.shape[0] if len(entry.shape) > 1 else 1
        yield Entry(f"{entry.name}.columns", torch.int32, (n_kept,))
        yield Entry(f"{entry.name}.rows", torch.int32 if n_kept < 2**31 else torch.int64, (n_rows + 1,))
    if whole:
        yield Entry(f"{entry.name}.scales", torch.float32, (entry.shape[axes[entry.name]],))


def _cut(entry: Entry, plan: Plan, shapes: dict[str, tuple[int, ...]]) -> Entry:
    """The entry after removal; running statistics follow their batch norm's weight."""
    shape = plan.kept_shapes.get(entry.name)
    sibling = f"{entry.name.rpartition('.')[0]}.weight"
    if shape is None and sibling in plan.kept_shapes and shapes.get(sibling) == entry.shape:
        shape = plan.kept_shapes[sibling]
    return entry if shape is None else Entry(entry.name, entry.dtype, tuple(shape))
