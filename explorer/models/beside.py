"""What a description beside a file of weights says of it: NAME.spec.json, or its entry in manifest.toml.

Nobody vouches for these files either. They are plain data, read up to a size and a depth; what goes beyond is not used,
and a sentence says so.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable
from pathlib import Path

from explorer.errors import ExplorerError, clean
from explorer.types.aliases import JsonObject
from explorer.types.files import paths

MAX_BYTES = 2**20
MAX_DEPTH = 32
NOTHING: tuple[JsonObject, str] = {}, ""


def description(path: Path) -> tuple[JsonObject, str]:
    """The first description beside the file at the real ``path``, and the sentence on one that cannot be used."""
    for name in (f"{path.stem}.spec.json", f"{path.name}.spec.json"):
        content, why_not = _read(path.with_name(name), json.loads)
        if content or why_not:
            # How the tensors are to be read is said by the file itself: only that was tried by the reader.
            return {key: value for key, value in content.items() if key != "kind"}, why_not
    manifest, why_not = _read(path.with_name("manifest.toml"), tomllib.loads)
    entry = manifest.get(path.stem)
    if not isinstance(entry, dict):
        return {}, why_not
    return {"arch": entry.get("architecture"), "arch_args": entry.get("arguments"), "data": entry.get("data")}, ""


def _read(path: Path, parse: Callable[[str], object]) -> tuple[JsonObject, str]:
    if not os.path.lexists(path):
        return NOTHING
    try:
        content = parse(_text(path))
    except ExplorerError as error:
        return {}, _not_used(path, str(error))
    except (
        OSError,
        ValueError,
        RecursionError,
    ):  # a whole number of 5,000 digits is no TOMLDecodeError, but a ValueError
        return {}, _not_used(path, "It cannot be read.")
    if not isinstance(content, dict):
        return {}, _not_used(path, "It holds no object.")
    if _is_deeper(content, MAX_DEPTH):
        return {}, _not_used(path, f"It is nested more than {MAX_DEPTH} deep.")
    return content, ""


def _not_used(path: Path, why: str) -> str:
    return f"The description beside it, {clean(path.name)}, was not used. {why}"


def _text(path: Path) -> str:
    with paths.opened(path, within=path.parent) as source:
        content = source.file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ExplorerError("It is larger than 1 MiB.")
    return content.decode("utf-8")


def _is_deeper(content: object, most: int) -> bool:
    """Whether objects and lists lie in each other more than ``most`` times; looks no deeper than that."""
    level = [content]
    for _ in range(most):
        level = [item for value in level if isinstance(value, dict | list) for item in _items(value)]
        if not level:
            return False
    return any(isinstance(value, dict | list) for value in level)


def _items(value: dict[str, object] | list[object]) -> list[object]:
    return list(value.values()) if isinstance(value, dict) else value
