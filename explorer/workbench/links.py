"""The workspace in the address bar: a link restores model, data, request and page."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from typing import Any

from explorer.errors import ExplorerError
from explorer.pruning.spec import PruneSpec

_LONGEST = 20_000
_MOST_BYTES = 500_000


def encode(spec: PruneSpec) -> str:
    """A request as a short text for a link: what differs from the default, compressed."""
    default = PruneSpec().to_json()
    small = {part: value for part, value in spec.to_json().items() if value != default[part]}
    if not small:
        return ""
    packed = zlib.compress(json.dumps(small, separators=(",", ":")).encode(), 9)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def decode(text: str) -> PruneSpec:
    """The inverse of :func:`encode`; a link that was cut or made up is refused in a sentence."""
    if not text:
        return PruneSpec()
    try:
        if len(text) > _LONGEST:
            raise ValueError
        unpacker = zlib.decompressobj()
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        plain = unpacker.decompress(packed, _MOST_BYTES)
        if unpacker.unconsumed_tail or not unpacker.eof:
            raise ValueError
        return PruneSpec.from_json(plain.decode())
    except (ValueError, binascii.Error, zlib.error):
        raise ExplorerError(
            "The setting in this link cannot be read.",
            why="It was cut off or changed on the way.",
            fix="Ask for the whole link, or start from the dense model.",
        ) from None


def query(values: Mapping[str, Any]) -> dict[str, str]:
    """Query parameters without the empty ones."""
    return {name: str(value) for name, value in values.items() if value not in (None, "", ())}
