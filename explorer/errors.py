"""The one error that people are meant to read."""

from __future__ import annotations


class ExplorerError(Exception):
    """A mistake the user can mend: what happened, why, and what to do about it.

    Screens and the command line print it as one sentence after another and never
    with a traceback. Anything that is not an ``ExplorerError`` is a bug of ours.
    """

    def __init__(self, what: str, *, why: str = "", fix: str = "") -> None:
        self.what = what
        self.why = why
        self.fix = fix
        super().__init__(" ".join(part for part in (what, why, fix) if part))
