"""Safetensors files read in pieces, by their offsets: one file or all shards of a folder, whatever their size."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.models.reader.safetensors_file import read_header
from explorer.text.names import clean
from explorer.types.files import paths
from explorer.types.files.reading.refusal import RefusedError

PIECE = 1 << 20  # bytes that are held at a time: larger ones leave the processor's cache
INDEX = ".safetensors.index.json"
DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
_LARGEST_INDEX = 64 * 2**20


@dataclass(frozen=True)
class Stored:
    """One tensor as it lies in a file: ``start`` is its first byte there."""

    name: str
    dtype: torch.dtype
    shape: tuple[int, ...]
    path: Path
    start: int

    @property
    def n_weights(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)

    @property
    def n_bytes(self) -> int:
        """How many bytes it takes."""
        return self.n_weights * self.dtype.itemsize


@dataclass(frozen=True)
class Shards:
    """The tensors of a checkpoint in the order of its files; nothing of them is in memory."""

    place: Path
    tensors: Mapping[str, Stored]

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file once."""
        return tuple(dict.fromkeys(stored.path for stored in self.tensors.values()))

    @property
    def n_bytes(self) -> int:
        """The bytes of all tensors."""
        return sum(stored.n_bytes for stored in self.tensors.values())

    def pieces(self, name: str) -> Iterator[Tensor]:
        """The numbers of one tensor, flat, piece by piece; each piece is overwritten by the next one."""
        stored = self.tensors[name]
        with _opened(stored.path) as handle:
            yield from _pieces(handle, stored)


def shards(place: str | Path) -> Shards:
    """The tensors of a file, or of all shards of a folder. Raises ExplorerError for what is damaged or not there."""
    path = paths.real(str(place))
    files = _files(path) if path.is_dir() else [path]
    tensors: dict[str, Stored] = {}
    for file in files:
        for stored in _described(file):
            if stored.name in tensors:
                raise ExplorerError(f"{clean(stored.name)} is in two files of {clean(path.name)}.", fix="Remove one.")
            tensors[stored.name] = stored
    return Shards(path, tensors)


def _files(folder: Path) -> list[Path]:
    """The files that the folder's index names, else all that end in .safetensors."""
    indexes = sorted(folder.glob(f"*{INDEX}"))
    if not indexes:
        files = sorted(folder.glob("*.safetensors"))
        if not files:
            raise ExplorerError(f"{clean(str(folder))} holds no .safetensors files.", fix="Give another folder.")
        return files
    try:
        if indexes[0].stat().st_size > _LARGEST_INDEX:
            raise ValueError
        names = dict.fromkeys(str(name) for name in json.loads(indexes[0].read_text("utf-8"))["weight_map"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ExplorerError(f"{clean(indexes[0].name)} cannot be read.", fix="Download it again.") from None
    files = [folder / name for name in sorted(names)]
    for file in files:
        if Path(file.name) != file.relative_to(folder) or not file.is_file():
            why = "The index names it."
            raise ExplorerError(f"{clean(file.name)} is not in the folder.", why=why, fix="Download it again.")
    return files


def _described(file: Path) -> Iterator[Stored]:
    try:
        with file.open("rb") as opened:
            header = read_header(opened)
            first, size = opened.tell(), os.fstat(opened.fileno()).st_size
            described = [_stored(file, name, about, first, size) for name, about in header.tensors.items()]
    except RefusedError as refused:
        raise ExplorerError(f"{clean(file.name)} cannot be read.", why=refused.why, fix=refused.fix) from None
    except OSError as error:
        raise ExplorerError(f"{clean(file.name)} cannot be read.", why=f"{error.strerror}.", fix="Check it.") from None
    yield from sorted(described, key=lambda stored: stored.start)


def _stored(file: Path, name: str, about: object, first: int, size: int) -> Stored:
    """What the header says of one tensor, where it agrees with itself and with the file."""
    try:
        if not isinstance(about, dict):
            raise ValueError
        begin, end = (int(offset) for offset in about["data_offsets"])
        shape = tuple(int(n) for n in about["shape"])
        stored = Stored(name, DTYPES[about["dtype"]], shape, file, first + begin)
        if begin < 0 or min(shape, default=0) < 0 or stored.n_bytes != end - begin or first + end > size:
            raise ValueError
    except (KeyError, ValueError, TypeError):
        why = f"What it says of {clean(name)} does not agree with its contents, or is of a type that is not known."
        raise ExplorerError(f"{clean(file.name)} cannot be read.", why=why, fix="Download it again.") from None
    return stored


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_RDONLY)
    try:
        yield handle
    finally:
        os.close(handle)


def _pieces(handle: int, stored: Stored) -> Iterator[Tensor]:
    buffer = bytearray(min(PIECE, stored.n_bytes))
    for at in range(0, stored.n_bytes, PIECE):
        view = memoryview(buffer)[: min(PIECE, stored.n_bytes - at)]
        n_read = 0
        while n_read < len(view):
            n = os.preadv(handle, [view[n_read:]], stored.start + at + n_read)
            if not n:
                raise ExplorerError(f"{clean(stored.path.name)} ends too early.", fix="Download it again.")
            n_read += n
        yield torch.frombuffer(view, dtype=stored.dtype)
