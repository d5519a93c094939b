"""Names from files and folders are hostile until proven otherwise: shown as text, for every place that shows them.

:func:`clean` is the rule: one line of letters that print, its middle left out where it is long. The others add what
their reader would take for markup. In a sentence of an ``ExplorerError`` a name is clean; the face that shows the
sentence escapes it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from explorer.errors import clean as clean

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|~<>$:&])")
# Streamlit makes a link of any bare address, after the escapes are read: an invisible joiner ends it.
_ADDRESS = re.compile(r"(?<=://)|(?<=www)(?=\.)|(?<=@)", re.IGNORECASE)
_JOINER = "\N{WORD JOINER}"
_PLOTLY = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;"})
# A spreadsheet would run what begins like this as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def clean_markdown(text: str, limit: int = 80) -> str:
    """For Streamlit's labels, which are Markdown: no link, image, formula or directive survives."""
    return _MARKDOWN.sub(r"\\\1", _ADDRESS.sub(_JOINER, clean(text, limit)))


def clean_html(text: str, limit: int = 200) -> str:
    """For our own HTML."""
    return html.escape(clean(text, limit), quote=True)


def clean_terminal(text: object) -> str:
    """For a terminal, whole: nothing in it moves the cursor or colours what follows."""
    return clean(str(text), None)


def clean_cell(text: str, limit: int = 400) -> str:
    """For a spreadsheet: never a formula."""
    cell = clean(text, limit)
    return f"'{cell}" if text.startswith(_FORMULA) or cell.startswith(_FORMULA) else cell


def clean_plotly(text: str, limit: int = 60) -> str:
    """For Plotly, which would draw tags, links and $formulas$ found in it."""
    return clean(text, limit).translate(_PLOTLY)


def clean_matplotlib(text: str, limit: int = 60) -> str:
    """For Matplotlib: no $formula$, and not hidden from the legend by a leading "_"."""
    line = clean(text, limit).replace("$", r"\$")
    return f" {line}" if line.startswith("_") else line


def model_name(address: str) -> str:
    """A model's address without its folders: what people call it."""
    return address.replace("\\", "/").rstrip("/").rpartition("/")[2] or address


def file_name(path: str) -> str:
    """The last part of a file name of any system, as text: never used as a path."""
    return clean(path.replace("\\", "/").rstrip("/").rpartition("/")[2]) or "file"


def file_stem(address: str) -> str:
    """A model's address as the beginning of a file name: letters, digits, hyphens, at most 60."""
    name = address.rpartition("/")[2]
    stem = name.rpartition(".")[0] or name
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in stem)[:60] or "model"


def listed(names: Sequence[str], most: int = 5) -> str:
    """ "a, b, c and 4 more"; "none" for no names."""
    text = ", ".join(clean(name) for name in names[:most])
    return f"{text} and {len(names) - most} more" if len(names) > most else text or "none"
