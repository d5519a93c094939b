"""Tables on the screen as files for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from explorer.text.names import clean_cell


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
    return clean_cell(value) if isinstance(value, str) else value
