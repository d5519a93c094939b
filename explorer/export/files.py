"""Finished content put at a path: whole and read back, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

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
                why = "What was read back is not what was written."
                raise ExplorerError(f"{path} was not written.", why=why, fix="Check the disk and try again.")


def check_target(model: LoadedModel, path: Path, suffix: str, also: tuple[Path, ...] = (), *, force: bool) -> None:
    """ExplorerError for a name with another ending, for the model's own file, and for files that exist."""
    if not path.name.endswith(suffix):
        raise ExplorerError(f"{path} does not end in {suffix}.", fix=f"Write to {path.stem}{suffix}.")
    source = Path(str(model.meta.get("path") or model.address))
    if path.exists() and source.exists() and path.samefile(source):
        raise ExplorerError(f"{path} is the model's own file.", why="It would be lost.", fix="Give another name.")
    there = next((p for p in (path, *also) if p.exists()), None)
    if there is not None and not force:
        raise ExplorerError(f"{there} is there already.", fix="Give another name, or --force to replace it.")
