"""ZIP archives that nobody vouches for, in the reading process: names and sizes are checked, no file is unpacked.

Its ``main`` takes FILE and FOLDER and leaves the names in the report; :func:`content` gives one record's bytes.
"""

from __future__ import annotations

import logging
import os
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from explorer.types.files.reading.answer import write_report
from explorer.types.files.reading.limits import computing_seconds, restrict, start_clocks, waiting_seconds
from explorer.types.files.reading.refusal import RefusedError

MAX_RECORDS = 600_000
MAX_DIRECTORY = 256 * 2**20  # bytes of the list of records
MAX_RECORD_BYTES = 64 * 2**20
MAX_GROWTH = 200  # times a record may grow, where it is larger than a small one
SMALL = 1 << 20
_ENCRYPTED = 1
_AGAIN = "Pack the folder again, as a plain ZIP file of pictures."


def main(source: str, folder: str) -> int:
    """Leave the names of an archive's records, or a refusal."""
    try:
        handle = os.open(source, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise RefusedError("It is not a regular file.", _AGAIN)
            start_clocks(computing_seconds(status.st_size), waiting_seconds(status.st_size))
            restrict(4 * MAX_DIRECTORY)
            answer: dict[str, object] = {"names": names_of(file)}
    except RefusedError as refusal:
        answer = {"why": refusal.why, "fix": refusal.fix}
    except Exception:  # a damaged archive may raise anything at all
        logging.getLogger(__name__).exception("The archive could not be listed.")
        answer = {"why": "It is damaged, or not a ZIP archive.", "fix": _AGAIN}
    write_report(Path(folder), answer)
    return 0


def names_of(file: BinaryIO) -> list[str]:
    """The names of all records. Raises RefusedError for what an archive of pictures does not hold."""
    with zipfile.ZipFile(file) as archive:
        records = archive.infolist()
    if len(records) > MAX_RECORDS:
        raise RefusedError(f"It holds {len(records):,} records; at most {MAX_RECORDS:,} are read.", _AGAIN)
    names = [record.filename for record in records]
    if len(set(names)) < len(names):
        raise RefusedError("It holds two records of one name.", _AGAIN)
    for record in records:
        _check(record)
    return names


def _check(record: zipfile.ZipInfo) -> None:
    name = record.filename
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name or ":" in name or not path.parts:
        raise RefusedError(f"The record {name[:120]!r} would lead out of the archive.", _AGAIN)
    if stat.S_ISLNK(record.external_attr >> 16):
        raise RefusedError(f"The record {name[:120]!r} is a link.", "Pack the file that it leads to.")
    if record.flag_bits & _ENCRYPTED:
        raise RefusedError("It is encrypted.", "Pack it without a password.")
    grown = record.file_size > max(SMALL, MAX_GROWTH * record.compress_size)
    if record.file_size > MAX_RECORD_BYTES or grown:
        what = f"The record {name[:120]!r} would grow to {record.file_size / 2**20:,.0f} MiB."
        raise RefusedError(what, "Leave it out.")


def content(archive: zipfile.ZipFile, name: str) -> bytes:
    """The bytes of one record, checked again as they come: what a list says of sizes is not believed."""
    record = archive.getinfo(name)
    _check(record)
    with archive.open(record) as file:
        data = file.read(record.file_size + 1)
    if len(data) != record.file_size or zlib.crc32(data) != record.CRC:
        raise OSError("a record is not as large as the list says")
    return data
