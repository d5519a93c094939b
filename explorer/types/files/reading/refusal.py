"""Why a file is not opened: raised in the reading process, carried over to the one that asked."""

from __future__ import annotations


class RefusedError(Exception):
    """The reason and what the user can do; the caller adds the file's name."""

    def __init__(self, why: str, fix: str) -> None:
        self.why = why
        self.fix = fix
        super().__init__(why)
