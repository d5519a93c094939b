"""What a file may name besides itself: bundled data, and nothing else."""

from __future__ import annotations

from explorer.text.names import clean

BUNDLED_DATA = ("digits", "topics", "none")
NOT_FOLLOWED = "data_not_followed"
"""Where ``LoadedModel.meta`` holds, as text, the data that a file names and that are not opened."""


def followed(named: object) -> tuple[str | None, dict[str, str]]:
    """(the bundled data that a file names, or None; for ``meta``, what it names instead and is not followed).

    Whoever made a file does not decide which files of this machine are opened: whoever opens it does.
    """
    if named is None or named == "":
        return None, {}
    if isinstance(named, str) and named in BUNDLED_DATA:
        return named, {}
    return None, {NOT_FOLLOWED: clean(str(named), 80)}


def sentence(not_followed: str) -> str:
    """What was named, and why it is not opened."""
    return f"The file names data, {not_followed!r}, that are not bundled: what a file names is not opened by itself."


def other_set(key: str) -> str:
    """How the weights under another key of the same file are opened."""
    return f"Open them by adding #{clean(key)} to the path."
