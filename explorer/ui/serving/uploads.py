"""How much of the server's memory uploaded files take, of each visitor and of all."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from explorer.errors import ExplorerError
from explorer.workbench.quotas import Quotas

_MB = 1_000_000
_MOST_REFUSALS = 100


class Uploads:
    """The bytes on their way, and those that Streamlit holds for each session, by visitor."""

    def __init__(self) -> None:
        self._visitor_of: dict[str, str] = {}
        self._coming: Counter[str] = Counter()
        self._refusals: dict[str, ExplorerError] = {}
        self._lock = threading.Lock()

    def refusal(self, visitor: str) -> ExplorerError | None:
        """Why the last file of this visitor did not come in, once: the browser shows no more than a number."""
        return self._refusals.pop(visitor, None)

    @contextmanager
    def room(self, visitor: str, session: str, n_bytes: int) -> Iterator[None]:
        """Room for a file while it comes in. ExplorerError where this visitor, or all, have too much."""
        with self._lock:
            try:
                self._check(visitor, session, n_bytes)
            except ExplorerError as error:
                self._refusals = {**dict(list(self._refusals.items())[-_MOST_REFUSALS:]), visitor: error}
                raise
            self._coming[visitor] += n_bytes
        try:
            yield
        finally:
            with self._lock:
                self._coming[visitor] -= n_bytes

    def _check(self, visitor: str, session: str, n_bytes: int) -> None:
        quotas, held = Quotas.here(), _held()
        self._visitor_of = {session: visitor} | {s: v for s, v in self._visitor_of.items() if s in held}
        theirs = sum(n for s, n in held.items() if self._visitor_of.get(s) == visitor) + self._coming[visitor]
        everybody = sum(held.values()) + self._coming.total()
        _check(theirs + n_bytes, quotas.upload_mb_each, "Your uploaded files take too much memory.")
        _check(everybody + n_bytes, quotas.upload_mb, "The uploaded files of all visitors take too much memory.")


def _check(n_bytes: int, most_mb: int, what: str) -> None:
    if n_bytes > most_mb * _MB:
        why = f"With this one they would be {n_bytes / _MB:,.0f} MB; this server takes {most_mb:,} MB."
        raise ExplorerError(what, why=why, fix="Close tabs with uploads that are not needed, and try again.")


def _held() -> dict[str, int]:
    manager = runtime.get_instance().uploaded_file_mgr if runtime.exists() else None
    if not isinstance(manager, MemoryUploadedFileManager):
        return {}
    files = {session: list(files.values()) for session, files in list(manager.file_storage.items())}
    return {session: sum(len(file.data) for file in each) for session, each in files.items()}


UPLOADS = Uploads()
