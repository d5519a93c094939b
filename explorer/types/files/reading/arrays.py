"""NumPy archives that nobody vouches for, in the reading process: every size is checked before anything is unpacked.

Its ``main`` takes FILE and FOLDER, and leaves the numbers of each array there as they are in memory.
"""

from __future__ import annotations

import logging
import math
import os
import shutil
import stat
import zipfile
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from explorer.types.files.reading.answer import write_report
from explorer.types.files.reading.limits import (
    computing_seconds,
    restrict,
    start_clocks,
    unpacked_bytes,
    waiting_seconds,
)
from explorer.types.files.reading.refusal import RefusedError

MAX_HEADER = 10_000
PARTS = ("fit", "train", "tune", "val", "test")
MAX_ARRAYS = 2 * (1 + len(PARTS))
Header = tuple[tuple[int, ...], bool, np.dtype]

AGAIN = "Save it again with numpy.savez."


def main(source: str, folder: str) -> int:
    """Leave the arrays that are data in ``folder``, or a refusal."""
    try:
        answer = _read(source, Path(folder))
    except RefusedError as refusal:
        answer = {"why": refusal.why, "fix": refusal.fix}
    except Exception:  # a damaged header may raise anything at all
        logging.getLogger(__name__).exception("The archive could not be read.")
        answer = {"why": "It is damaged, or not a NumPy archive.", "fix": AGAIN}
    write_report(Path(folder), answer)
    return 0


def is_data(name: str) -> bool:
    """Whether an array of this name is data: x, y, x_fit, y_fit, ..."""
    head, _, tail = name.partition("_")
    return head in ("x", "y") and (not tail or tail in PARTS)


def _read(source: str, folder: Path) -> dict[str, object]:
    handle = os.open(source, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise RefusedError("It is not a regular file.", "Name a file made by numpy.savez.")
        start_clocks(computing_seconds(status.st_size), waiting_seconds(status.st_size))
        with zipfile.ZipFile(file) as archive:
            members = _members(archive)
            total = sum(archive.getinfo(name).file_size for name in members.values())
            if total > unpacked_bytes(status.st_size):
                why = f"Unpacked it would take {total / 2**20:,.0f} MiB, from {status.st_size / 2**20:,.1f} MiB."
                raise RefusedError(why, AGAIN)
            restrict(total)
            headers = {name: _checked_header(archive, member) for name, member in members.items()}
            for n, member in enumerate(members.values()):
                _unpack(archive, member, folder / f"a{n}")
    arrays = {
        name: {"shape": list(shape), "dtype": dtype.str, "by_columns": by_columns, "file": n}
        for n, (name, (shape, by_columns, dtype)) in enumerate(headers.items())
    }
    n_bytes = sum(math.prod(shape) * max(4, dtype.itemsize) for shape, _, dtype in headers.values())
    return {"arrays": arrays, "n_bytes": n_bytes}


def _members(archive: zipfile.ZipFile) -> dict[str, str]:
    names = archive.namelist()
    if len(set(names)) != len(names):
        raise RefusedError("It holds two records of one name.", AGAIN)
    return {name.removesuffix(".npy"): name for name in names if is_data(name.removesuffix(".npy"))}


def _checked_header(archive: zipfile.ZipFile, name: str) -> Header:
    """What the header of one array says, which must account for exactly the record's size."""
    info = archive.getinfo(name)
    with archive.open(info) as file:
        shape, by_columns, dtype = _header(file)
        used = file.tell()
    if dtype.hasobject or dtype.kind not in "buif" or dtype.subdtype is not None:
        raise RefusedError(f"{name!r} holds {dtype} instead of plain numbers.", "Save arrays of plain numbers.")
    if any(size < 0 for size in shape) or math.prod(shape) * dtype.itemsize != info.file_size - used:
        raise RefusedError(f"{name!r} is not as large as its header says.", AGAIN)
    return shape, by_columns, dtype


def _header(file: IO[bytes]) -> Header:
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    return read(file, max_header_size=MAX_HEADER)


def _unpack(archive: zipfile.ZipFile, name: str, target: Path) -> None:
    """The numbers alone; reading to the end also compares them with the sum stored with the record."""
    with archive.open(name) as file, target.open("wb") as out:
        _header(file)
        shutil.copyfileobj(file, out)
