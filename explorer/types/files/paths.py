"""One way from an address to an open file: read as text, made real, checked, opened, and not looked up again.

A process that serves a screen opens what lies in the folders of ``PRUNING_EXPLORER_ROOT`` and nothing else. Where the
variable is not set, in the user's own shell or notebook, every path may be opened.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from explorer.errors import ExplorerError, clean

ROOT_VARIABLE = "PRUNING_EXPLORER_ROOT"
MEANS_HOME = "Check the path; '~' means your home folder."


def _flags(*names: str) -> int:
    """The flags of ``os.open`` that this system has."""
    total = os.O_RDONLY
    for name in names:
        total |= getattr(os, name, 0)
    return total


# A pipe must not block and a link must not be followed: the path is real already.
_FILE = _flags("O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY")
_FOLDER = _flags("O_NOFOLLOW", "O_DIRECTORY", "O_CLOEXEC", "O_PATH")
_STEPS = os.open in os.supports_dir_fd


@dataclass(frozen=True)
class OpenFile:
    """A regular file, open for reading, and the real path that it was opened by."""

    file: BinaryIO
    path: Path

    @property
    def elsewhere(self) -> Path:
        """A name by which another process opens this very file, whatever lies at its path by then.

        It holds as long as the file is open. Only Linux has such names; elsewhere it is the real path.
        """
        name = Path(f"/proc/{os.getpid()}/fd/{self.file.fileno()}")
        return name if name.exists() else self.path


def serve() -> None:
    """From now on this process opens no file outside the allowed folders; none at all where nobody allowed one."""
    os.environ.setdefault(ROOT_VARIABLE, "")


def allowed_folders() -> list[Path] | None:
    """The folders whose files may be opened; None where every path may."""
    listed = os.environ.get(ROOT_VARIABLE)
    if listed is None:
        return None
    return [Path(folder).expanduser().resolve() for folder in listed.split(os.pathsep) if folder]


def real(address: str | Path) -> Path:
    """The real path of what is at ``address``, which no link leads to any more.

    White space around it does not count; a relative path begins in the first allowed folder. Raises ExplorerError where
    nothing is there, and, before anybody could learn whether something is, where it lies outside the allowed folders.
    """
    text, folders = str(address).strip(), allowed_folders()
    if folders is not None and not folders:
        raise ExplorerError(
            "This server opens no files by path.",
            fix="Upload the file, or start the app with: python -m explorer app --root FOLDER.",
        )
    try:
        path = _resolved(text, folders)
        _check_allowed(path, folders)
        path.stat()
    except (OSError, RuntimeError, ValueError):
        raise ExplorerError(f"There is nothing at {clean(text)!r}.", fix=MEANS_HOME) from None
    return path


def with_part(address: str) -> tuple[str, str]:
    """A path and the part of the file that is meant: ``("run.ckpt", "ema")`` of ``run.ckpt#ema``.

    Where a file has such a name itself, it is the path.
    """
    path, mark, part = address.rpartition("#")
    if not mark or not path:
        return address, ""
    try:
        real(address)
    except ExplorerError:
        return path, part
    return address, ""


@contextmanager
def opened(address: str | Path, *, within: Path | None = None) -> Iterator[OpenFile]:
    """The regular file at ``address``, open; ``within`` is a real folder that it must lie in besides.

    What was checked is what is opened: of its real path no part is followed that has become a link since. Raises
    ExplorerError for what is not there, not allowed, or no regular file (a folder, a pipe, a device).
    """
    path = real(address)
    if within is not None and not path.is_relative_to(within):
        raise ExplorerError(
            f"{clean(Path(address).name)!r} leads out of its folder.",
            why="Links that lead elsewhere are not followed.",
            fix="Copy the file into the folder, or remove the link.",
        )
    with os.fdopen(_descriptor(path, [*(allowed_folders() or []), *([within] if within else [])]), "rb") as file:
        _check_regular(path, os.fstat(file.fileno()).st_mode)
        yield OpenFile(file, path)


def _resolved(text: str, folders: Sequence[Path] | None) -> Path:
    """A server's relative paths begin in the first folder that it allows, wherever it was started."""
    if not text:
        raise ValueError("an empty address would be the present folder")
    path = Path(text).expanduser()
    return (folders[0] / path if folders else path).resolve()


def _check_allowed(path: Path, folders: Sequence[Path] | None) -> None:
    if folders is not None and not any(path.is_relative_to(folder) for folder in folders):
        raise ExplorerError(
            "This path lies outside the folder that the server allows.",
            fix=f"Choose one in {folders[0]}, or start the app with --root FOLDER.",
        )


def _check_regular(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        what = f"{clean(path.name or str(path))!r} is a folder."
        raise ExplorerError(what, why="One file is opened here.", fix="Name a file in it.")
    if not stat.S_ISREG(mode):
        raise ExplorerError(
            f"{clean(path.name)!r} is not a regular file.",
            why="Pipes, devices and sockets are not opened.",
            fix="Name a regular file.",
        )


def _descriptor(path: Path, folders: Sequence[Path]) -> int:
    """``path`` opened for reading, step by step from the first of ``folders`` that holds it."""
    root = next((folder for folder in folders if path != folder and path.is_relative_to(folder)), path.parent)
    try:
        _check_regular(path, path.lstat().st_mode)  # first: opening a device may already do something
        return _stepwise(root, path.relative_to(root).parts) if _STEPS else os.open(path, _FILE)
    except OSError as error:
        what = f"{clean(path.name)!r} could not be opened."
        raise ExplorerError(what, why=f"{error.strerror}.", fix="Check who may read it.") from None


def _stepwise(root: Path, parts: Sequence[str]) -> int:
    folder = os.open(root, _FOLDER)
    try:
        for part in parts[:-1]:
            step = os.open(part, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = step
        return os.open(parts[-1], _FILE, dir_fd=folder)
    finally:
        os.close(folder)
