"""Tables on the screen as files for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from explorer.text.names import shown

# A spreadsheet would run what begins like this as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_text(rows: Sequence[Mapping[str, object]]) -> str:
    """Comma-separated text with one header line; the columns are the first row's keys, in order.

    Numbers are written in full, None as nothing. Text from files is made harmless: one line, and never a formula.
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return out.getvalue()


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = shown(value, 400)
    return f"'{text}" if text.startswith(_FORMULA) else text


def file_stem(address: str) -> str:
    """A model's address as the beginning of a file name: letters, digits, hyphens, at most 60."""
    name = address.rpartition("/")[2]
    stem = name.rpartition(".")[0] or name
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in stem)[:60] or "model"
