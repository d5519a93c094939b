"""Where a parameter stands in an ONNX file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Origin:
    """The name of the tensor in the file, and whether its two dimensions are turned there."""

    name: str
    turned: bool = False
