"""Names from files and folders are hostile until proven otherwise: show them as text."""

from __future__ import annotations

import html
import re

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|~<>$:&])")
# Streamlit makes a link of any bare address, after the escapes are read: an invisible joiner ends it.
_ADDRESS = re.compile(r"(?<=://)|(?<=www)(?=\.)|(?<=@)", re.IGNORECASE)
_JOINER = "\N{WORD JOINER}"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


def plain(text: str, limit: int = 80) -> str:
    """For Streamlit labels, which are Markdown: no link, image, formula or directive survives."""
    return _MARKDOWN.sub(r"\\\1", _ADDRESS.sub(_JOINER, shown(text, limit)))


def escaped(text: str, limit: int = 200) -> str:
    """For our own HTML."""
    return html.escape(shown(text, limit), quote=True)


def model_name(address: str) -> str:
    """A model's address without its folders: what people call it."""
    return address.replace("\\", "/").rstrip("/").rpartition("/")[2] or address


def shown(text: str, limit: int = 80) -> str:
    """One line, no control or direction characters, cut in the middle where it is long."""
    line = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
    if len(line) <= limit:
        return line
    half = (limit - 1) // 2
    return f"{line[:half]}…{line[-half:]}"
