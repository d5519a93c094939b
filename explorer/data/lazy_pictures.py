"""Pictures that are decoded when they are asked for: what fits is kept as bytes, the next ones come meanwhile."""

from __future__ import annotations

import ctypes
import hashlib
import math
import sys
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from explorer.data.read_apart import Pixels, decoded_apart
from explorer.data.request import normalise
from explorer.types.files.reading.fitting import Fitting
from explorer.types.inputs import LazySamples

FIRST, CHUNK = 64, 256  # pictures that one reading process decodes; the first estimate waits for the first ones only
_AHEAD = 2  # chunks that are decoded while the present one is evaluated
_PASSING = 2  # chunks that are held though the cache is full
CACHE_BYTES = 768 << 20  # so that a process that evaluates stays under 2 GB
_CHUNK_BYTES = 64 << 20
_RETURNED_AFTER = 256 << 20  # bytes of float32
_WHOLE_BYTES = 512 << 20  # files of so many bytes together are digested whole
_ENDS = 4096


@dataclass(eq=False)
class Shelf:
    """All pictures of a folder or archive, decoded by reading processes; ``limit`` bytes of them are kept.

    ``mean`` and ``std`` are those of the channels. Every split of the data has its pictures from here.
    """

    root: Path
    files: Sequence[Path]
    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    address: str
    fitting: Fitting | None = None
    limit: int = CACHE_BYTES
    n_decoded: int = 0
    _held: int = 0
    _passed: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(_AHEAD, "decode"))

    @property
    def sample(self) -> tuple[int, ...]:
        """The shape of one picture."""
        return (len(self.mean), self.size, self.size)

    def take_room(self, n_bytes: int) -> bool:
        """Whether there is room for so many bytes more, which is then taken."""
        with self._lock:
            if self._held + n_bytes > self.limit:
                return False
            self._held += n_bytes
            return True

    def decode(self, places: Sequence[int]) -> Tensor:
        """(n, channels, size, size) uint8 of these pictures. Raises ExplorerError for one that cannot be read."""
        files = [self.files[place] for place in places]
        with self._lock:
            self.n_decoded += len(files)
        return decoded_apart(self.root, files, Pixels(self.size, len(self.mean), self.fitting), self.address)

    def submit(self, places: Sequence[int]) -> Future[Tensor]:
        """The same in another thread."""
        return self._pool.submit(self.decode, places)

    def normalised(self, pixels: Tensor) -> Tensor:
        """float32, as pictures that are decoded at once have it."""
        with self._lock:
            self._passed += 4 * pixels.numel()
            is_much, self._passed = self._passed > _RETURNED_AFTER, self._passed % _RETURNED_AFTER
        if is_much:
            _return_memory()
        return normalise(pixels.float().div_(255), self.mean, self.std)


class LazyPictures(LazySamples):
    """The pictures ``places`` of a shelf, in this order. Safe to share between threads."""

    def __init__(self, shelf: Shelf, places: Tensor) -> None:
        object.__setattr__(self, "_shelf", shelf)
        object.__setattr__(self, "_places", places)
        object.__setattr__(self, "_chunks", _Chunks(shelf, places))

    _shelf: Shelf
    _places: Tensor
    _chunks: _Chunks

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, which: slice | Tensor) -> Tensor:  # type: ignore[override]
        if isinstance(which, slice):
            start, stop, step = which.indices(len(self))
            if step == 1:
                return self._shelf.normalised(self._chunks.between(start, max(start, stop)))
            which = torch.arange(len(self))[which]
        which = which.nonzero().flatten() if which.dtype == torch.bool else which
        return self._shelf.normalised(self._chunks.at(which.tolist()))

    def part(self, which: slice | Tensor) -> LazyPictures:
        """The same with only these pictures."""
        return LazyPictures(self._shelf, self._places[which])

    @property
    def sample(self) -> tuple[int, ...]:
        """The shape of one picture."""
        return self._shelf.sample

    @property
    def digest(self) -> str:
        """That of the files, their order and how they are read."""
        return pictures_digest(self._shelf, self._places)


class _Chunks:
    """Decoded pictures in pieces, in the order in which they are evaluated."""

    def __init__(self, shelf: Shelf, places: Tensor) -> None:
        self._shelf, self._places = shelf, places
        self._size = max(1, min(CHUNK, _CHUNK_BYTES // math.prod(shelf.sample)))
        self._starts = [0, *range(min(self._first, len(places)), len(places), self._size)]
        self._kept: dict[int, Tensor] = {}
        self._passing: OrderedDict[int, Future[Tensor]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def _first(self) -> int:
        return min(FIRST, self._size)

    def between(self, start: int, stop: int) -> Tensor:
        """The pixels of these places; the chunks after them are decoded meanwhile."""
        if start == stop:
            return torch.empty(0, *self._shelf.sample, dtype=torch.uint8)
        first, last = self._chunk_of(start), self._chunk_of(stop - 1)
        parts = []
        for chunk in range(first, last + 1):
            pixels, begin = self._pixels(chunk), self._starts[chunk]
            parts.append(pixels[max(0, start - begin) : stop - begin])
        return torch.cat(parts) if len(parts) > 1 else parts[0]

    def at(self, indices: Sequence[int]) -> Tensor:
        """The pixels of single pictures: those at hand, and the others from one reading process."""
        out = torch.empty(len(indices), *self._shelf.sample, dtype=torch.uint8)
        absent = []
        for row, index in enumerate(indices):
            chunk = self._chunk_of(index)
            if (pixels := self._kept.get(chunk)) is None:
                absent.append(row)
            else:
                out[row] = pixels[index - self._starts[chunk]]
        for start in range(0, len(absent), self._size):
            rows = absent[start : start + self._size]
            out[rows] = self._shelf.decode(self._places[[indices[row] for row in rows]].tolist())
        return out

    def _chunk_of(self, index: int) -> int:
        return 0 if index < self._first else 1 + (index - self._first) // self._size

    def _pixels(self, chunk: int) -> Tensor:
        """One chunk; the following ones begin, and the oldest that nobody keeps go."""
        with self._lock:
            future = None if chunk in self._kept else self._begun(chunk)
            for following in range(chunk + 1, min(chunk + 1 + _AHEAD, len(self._starts))):
                if following not in self._kept:
                    self._begun(following)
            while len(self._passing) > _PASSING + _AHEAD:
                self._passing.popitem(last=False)
        if future is None:
            return self._kept[chunk]
        pixels = future.result()
        self._keep(chunk, pixels)
        return pixels

    def _begun(self, chunk: int) -> Future[Tensor]:
        """The decoding of a chunk, which begins unless it has; it is the newest from now on."""
        if chunk not in self._passing:
            stop = self._starts[chunk + 1] if chunk + 1 < len(self._starts) else len(self._places)
            self._passing[chunk] = self._shelf.submit(self._places[self._starts[chunk] : stop].tolist())
        self._passing.move_to_end(chunk)
        return self._passing[chunk]

    def _keep(self, chunk: int, pixels: Tensor) -> None:
        """What came first stays: whoever evaluates goes through all of it again and again."""
        with self._lock:
            if chunk not in self._kept and self._shelf.take_room(pixels.numel()):
                self._kept[chunk] = pixels
                self._passing.pop(chunk, None)


def _return_memory() -> None:
    """Give back what batches have left behind: glibc holds on to it, in pieces between values that stay."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


def pictures_digest(shelf: Shelf, places: Tensor | None = None) -> str:
    """Equal digest = the same files in the same order, read alike.

    Files of up to 512 MB together are digested whole; of more, their names, sizes, times of change and ends are.
    """
    how = (shelf.size, shelf.mean, shelf.std, *([shelf.fitting] if shelf.fitting else []))
    total = hashlib.sha256(repr(how).encode())
    files = shelf.files if places is None else [shelf.files[place] for place in places.tolist()]
    archive = shelf.root if shelf.root.is_file() else None
    if archive is not None:
        total.update(_file_digest(archive, whole=archive.stat().st_size <= _WHOLE_BYTES))
        total.update("\0".join(path.relative_to(archive).as_posix() for path in files).encode())
        return total.hexdigest()[:16]
    is_small = sum(path.stat().st_size for path in files) <= _WHOLE_BYTES
    for path in files:
        total.update(path.relative_to(shelf.root).as_posix().encode())
        total.update(_file_digest(path, whole=is_small))
    return total.hexdigest()[:16]


def _file_digest(path: Path, *, whole: bool) -> bytes:
    status = path.stat()
    digest = hashlib.blake2b(f"{status.st_size}".encode(), digest_size=16)
    with path.open("rb") as file:
        if whole:
            while part := file.read(1 << 20):
                digest.update(part)
            return digest.digest()
        digest.update(f"{status.st_mtime_ns}".encode())
        digest.update(file.read(_ENDS))
        file.seek(max(0, status.st_size - _ENDS))
        digest.update(file.read(_ENDS))
    return digest.digest()
