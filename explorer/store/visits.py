"""What visitors of a server left on it, for a day after its last use: their files, and the histories of their tabs.

``visits/OWNER/DIGEST.weights`` with ``DIGEST.json`` beside it is a file, ``TAB.history`` a history. The folder's name
is a digest of the owner, so that nobody becomes that visitor by reading it.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from explorer.errors import ExplorerError
from explorer.store.atomic import cannot_write, replacing, write_text
from explorer.store.folder import make_folder
from explorer.store.lock import alone

DAY_S = 86_400.0
_MB = 1_000_000
_MOST_HISTORIES = 12
_MOST_HISTORY_BYTES = 4_000_000
_DIGEST, _TAB = re.compile(r"[0-9a-f]{16}"), re.compile(r"[0-9a-f]{1,32}")
_WEIGHTS, _ABOUT, _HISTORY = ".weights", ".json", ".history"


@dataclass(frozen=True)
class StoredFile:
    """A visitor's file: the digest of its bytes, its name, the architecture it was opened as, and its size.

    ``model`` is the digest of the model that it holds.
    """

    digest: str
    name: str
    arch: str | None
    n_bytes: int
    model: str = ""


@dataclass(frozen=True)
class Visit:
    """The files and histories of one visitor below ``folder``; another owner does not find them."""

    folder: Path
    owner: str

    @property
    def place(self) -> Path:
        """This visitor's own folder."""
        return self.folder / hashlib.sha256(self.owner.encode()).hexdigest()[:32]

    def files(self) -> list[StoredFile]:
        """The files, the one used last first."""
        listed = sorted(_of_kind(self.place, _ABOUT), key=_age)
        return [file for path in listed if (file := _described(path)) is not None]

    def find(self, digest: str) -> StoredFile | None:
        """The file of this digest, used now; None where this visitor has none."""
        about = self.place / f"{digest}{_ABOUT}"
        file = _described(about) if _DIGEST.fullmatch(digest) else None
        if file is not None:
            with suppress(OSError):
                about.touch()
        return file

    def read(self, digest: str) -> bytes:
        """The bytes of a file that :meth:`find` gave. Raises ExplorerError where they are not what was stored."""
        content = b""
        with suppress(OSError):
            content = self._weights(digest).read_bytes()
        if hashlib.sha256(content).hexdigest()[:16] != digest:
            why = "It is missing on the disk, or was changed there."
            raise ExplorerError("The uploaded file cannot be read any more.", why=why, fix="Upload the file again.")
        return content

    def store(
        self, name: str, content: bytes, arch: str | None, *, most_each: int, most: int, model: str = ""
    ) -> StoredFile:
        """Store a file. ``most_each`` bytes a visitor: the oldest of theirs go; ``most`` of all: refused beyond."""
        file = StoredFile(hashlib.sha256(content).hexdigest()[:16], name, arch, len(content), model)
        if len(content) > most_each:
            raise _too_large(most_each, "each visitor")
        self._make()
        with alone(self.folder / ".lock"):
            self._make_room(most_each - len(content), but=file.digest)
            if _n_bytes(self.folder, but=self._weights(file.digest)) + len(content) > most:
                raise _too_large(most, "all visitors")
            if not self._holds(file):
                with replacing(self._weights(file.digest), private=True) as temporary:
                    temporary.write_bytes(content)
            write_text(self.place / f"{file.digest}{_ABOUT}", json.dumps(asdict(file)), private=True)
        return file

    def forget(self) -> None:
        """Remove every file of this visitor; histories stay."""
        for kind in (_ABOUT, _WEIGHTS):
            for path in _of_kind(self.place, kind):
                _remove(path)

    def write_history(self, tab: str, text: str) -> None:
        """Store what a tab can undo; the histories that were not used for longest go."""
        if not _TAB.fullmatch(tab):
            raise ValueError(f"{tab!r} is no name of a tab")
        self._make()
        write_text(self.place / f"{tab}{_HISTORY}", text, private=True)
        # By the clock the others may be newer: it may have been set back.
        others = [path for path in _of_kind(self.place, _HISTORY) if path.stem != tab]
        for path in sorted(others, key=_age)[_MOST_HISTORIES - 1 :]:
            _remove(path)

    def histories(self) -> Iterator[str]:
        """The texts of :meth:`write_history`, newest first."""
        for path in sorted(_of_kind(self.place, _HISTORY), key=_age)[:_MOST_HISTORIES]:
            with suppress(OSError, ValueError):
                if path.stat().st_size <= _MOST_HISTORY_BYTES:
                    yield path.read_text(encoding="utf-8")

    def _weights(self, digest: str) -> Path:
        return self.place / f"{digest}{_WEIGHTS}"

    def _holds(self, file: StoredFile) -> bool:
        """Whether the bytes are there already: they are not written again, which a full disk would not let."""
        with suppress(ExplorerError):
            return len(self.read(file.digest)) == file.n_bytes
        return False

    def _make(self) -> None:
        try:
            for folder in (self.folder.parent, self.folder, self.place):
                make_folder(folder)
        except OSError as error:
            raise cannot_write(self.place, error) from error

    def _make_room(self, n_bytes: int, but: str) -> None:
        others = [file for file in self.files() if file.digest != but]
        while others and sum(file.n_bytes for file in others) > n_bytes:
            oldest = others.pop()
            for kind in (_ABOUT, _WEIGHTS):
                _remove(self.place / f"{oldest.digest}{kind}")


def sweep(folder: Path, now: float | None = None) -> None:
    """Remove what nobody has used for a day."""
    moment = time.time() if now is None else now
    with suppress(OSError):
        for place in [path for path in folder.iterdir() if path.is_dir()]:
            for path in list(place.iterdir()):
                # The description beside a file says when it was used last.
                about = path.with_suffix(_ABOUT)
                used = about if path.suffix == _WEIGHTS and about.exists() else path
                if moment - used.stat().st_mtime > DAY_S:
                    _remove(path)
            if not any(place.iterdir()):
                place.rmdir()


def _of_kind(place: Path, suffix: str) -> list[Path]:
    with suppress(OSError):
        return [path for path in place.iterdir() if path.suffix == suffix]
    return []


def _age(path: Path) -> float:
    with suppress(OSError):
        return -path.stat().st_mtime
    return 0.0


def _described(about: Path) -> StoredFile | None:
    with suppress(OSError, ValueError, TypeError):
        file = StoredFile(**json.loads(about.read_text(encoding="utf-8")))
        sound = isinstance(file.name, str) and isinstance(file.n_bytes, int) and isinstance(file.arch, str | None)
        return file if sound and file.digest == about.stem else None
    return None


def _n_bytes(folder: Path, but: Path) -> int:
    """How much all visitors have stored; what is to be stored again in the place of ``but`` is not counted."""
    places = [path for path in folder.iterdir() if path.is_dir()]
    return sum(path.stat().st_size for place in places for path in _of_kind(place, _WEIGHTS) if path != but)


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _too_large(most: int, whom: str) -> ExplorerError:
    what = "The file is open, but is not kept for a reload of the page."
    why = f"This server keeps {most / _MB:,.0f} MB of files for {whom}."
    return ExplorerError(what, why=why, fix="Remove files that are not needed, under Model, or keep this tab open.")
