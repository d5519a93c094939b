"""Safetensors: a JSON header and raw numbers, checked before the library reads it."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from safetensors import SafetensorError, safe_open
from safetensors.torch import load
from torch import Tensor

from explorer.types.aliases import JsonDict, JsonObject
from explorer.types.files.reading.limits import MAX_TENSORS
from explorer.types.files.reading.refusal import RefusedError

MAX_HEADER_BYTES = 32 * 2**20
DOWNLOAD = "Download or save it again."
_MANY = 1000
_MODEST_BYTES = 64 * 2**20

_BYTES = re.compile(r"\d+")


@dataclass(frozen=True)
class Header:
    """The tensors by name, as they are described, and the texts beside them."""

    tensors: JsonObject
    metadata: dict[str, str]

    def n_values(self, name: str) -> int:
        """How many numbers a tensor has by its description; 0 where that makes no sense."""
        sizes = self._described(name).get("shape")
        if not isinstance(sizes, list) or not all(type(size) is int and size >= 0 for size in sizes):
            return 0
        return math.prod(sizes)

    def n_bytes_each(self, name: str) -> int:
        """How many bytes one number takes, by the name of its type ("F32", "F8_E4M3"), 8 at most."""
        bits = _BYTES.search(str(self._described(name).get("dtype")))
        return min(max(int(bits.group()[:2]) // 8, 1), 8) if bits else 8

    def _described(self, name: str) -> JsonObject:
        described = self.tensors.get(name)
        return described if isinstance(described, dict) else {}


def read_safetensors(header: Header, path: Path) -> dict[str, Tensor]:
    """The tensors in the order of the header; RefusedError when something is off."""
    try:
        if len(header.tensors) > _MANY and path.stat().st_size <= _MODEST_BYTES:
            loaded = load(path.read_bytes())  # one by one from the file they take three times as long
            return {name: loaded[name] for name in header.tensors}
        with safe_open(path, framework="pt", device="cpu") as opened:
            return {name: opened.get_tensor(name) for name in header.tensors}
    except (SafetensorError, KeyError, ValueError, TypeError, AttributeError, RuntimeError, OSError):
        why = "Its header and its contents do not agree, or it holds a type that is not known."
        raise RefusedError(why, DOWNLOAD) from None


def read_header(file: BinaryIO) -> Header:
    """What a file says of its tensors; RefusedError when it is damaged."""
    length = int.from_bytes(file.read(8), "little")
    if length > MAX_HEADER_BYTES:
        raise RefusedError(f"Its header claims {length / 2**20:,.0f} MiB; at most 32 MiB are read.", DOWNLOAD)
    try:
        header = json.loads(file.read(length), object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        raise RefusedError("Its header is damaged.", DOWNLOAD) from None
    if not isinstance(header, dict):
        raise RefusedError("Its header is damaged.", DOWNLOAD)
    raw = header.pop("__metadata__", {})
    metadata = {k: v for k, v in raw.items() if isinstance(v, str)} if isinstance(raw, dict) else {}
    if len(header) > MAX_TENSORS:
        raise RefusedError(f"It holds {len(header):,} tensors; at most {MAX_TENSORS:,} are read.", "Split the file.")
    return Header(header, metadata)


def _unique(pairs: list[tuple[str, Any]]) -> JsonDict:
    """A JSON object whose keys differ: readers disagree on which of two equal keys counts."""
    values = dict(pairs)
    if len(values) != len(pairs):
        raise RefusedError("It names one tensor twice, so what it contains is ambiguous.", DOWNLOAD)
    return values
