"""Tables that a command writes beside what it prints."""

from __future__ import annotations

from pathlib import Path

from explorer.errors import ExplorerError


def check_place(path: str | None) -> None:
    """Refuse a file in a folder that is not there: before the work, which may take long."""
    if path and not Path(path).parent.is_dir():
        raise ExplorerError(f"{path} could not be written.", why="There is no such folder.", fix="Create it first.")
