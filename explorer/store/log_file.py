"""The log file: what ``logging`` holds of the explorer's mistakes, in the data folder, for its owner alone.

The command line and the app write it; who uses the library from Python sets up ``logging`` as for any other.
"""

from __future__ import annotations

import io
import logging
import os
import threading
from logging.handlers import RotatingFileHandler
from pathlib import Path

from explorer.store.folder import data_folder, make_folder

VARIABLE = "PRUNING_EXPLORER_LOG_LEVEL"
LEVELS = ("debug", "info", "warning", "error")
USUAL = "warning"
NAME = "explorer.log"
_LONGEST, _OLDER = 1_000_000, 3
_STARTING = threading.Lock()
_FORM = "%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s"


class _LogFile(RotatingFileHandler):
    """Made when there is something to write: four files of a megabyte at most, readable by their owner."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=_LONGEST, backupCount=_OLDER, encoding="utf-8", delay=True)
        self.setFormatter(logging.Formatter(_FORM))

    def _open(self) -> io.TextIOWrapper:
        path = Path(self.baseFilename)
        make_folder(path.parent)
        # Never through a link that somebody else may have put there.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        return open(os.open(path, flags, 0o600), "a", encoding="utf-8", errors="backslashreplace")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        """Where the disk is full or the folder is read-only, work goes on without its log."""


def start(level: str | None = None) -> Path:
    """From now on the explorer's log of this level (else the environment's, else warnings) goes to the file.

    May be called again: there is one file, in the data folder of the moment. Returns its path.
    """
    logger = logging.getLogger("explorer")
    asked = (level or os.environ.get(VARIABLE, "")).lower()
    logger.setLevel((asked if asked in LEVELS else USUAL).upper())
    path = (data_folder() / NAME).absolute()
    with _STARTING:  # every visitor of the app comes by
        present = _handler()
        if present is not None and present.baseFilename != str(path):
            logger.removeHandler(present)
            present.close()
            present = None
        if present is None:
            logger.addHandler(_LogFile(path))
    return path


def where() -> str:
    """Where a trace can be read, for a sentence; a home folder is ``~``, so that no screen names its user."""
    handler = _handler()
    if handler is None:
        return "Python's log"
    path = Path(handler.baseFilename)
    try:
        return f"~/{path.relative_to(Path.home()).as_posix()}"
    except (ValueError, RuntimeError):
        return str(path)


def _handler() -> _LogFile | None:
    return next((h for h in logging.getLogger("explorer").handlers if isinstance(h, _LogFile)), None)
