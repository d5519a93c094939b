"""Safetensors: a JSON header and raw numbers, checked before the library reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, BinaryIO

from safetensors import SafetensorError, safe_open
from torch import Tensor

from explorer.models.reader.limits import MAX_TENSORS
from explorer.models.reader.refusal import RefusedError

MAX_HEADER_BYTES = 32 * 2**20
DOWNLOAD = "Download or save it again."


def read_safetensors(file: BinaryIO, path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors in the order of the header, and the metadata; RefusedError when something is off."""
    names, metadata = _header(file)
    try:
        with safe_open(path, framework="pt", device="cpu") as opened:
            return {name: opened.get_tensor(name) for name in names}, metadata
    except (SafetensorError, KeyError, ValueError, TypeError, AttributeError, RuntimeError, OSError):
        why = "Its header and its contents do not agree, or it holds a type that is not known."
        raise RefusedError(why, DOWNLOAD) from None


def _header(file: BinaryIO) -> tuple[list[str], dict[str, str]]:
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
    return list(header), metadata


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose keys differ: readers disagree on which of two equal keys counts."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise RefusedError("It names one tensor twice, so what it contains is ambiguous.", DOWNLOAD)
    return found
