"""Where pictures lie: in folders on disk, or in a ZIP archive that is never unpacked to disk."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from explorer.data.read_apart import names_in_zip
from explorer.errors import ExplorerError

JUNK = {"__MACOSX", "@eaDir", "__pycache__"}


class Tree(Protocol):
    """Folders with files in them; every path is absolute and lies below ``root``."""

    @property
    def root(self) -> Path:
        """The folder, or the archive's file."""

    def folders(self, folder: Path) -> list[Path]:
        """The visible folders in one, sorted."""

    def files(self, folder: Path) -> list[Path]:
        """The visible files in one."""

    def below(self, folder: Path) -> list[Path]:
        """All visible files at any depth, sorted."""

    def check(self, path: Path) -> None:
        """Raises ExplorerError for a file that may not be opened."""


@dataclass(frozen=True)
class DiskTree:
    """A folder on disk. A link that leads out of it is refused."""

    root: Path

    def folders(self, folder: Path) -> list[Path]:
        """The folders in one, sorted; ExplorerError for a link to one that lies elsewhere."""
        visible = (p for p in folder.iterdir() if p.name not in JUNK and not p.name.startswith("."))
        folders = sorted((p for p in visible if p.is_dir()), key=lambda p: p.name)
        for path in folders:
            if not path.resolve().is_relative_to(self.root):
                raise _leads_out(self.root, path)
        return folders

    def files(self, folder: Path) -> list[Path]:
        """The visible files in one."""
        return [p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")]

    def below(self, folder: Path) -> list[Path]:
        """All files below a folder, sorted."""
        return [p for p in sorted(folder.rglob("*")) if not (p.is_dir() or JUNK & set(p.parts) or p.name[0] == ".")]

    def check(self, path: Path) -> None:
        """A link must not lead out of the folder, and a pipe would block for ever."""
        real = path.resolve()
        if not real.is_relative_to(self.root) or not real.exists() or not stat.S_ISREG(real.stat().st_mode):
            raise _leads_out(self.root, path)


@dataclass(frozen=True)
class ZipTree:
    """An archive, whose list of names was checked by the reading process."""

    root: Path

    @cached_property
    def _names(self) -> list[str]:
        return names_in_zip(self.root)

    @cached_property
    def _files(self) -> list[Path]:
        visible = (name for name in self._names if not name.endswith("/"))
        paths = sorted(self.root / name for name in visible)
        return [p for p in paths if not (JUNK & set(p.parts)) and not any(part[0] == "." for part in self._inner(p))]

    @cached_property
    def _folders(self) -> list[Path]:
        """All folders, empty ones too where the archive lists them."""
        listed = {self.root / name for name in self._names if name.endswith("/")}
        above = {parent for path in self._files for parent in path.parents}
        inside = {p for p in listed | above if p != self.root and self.root in p.parents}
        return sorted(p for p in inside if not (JUNK & set(p.parts)) and p.name[0] != ".")

    def _inner(self, path: Path) -> tuple[str, ...]:
        return path.relative_to(self.root).parts

    def folders(self, folder: Path) -> list[Path]:
        """The folders in one, sorted."""
        return [path for path in self._folders if path.parent == folder]

    def files(self, folder: Path) -> list[Path]:
        """The files in one."""
        return [path for path in self._files if path.parent == folder]

    def below(self, folder: Path) -> list[Path]:
        """All files below a folder, sorted."""
        return [path for path in self._files if folder in path.parents]

    def check(self, path: Path) -> None:
        """Links are refused when the archive is listed."""


def tree_at(path: Path, address: str) -> DiskTree | ZipTree:
    """The folder or the archive at a path. Raises ExplorerError for anything else."""
    if path.is_dir():
        return DiskTree(path)
    if path.suffix.lower() == ".zip":
        return ZipTree(path)
    place = address.partition(":")[2]
    raise ExplorerError(f"{place!r} is not a folder.", fix="Name the folder (or ZIP file) that holds the classes.")


def _leads_out(root: Path, path: Path) -> ExplorerError:
    return ExplorerError(
        f"{path.relative_to(root).as_posix()!r} is not a file or folder inside {root.name!r}.",
        why="Links that lead elsewhere and special files are not opened.",
        fix="Copy what it leads to into the folder, or remove it.",
    )
