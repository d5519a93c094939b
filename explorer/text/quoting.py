"""Names that come from files, made safe and short enough for a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath


def shown(name: str, longest: int = 80) -> str:
    """The name without control characters (they could colour a terminal), cut when very long."""
    clean = "".join(c if c.isprintable() else "?" for c in name)
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"


def shown_file(filename: str) -> str:
    """The last part of a file name of any system, as text: never used as a path."""
    return shown(PurePosixPath(filename.replace("\\", "/")).name) or "file"


def listed(names: Sequence[str], most: int = 5) -> str:
    """ "a, b, c and 4 more"; "none" for no names."""
    text = ", ".join(shown(name) for name in names[:most])
    return f"{text} and {len(names) - most} more" if len(names) > most else text or "none"
