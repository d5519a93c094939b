"""The two parts of a slim model's file as they are written: the description as text, the tensors as bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping

from safetensors.torch import save
from torch import Tensor

from explorer.types.aliases import JsonObject


def arch_text(document: JsonObject) -> str:
    """The description of the graph as JSON, one step a line."""
    parts = []
    for name, part in document.items():
        lines = [json.dumps(part, allow_nan=False)]
        if isinstance(part, list) and part and isinstance(part[0], dict):
            lines = ["[", *(f"  {json.dumps(v)}{',' * (i + 1 < len(part))}" for i, v in enumerate(part)), " ]"]
        parts.append(f' "{name}": ' + "\n".join(lines))
    return "{\n" + ",\n".join(parts) + "\n}\n"


def plain_weights(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> bytes:
    """The tensors as a safetensors file."""
    content: bytes = save(dict(tensors), metadata={"format": "pt", **(metadata or {})})
    return content
