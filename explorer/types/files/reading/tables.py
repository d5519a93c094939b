"""Tables of text (CSV) that nobody vouches for, in the reading process: numbers come out, and what was assumed.

Its ``main`` takes FILE, the name of the target column ("": find it) and FOLDER.
"""

from __future__ import annotations

import csv
import io
import logging
import math
import os
import stat
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from explorer.types.files.reading.answer import write_report
from explorer.types.files.reading.limits import computing_seconds, restrict, start_clocks, waiting_seconds
from explorer.types.files.reading.refusal import RefusedError

MAX_BYTES = 512 * 2**20
MAX_COLUMNS = 100_000
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?", "-"})
TARGETS = ("y", "label", "labels", "target", "targets", "class")
_LOOKED_AT = 50  # lines that tell the separator and the header

Rows = list[list[str]]


def main(source: str, target: str, folder: str) -> int:
    """Leave the inputs as x.bin, (rows, columns) float64, and the targets in the report; or a refusal."""
    try:
        answer = _read(source, target, Path(folder))
    except RefusedError as refusal:
        answer = {"why": refusal.why, "fix": refusal.fix}
    except Exception:  # a damaged file may raise anything at all
        logging.getLogger(__name__).exception("The table could not be read.")
        answer = {"why": "It is damaged, or no table of text.", "fix": "Save it again as CSV in UTF-8."}
    write_report(Path(folder), answer)
    return 0


def _read(source: str, target: str, folder: Path) -> dict[str, object]:
    handle = os.open(source, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
            why = "It is not a regular file." if status.st_size <= MAX_BYTES else "It is larger than 512 MiB."
            raise RefusedError(why, "Name a CSV file, or save the arrays with numpy.savez.")
        start_clocks(computing_seconds(4 * status.st_size), waiting_seconds(4 * status.st_size))
        restrict(16 * status.st_size)
        text, encoding = decoded(file.read())
    rows, separator = split_lines(text)
    names, rows = header_of(rows)
    place = _target_of(names, target)
    complete, absent = _without_missing(rows, names)
    if not complete:
        raise RefusedError("No row is complete.", "Fill the missing values, or remove their columns.")
    inputs = [k for k in range(len(names)) if k != place]
    x, comma = _numbers(complete, inputs, names, separator)
    x.tofile(folder / "x.bin")
    y = [row[place].strip() for row in complete]
    return {
        "n": len(complete),
        "n_inputs": len(inputs),
        "y": y,
        "names": names,
        "target": names[place],
        "encoding": encoding,
        "separator": SEPARATORS[separator],
        "header": rows is not None and names[0] != "column 1",
        "decimal_comma": comma,
        "n_left_out": len(rows) - len(complete),
        "absent": absent,
    }


def decoded(content: bytes) -> tuple[str, str]:
    """The text, and the encoding that it was read in: by its mark, else UTF-8, else Latin-1, which reads anything."""
    marks = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
    marked = next((name for mark, name in marks.items() if content.startswith(mark)), None)
    if b"\0" in content and marked != "utf-16":
        raise RefusedError("It holds zero bytes, which no text has.", "Save it as CSV in UTF-8.")
    for encoding in (marked, "utf-8", "latin-1"):
        if encoding is not None:
            try:
                return content.decode(encoding), encoding.removesuffix("-sig")
            except UnicodeDecodeError:
                continue
    raise RefusedError("Its text cannot be decoded.", "Save it as CSV in UTF-8.")


def split_lines(text: str) -> tuple[Rows, str]:
    """The cells of all rows, and the separator: the one that cuts the first lines into most cells, all alike."""
    csv.field_size_limit(1_000_000)
    lines = [line for line in text.splitlines()[:_LOOKED_AT] if line.strip()]
    best, most = ",", 1
    for separator in SEPARATORS:
        widths = {len(row) for row in csv.reader(lines, delimiter=separator)}
        if len(widths) == 1 and max(widths) > most:
            best, most = separator, max(widths)
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=best) if any(cell.strip() for cell in row)]
    widths = {len(row) for row in rows}
    if not rows or widths == {1}:
        raise RefusedError("It has no two columns.", "Separate cells by commas, semicolons, tabs or bars.")
    if len(widths) > 1 or max(widths) > MAX_COLUMNS:
        odd = next(n for n, row in enumerate(rows, 1) if len(row) != len(rows[0]))
        why = f"Row {odd} has {len(rows[odd - 1])} cells, the first one {len(rows[0])}."
        raise RefusedError(why, "Give every row the same cells, with text that holds separators in quotes.")
    return rows, best


def header_of(rows: Rows) -> tuple[list[str], Rows]:
    """The names of the columns and the rows below: a header is a first row without a number above one with some."""
    has_number = [any(_is_number(cell) for cell in row) for row in rows[:2]]
    if len(rows) > 1 and not has_number[0] and has_number[1]:
        names = [cell.strip() or f"column {k}" for k, cell in enumerate(rows[0], 1)]
        if len(set(names)) < len(names):
            raise RefusedError("Two columns have the same name.", "Give every column a name of its own.")
        return names, rows[1:]
    return [f"column {k}" for k in range(1, len(rows[0]) + 1)], rows


def _target_of(names: Sequence[str], asked: str) -> int:
    if asked:
        if asked not in names:
            raise RefusedError(f"It has no column {asked[:100]!r}.", f"Its columns: {', '.join(names)[:300]}.")
        return names.index(asked)
    by_name = [k for k, name in enumerate(names) if name.lower() in TARGETS]
    return by_name[0] if len(by_name) == 1 else len(names) - 1


def _without_missing(rows: Rows, names: Sequence[str]) -> tuple[Rows, dict[str, int]]:
    """The rows without a missing value, and how many are missing in each column that has some."""
    absent: dict[str, int] = {}
    complete = []
    for row in rows:
        holes = [k for k, cell in enumerate(row) if cell.strip().lower() in MISSING]
        for k in holes:
            absent[names[k]] = absent.get(names[k], 0) + 1
        if not holes:
            complete.append(row)
    return complete, absent


def _numbers(rows: Rows, inputs: Sequence[int], names: Sequence[str], separator: str) -> tuple[np.ndarray, bool]:
    """(rows, columns) float64, and whether points were written as commas."""
    comma = separator != "," and any("," in row[k] for row in rows[:_LOOKED_AT] for k in inputs)
    x = np.empty((len(rows), len(inputs)))
    for n, row in enumerate(rows):
        for column, k in enumerate(inputs):
            cell = row[k].replace(",", ".") if comma else row[k]
            if not _is_number(cell):
                why = f"Column {names[k][:60]!r} holds {row[k][:60]!r}, which is no number."
                raise RefusedError(why, "Encode columns of text as numbers, or leave them out.")
            x[n, column] = float(cell)
    return x, comma


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False
