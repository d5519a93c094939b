"""GGUF files (llama.cpp): a header of limited size, then tensors in blocks of few bits, read as what they stand for.

Source: the description of the format, https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
"""

from __future__ import annotations

import math
import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

import torch
from torch import Tensor

from explorer.models.reader.gguf_blocks import BlockLayout, layout_of
from explorer.text.names import clean
from explorer.types.aliases import JsonDict
from explorer.types.files.reading.limits import MAX_TENSORS
from explorer.types.files.reading.refusal import RefusedError

MAX_HEADER_BYTES = 64 * 2**20
_MAX_ENTRIES, _MAX_LISTED, _MAX_NAME = 10_000, 4_000_000, 65_535
_MAX_DIMS, _MAX_SIZE, _MAX_ALIGNMENT = 4, 2**40, 4096
_DOWNLOAD = "Download or save it again."
_DAMAGED = RefusedError("Its header is damaged, or longer than 64 MiB.", _DOWNLOAD)
_NUMBERS = dict(enumerate(("<B", "<b", "<H", "<h", "<I", "<i", "<f", "<?"))) | {10: "<Q", 11: "<q", 12: "<d"}
_TEXT, _LIST = 8, 9

Value = str | int | float | bool


@dataclass(frozen=True)
class DescribedTensor:
    """One tensor as the header describes it: ``start`` counts from the first byte of the file."""

    name: str
    shape: tuple[int, ...]
    layout: BlockLayout
    start: int

    @property
    def n_values(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)

    @property
    def n_bytes(self) -> int:
        """How many bytes it takes in the file."""
        return self.n_values // self.layout.n_values * self.layout.n_bytes


@dataclass(frozen=True)
class GgufHeader:
    """What a file says of itself, and of its tensors in their order."""

    about: dict[str, Value]
    lists: dict[str, list[Value]]
    tensors: tuple[DescribedTensor, ...]

    @property
    def n_opened_bytes(self) -> int:
        """How many bytes the tensors take as 32-bit numbers."""
        return sum(4 * each.n_values for each in self.tensors)

    def notes(self) -> list[str]:
        """How its weights are stored, where that is in fewer bits than they are shown in."""
        sizes = Counter(each.layout for each in self.tensors if each.layout.bits < 16)
        if not sizes:
            return []
        each = (
            f"{n:,} tensor{'s' * (n > 1)} in {layout.bits} bits ({layout.name})" for layout, n in sizes.most_common()
        )
        return [f"Stored quantized: {', '.join(each)}. Shown are the 32-bit numbers that they stand for."]

    def facts(self) -> JsonDict:
        """What it says of itself in general."""
        keys = [key for key in self.about if key.startswith("general.") or key.endswith(".block_count")]
        return {key: self.about[key] for key in keys[:20]}


def read_gguf_header(file: BinaryIO, n_bytes: int) -> GgufHeader:
    """The header of an open file; RefusedError where it is damaged, too large, or names a type that is not read."""
    file.seek(0)
    cursor = _Cursor(file.read(min(n_bytes, MAX_HEADER_BYTES)))
    cursor.skip(4)
    version = cursor.number("<I")
    if version not in (2, 3):
        why = f"It says that it is version {version} of GGUF; versions 2 and 3 in little-endian order are read."
        raise RefusedError(why, "Convert it with a newer llama.cpp.")
    n_tensors, n_entries = int(cursor.number("<Q")), int(cursor.number("<Q"))
    if n_tensors > MAX_TENSORS or n_entries > _MAX_ENTRIES:
        why = f"Its header claims {n_tensors:,} tensors and {n_entries:,} entries; at most"
        raise RefusedError(f"{why} {MAX_TENSORS:,} and {_MAX_ENTRIES:,} are read.", _DOWNLOAD)
    about, lists = _entries(cursor, n_entries)
    places = [_place(cursor) for _ in range(n_tensors)]
    alignment = about.get("general.alignment", 32)
    if type(alignment) is not int or not 0 < alignment <= _MAX_ALIGNMENT:
        raise _DAMAGED
    first = -(-cursor.at // alignment) * alignment
    tensors = tuple(DescribedTensor(name, shape, layout, first + offset) for name, shape, layout, offset in places)
    _check(tensors, n_bytes)
    return GgufHeader(about, lists, tensors)


def read_gguf(file: BinaryIO, header: GgufHeader) -> dict[str, Tensor]:
    """Every tensor as 32-bit (or 64-bit, or whole) numbers, (out, in) as in torch."""
    return {each.name: _read(file, each) for each in header.tensors}


def _read(file: BinaryIO, each: DescribedTensor) -> Tensor:
    file.seek(each.start)
    raw = bytearray(file.read(each.n_bytes))
    if len(raw) != each.n_bytes:
        raise RefusedError("It ends too early.", _DOWNLOAD)
    if not raw:
        return torch.zeros(each.shape)
    blocks = torch.frombuffer(raw, dtype=torch.uint8).view(-1, each.layout.n_bytes)
    return each.layout.numbers(blocks).reshape(each.shape)


class _Cursor:
    """A place in the header; it never leads out of it. ``room``: how many entries its lists may still have."""

    def __init__(self, data: bytes) -> None:
        self._data, self.at, self.room = data, 0, _MAX_LISTED

    def skip(self, n: int) -> bytes:
        """The next ``n`` bytes."""
        if n > len(self._data) - self.at:
            raise _DAMAGED
        self.at += n
        return self._data[self.at - n : self.at]

    def number(self, kind: str) -> int | float | bool:
        """The next number of a kind that struct knows."""
        value: int | float | bool = struct.unpack(kind, self.skip(struct.calcsize(kind)))[0]
        return value

    def text(self) -> str:
        """The next text: its length, then UTF-8."""
        try:
            return self.skip(int(self.number("<Q"))).decode("utf-8")
        except UnicodeDecodeError:
            raise _DAMAGED from None


def _entries(cursor: _Cursor, n: int) -> tuple[dict[str, Value], dict[str, list[Value]]]:
    about: dict[str, Value] = {}
    lists: dict[str, list[Value]] = {}
    for _ in range(n):
        name, kind = _name(cursor), cursor.number("<I")
        if name in about or name in lists:
            raise RefusedError(f"It says {clean(name)!r} twice, so what it says is ambiguous.", _DOWNLOAD)
        if kind == _LIST:
            lists[name] = _list(cursor)
        else:
            about[name] = _reader(cursor, int(kind))()
    return about, lists


def _name(cursor: _Cursor) -> str:
    name = cursor.text()
    if not name or len(name) > _MAX_NAME:
        raise _DAMAGED
    return name


def _list(cursor: _Cursor) -> list[Value]:
    kind, n = int(cursor.number("<I")), int(cursor.number("<Q"))
    cursor.room -= n
    if cursor.room < 0:
        raise RefusedError(f"Its header lists more than {_MAX_LISTED:,} words.", _DOWNLOAD)
    read = _reader(cursor, kind)
    return [read() for _ in range(n)]


def _reader(cursor: _Cursor, kind: int) -> Callable[[], Value]:
    """What reads values of a kind; RefusedError for lists of lists, which no model has, and unknown kinds."""
    if kind == _TEXT:
        return cursor.text
    if kind not in _NUMBERS:
        raise _DAMAGED
    return lambda: cursor.number(_NUMBERS[kind])


def _place(cursor: _Cursor) -> tuple[str, tuple[int, ...], BlockLayout, int]:
    name, n_dims = _name(cursor), int(cursor.number("<I"))
    if n_dims > _MAX_DIMS:
        raise _DAMAGED
    sizes = [int(cursor.number("<Q")) for _ in range(n_dims)]
    if max(sizes, default=0) > _MAX_SIZE:
        raise RefusedError(f"{clean(name)!r} claims {max(sizes):,} numbers in a row.", _DOWNLOAD)
    layout = layout_of(int(cursor.number("<I")), name)
    if sizes and sizes[0] % layout.n_values:
        raise RefusedError(f"The rows of {clean(name)!r} are no whole blocks of {layout.n_values}.", _DOWNLOAD)
    if not sizes and layout.n_values > 1:
        raise _DAMAGED
    return name, tuple(reversed(sizes)), layout, int(cursor.number("<Q"))


def _check(tensors: tuple[DescribedTensor, ...], n_bytes: int) -> None:
    """Every tensor lies within the file, under a name of its own, and apart from the others."""
    if len({each.name for each in tensors}) != len(tensors):
        raise RefusedError("It names one tensor twice, so what it contains is ambiguous.", _DOWNLOAD)
    end = 0
    for each in sorted((each for each in tensors if each.n_bytes), key=lambda each: each.start):
        if each.start < end:
            raise RefusedError(f"{clean(each.name)!r} lies where another tensor does.", _DOWNLOAD)
        end = each.start + each.n_bytes
        if end > n_bytes:
            raise RefusedError(f"It ends before the numbers of {clean(each.name)!r} do.", _DOWNLOAD)
