"""Which networks of timm and torchvision have the names and shapes of a file: looked up, none of them is built."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from torch import Tensor

from explorer.models.fit.names import COUNTER

LIST = Path(__file__).with_name("fingerprints.json")
_N = 12


def proposed(tensors: Mapping[str, Tensor], most: int = 5) -> list[str]:
    """Networks such as ``timm:resnet18`` whose weights have these names and shapes, but for the number of classes."""
    by_head: dict[str, dict[str, list[str]]] = _listed()
    names: list[str] = []
    for head, networks in by_head.items():
        parts = tuple(head.split())
        if all(f"{part}.weight" in tensors for part in parts):
            names += networks.get(fingerprint(tensors, parts), [])
    return [name for name in names if _is_installed(name.partition(":")[0])][:most]


def fingerprint(tensors: Mapping[str, Tensor], head: tuple[str, ...]) -> str:
    """Equal where names and shapes are, but for what stands in the ``head``, whose size is that of the classes."""
    inside = tuple(f"{part}." for part in head)
    total = hashlib.sha256()
    for name in sorted(tensors):
        if not name.endswith(COUNTER):
            shape = "" if name.startswith(inside) else tuple(tensors[name].shape)
            total.update(f"{name}|{shape}|".encode())
    return total.hexdigest()[:_N]


@cache
def _listed() -> dict[str, dict[str, list[str]]]:
    listed: dict[str, dict[str, list[str]]] = json.loads(LIST.read_text(encoding="utf-8"))
    return listed


def _is_installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None
