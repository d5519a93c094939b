"""Where things are kept: the folder that was said, else the one of this user."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_data_dir

VARIABLE = "PRUNING_EXPLORER_DATA"


def data_folder(folder: Path | str | None = None) -> Path:
    """``folder``, else what the environment variable PRUNING_EXPLORER_DATA says, else the user's data folder."""
    chosen = folder or os.environ.get(VARIABLE, "").strip()
    return Path(chosen or user_data_dir("pruning-explorer", appauthor=False)).expanduser()


def make_folder(folder: Path) -> None:
    """Make a data folder where it is missing, for this user alone; one that is there stays as it is."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
