"""Finished content put at a path: whole and read back, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import torch
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.store.atomic import replacing
from explorer.types import LoadedModel


def put(contents: Mapping[Path, bytes]) -> None:
    """Write files that belong together; each takes its place only when all were written and read back.

    Until then, and on any failure, what was there stays. ExplorerError when the disk refuses.
    """
    with ExitStack() as stack:
        # The first one is put in its place last: who sees it, sees what belongs to it too.
        for path, content in contents.items():
            temporary = stack.enter_context(replacing(path))
            temporary.write_bytes(content)
            if temporary.read_bytes() != content:
                raise misread(str(path))


def misread(what: str) -> ExplorerError:
    """The refusal of something written that came back otherwise."""
    why = "What was read back is not what was written."
    return ExplorerError(f"{what} could not be written.", why=why, fix="Check the disk and try again.")


def same_tensors(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    """Equal names, dtypes, shapes and bits: NaN equals itself, and -0 does not equal 0."""
    return one.keys() == other.keys() and all(_same(tensor, other[name]) for name, tensor in one.items())


def _same(one: Tensor, other: Tensor) -> bool:
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    return torch.equal(one.reshape(-1).view(torch.uint8), other.reshape(-1).view(torch.uint8))


def check_target(model: LoadedModel, path: Path, suffix: str, also: tuple[Path, ...] = (), *, force: bool) -> None:
    """ExplorerError for another ending, a folder that is not there, the model's own file, and files that exist."""
    if not path.name.endswith(suffix):
        raise ExplorerError(f"{path} does not end in {suffix}.", fix=f"Write to {path.stem}{suffix}.")
    if not path.parent.is_dir():
        raise ExplorerError(f"There is no folder {path.parent}.", fix="Create it first.")
    source = Path(str(model.meta.get("path") or model.address))
    if path.exists() and source.exists() and path.samefile(source):
        raise ExplorerError(f"{path} is the model's own file.", why="It would be lost.", fix="Give another name.")
    there = next((p for p in (path, *also) if p.exists()), None)
    if there is not None and not force:
        raise ExplorerError(f"{there} is there already.", fix="Give another name, or --force to replace it.")
