"""``classes.txt`` or ``classes.json`` beside class folders: which of the model's classes each folder is."""

from __future__ import annotations

import json
from pathlib import Path

from explorer.data.picture_trees import DiskTree, Tree
from explorer.errors import ExplorerError
from explorer.text.names import clean
from explorer.types.files import paths

NAMES = ("classes.txt", "classes.json")
_MOST_BYTES = 16 << 20
_FIX = "Write classes.txt with one folder a line in the model's order, or classes.json with {folder: class}."

Mapped = tuple[str, ...] | dict[str, str | int]
"""Folders in the model's order, or the class (its name or number) of each folder."""


def mapping_in(tree: Tree, top: Path) -> Mapped | None:
    """What the file says; None where there is none. Raises ExplorerError for one that cannot be read."""
    if not isinstance(tree, DiskTree):
        return None
    file = next((top / name for name in NAMES if (top / name).is_file()), None)
    if file is None:
        return None
    with paths.opened(file, within=tree.root) as source:
        content = source.file.read(_MOST_BYTES + 1)
    try:
        text = content.decode("utf-8-sig")
        mapped = _of_lines(text) if file.suffix == ".txt" else _of_json(json.loads(text))
    except (ValueError, RecursionError):
        mapped = None
    if mapped is None or len(content) > _MOST_BYTES:
        raise ExplorerError(f"{clean(file.name)} cannot be read.", why="It is no list of classes.", fix=_FIX)
    return mapped


def _of_lines(text: str) -> tuple[str, ...] | None:
    names = tuple(line.strip() for line in text.splitlines() if line.strip())
    return names if names and len(set(names)) == len(names) else None


def _of_json(document: object) -> Mapped | None:
    if isinstance(document, list) and document and all(isinstance(name, str) for name in document):
        return _of_lines("\n".join(document))
    if isinstance(document, dict) and document:
        values = document.values()
        if all(isinstance(value, str | int) and not isinstance(value, bool) for value in values):
            return {str(name): value for name, value in document.items()}
    return None
