"""Files that are complete or absent: written beside their place, flushed to disk, then renamed into it."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from explorer.errors import ExplorerError
from explorer.types.files import leftovers

_PART = ".part"
_REASONS = {
    errno.ENOSPC: ("The disk is full.", "Make room or choose another folder."),
    errno.EDQUOT: ("The disk quota is used up.", "Make room or choose another folder."),
    errno.EFBIG: ("The file would be larger than this system allows.", "Choose another folder."),
    errno.EACCES: ("Writing there is not permitted.", "Choose a folder that you may write to."),
    errno.EPERM: ("Writing there is not permitted.", "Choose a folder that you may write to."),
    errno.EROFS: ("That file system is read-only.", "Choose a folder that you may write to."),
    errno.ENAMETOOLONG: ("The name is too long.", "Choose a shorter name."),
}


@contextmanager
def replacing(path: Path | str, *, private: bool = False) -> Iterator[Path]:
    """A new empty file to write, which takes the place of ``path`` when the block ends well.

    It has the permissions of the file that it replaces, or those usual here; a ``private`` one is for this user
    alone. Until the end, and when anything goes wrong, what was at ``path`` stays as it was, also when the process
    is killed or the disk is full. What killed processes left half written in the folder goes. A file system error
    becomes an ``ExplorerError`` that names the path; every other error passes through.
    """
    target = Path(path)
    try:
        temporary = _beside(target, private)
    except OSError as error:
        raise cannot_write(target, error) from error
    try:
        yield temporary
        _sync(temporary)
        os.replace(temporary, target)
        _sync_folder(target.parent)
    except OSError as error:
        raise cannot_write(target, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_text(path: Path | str, text: str, *, private: bool = False) -> None:
    """Put UTF-8 text at ``path``, whole or not at all."""
    with replacing(path, private=private) as temporary:
        temporary.write_text(text, encoding="utf-8")


def cannot_write(path: Path, error: OSError) -> ExplorerError:
    """The refusal that goes with a file system error."""
    why, fix = _REASONS.get(error.errno or 0, (f"{error.strerror or error}.", "Choose another place to write to."))
    return ExplorerError(f"{path} could not be written.", why=why, fix=fix)


def _beside(target: Path, private: bool) -> Path:
    # Another name for the same place would defeat the check for folders and for pipes.
    if target.is_dir():
        raise ExplorerError(f"{target} could not be written.", why="It is a folder.", fix="Give a file name in it.")
    if target.exists() and not target.is_file():
        raise ExplorerError(
            f"{target} could not be written.", why="It is not a plain file.", fix="Choose another name."
        )
    if not target.parent.is_dir():
        why = f"There is no folder {target.parent}."
        raise ExplorerError(f"{target} could not be written.", why=why, fix="Create the folder first.")
    leftovers.sweep(target.parent, ".", _PART)
    prefix = f".{target.name[:60]}.{leftovers.mark()}."
    handle, name = tempfile.mkstemp(prefix=prefix, suffix=_PART, dir=target.parent)
    os.close(handle)
    if not private:  # mkstemp gives it to this user alone
        os.chmod(name, target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
    return Path(name)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    # Windows has no way to flush a folder; there the rename is as durable as the system makes it.
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
