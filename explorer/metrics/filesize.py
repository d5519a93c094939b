"""How long a safetensors file is, to the byte, without writing it.

Layout: 8 bytes that say how long the header is, a JSON header with every tensor's dtype, shape
and place, padded with spaces to a multiple of 8, and then the tensors one after another.
Source: the format's description, https://github.com/huggingface/safetensors#format.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from json.encoder import encode_basestring

import torch

from explorer.errors import ExplorerError

# In the order in which a safetensors file holds them.
_DTYPES: dict[torch.dtype, tuple[str, int]] = {
    torch.uint64: ("U64", 8),
    torch.int64: ("I64", 8),
    torch.float64: ("F64", 8),
    torch.complex64: ("C64", 8),
    torch.float32: ("F32", 4),
    torch.uint32: ("U32", 4),
    torch.int32: ("I32", 4),
    torch.bfloat16: ("BF16", 2),
    torch.float16: ("F16", 2),
    torch.uint16: ("U16", 2),
    torch.int16: ("I16", 2),
    torch.float8_e4m3fn: ("F8_E4M3", 1),
    torch.float8_e5m2: ("F8_E5M2", 1),
    torch.int8: ("I8", 1),
    torch.uint8: ("U8", 1),
    torch.bool: ("BOOL", 1),
}
_RANK = {dtype: place for place, dtype in enumerate(_DTYPES)}


@dataclass(frozen=True)
class Entry:
    """One tensor of a file: what the header says about it."""

    name: str
    dtype: torch.dtype
    shape: tuple[int, ...]

    @cached_property
    def n_bytes(self) -> int:
        return math.prod(self.shape) * _dtype(self)[1]


def _dtype(entry: Entry) -> tuple[str, int]:
    if entry.dtype not in _DTYPES:
        raise ExplorerError(
            f"The size of {entry.name!r} cannot be counted.",
            why=f"A safetensors file does not hold the type {entry.dtype}.",
            fix="Convert the tensor to float32, float16 or bfloat16.",
        )
    return _DTYPES[entry.dtype]


def in_file_order(entries: Iterable[Entry]) -> list[Entry]:
    """Widest type first, then by name: the order in which the library writes tensors."""
    return sorted(entries, key=lambda entry: (_RANK.get(entry.dtype, -1), entry.name))


def header(entries: Iterable[Entry], metadata: Mapping[str, str] | None = None) -> bytes:
    """The first bytes of the file, up to where the tensors begin."""
    described = [f'"__metadata__":{_json(dict(metadata))}'] if metadata else []
    start = 0
    for entry in in_file_order(entries):
        stop = start + entry.n_bytes
        kind, shape = _dtype(entry)[0], ",".join(map(str, entry.shape))
        # Written out by hand: of a hundred thousand tensors json takes three times as long.
        about = f'{{"dtype":"{kind}","shape":[{shape}],"data_offsets":[{start},{stop}]}}'
        described.append(f"{encode_basestring(entry.name)}:{about}")
        start = stop
    text = f"{{{','.join(described)}}}".encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def file_bytes(entries: Iterable[Entry], metadata: Mapping[str, str] | None = None) -> int:
    """Bytes of the safetensors file that holds these tensors, and this metadata in its header."""
    listed = list(entries)
    return len(header(listed, metadata)) + sum(entry.n_bytes for entry in listed)
