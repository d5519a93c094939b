"""A folder for a moment, for what another process is to read or the disk is to be asked."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from explorer.errors import ExplorerError
from explorer.types.files import leftovers

_PREFIX = "pruning-explorer-"


class NoScratchError(ExplorerError):
    """Temporary files could not be written: whatever was to be found out with them stays open."""


@contextmanager
def scratch(parent: Path | str | None = None) -> Iterator[Path]:
    """An empty folder in ``parent`` (the system's place for such files unless given), gone afterwards.

    NoScratchError where the disk refuses, also while the block writes to it. Folders of processes that were killed
    go first.
    """
    try:
        sweep_scratch(parent)
        with tempfile.TemporaryDirectory(dir=parent, prefix=f"{_PREFIX}{leftovers.mark()}-") as place:
            yield Path(place)
    except (OSError, SafetensorError) as error:
        logging.getLogger(__name__).exception("Temporary files could not be written.")
        why = f"{getattr(error, 'strerror', None) or error}."
        fix = "Make room, or let TMPDIR name another folder."
        raise NoScratchError("Temporary files could not be written.", why=why, fix=fix) from error


def sweep_scratch(parent: Path | str | None = None) -> None:
    """Remove the scratch folders in ``parent`` whose process is dead."""
    leftovers.sweep(parent or tempfile.gettempdir(), _PREFIX)
