"""torchvision beside a version of torch that it has no binary for: its compiled operators are named, so it imports.

Those operators cannot be run; everything else can.
"""

from __future__ import annotations

import importlib.util

import torch

_OPERATORS = ("nms", "qnms")  # the only ones that an import of torchvision looks for
_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_DEFINED: list[torch.library.Library] = []


def define_missing_operators() -> None:
    """Define them where torchvision is installed without its binary; nothing happens a second time."""
    if _DEFINED or importlib.util.find_spec("torchvision") is None or hasattr(torch.ops.torchvision, "nms"):
        return
    place = torch.library.Library("torchvision", "DEF")
    for operator in _OPERATORS:
        place.define(operator + _SCHEMA)
    _DEFINED.append(place)
