"""Pictures that nobody vouches for: looked at before they are decoded, in the reading process.

Its ``main`` takes a list of pictures (``ask.json``) in FOLDER and leaves their pixels there.
"""

from __future__ import annotations

import io
import json
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np
from PIL import Image

from explorer.errors import ExplorerError
from explorer.types.aliases import JsonDict
from explorer.types.files import paths
from explorer.types.files.reading import zipped
from explorer.types.files.reading.answer import write_report
from explorer.types.files.reading.fitting import Fitting
from explorer.types.files.reading.limits import restrict, start_clocks
from explorer.types.files.reading.refusal import RefusedError

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")
MAX_PIXELS = 50_000_000

# What Pillow's decoders are known to raise on damaged files.
DAMAGED = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, struct.error, zlib.error)

ASK = "ask.json"
PIXELS = "pixels.bin"

T = TypeVar("T")
SourceOf = Callable[[Path], AbstractContextManager[BinaryIO]]


def main(folder: str) -> int:
    """Decode the pictures of ``ask.json`` one after another; a refusal names the first that cannot be."""
    place = Path(folder)
    ask = json.loads((place / ASK).read_text(encoding="ascii"))
    start_clocks(ask["computing"], ask["waiting"])
    try:
        answer = _decoded(Path(ask["root"]), ask, place)
    except ExplorerError as refusal:
        answer = {"what": refusal.what, "why": refusal.why, "fix": refusal.fix}
    write_report(place, answer)
    return 0


def _decoded(root: Path, ask: JsonDict, place: Path) -> dict[str, object]:
    files = [root / name for name in ask["files"]]
    with _sources(root) as source_of:
        size = ask["size"] or common_size(root, files, source_of)
        n_bytes = len(files) * ask["channels"] * size * size
        if n_bytes > ask["most_bytes"]:
            return {"n_bytes": n_bytes}
        restrict(n_bytes)
        fitting = Fitting(**ask["fitting"]) if ask.get("fitting") else None
        with (place / PIXELS).open("wb") as out:
            for path in files:
                out.write(read_picture(root, path, Aim(size, ask["channels"], fitting), source_of).tobytes())
    return {"n_bytes": n_bytes, "size": size}


@contextmanager
def _sources(root: Path) -> Iterator[SourceOf]:
    """How a picture is opened: a file in a folder, or a record of the archive that ``root`` is."""

    @contextmanager
    def on_disk(path: Path) -> Iterator[BinaryIO]:
        with paths.opened(path, within=root) as source:
            yield source.file

    if root.is_dir():
        yield on_disk
        return
    with paths.opened(root) as source, zipfile.ZipFile(source.file) as archive:

        @contextmanager
        def in_archive(path: Path) -> Iterator[BinaryIO]:
            yield io.BytesIO(zipped.content(archive, path.relative_to(root).as_posix()))

        yield in_archive


def common_size(root: Path, files: list[Path], source_of: SourceOf) -> int:
    """The edge that all pictures share, when nobody gave one."""
    sizes = {edges(root, path, source_of) for path in files}
    if len(sizes) > 1 or len(set(next(iter(sizes)))) > 1:
        raise ExplorerError(
            f"The pictures of {root.name!r} are not all squares of one size.",
            fix="Give the size in pixels that the model was trained with, for example size 224.",
        )
    return next(iter(sizes))[0]


def edges(root: Path, path: Path, source_of: SourceOf) -> tuple[int, int]:
    """(width, height) from the header alone."""
    return _opened(root, path, source_of, lambda image: image.size)


@dataclass(frozen=True)
class Aim:
    """What a picture becomes: its edge, its channels, and how its library gets there (None: the middle, scaled)."""

    size: int
    n_channels: int
    fitting: Fitting | None = None


def read_picture(root: Path, path: Path, aim: Aim, source_of: SourceOf) -> np.ndarray:
    """(n_channels, size, size) uint8; ``root`` only shortens the name in a refusal."""
    return _opened(root, path, source_of, lambda image: _pixels(image, aim))


@contextmanager
def _quiet() -> Iterator[None]:
    """Pillow warns above a limit of its own; the limit here is lower and refuses."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def _opened(root: Path, path: Path, source_of: SourceOf, use: Callable[[Image.Image], T]) -> T:
    name = path.relative_to(root).as_posix()
    try:
        with (
            _quiet(),
            source_of(path) as file,
            Image.open(file, formats=FORMATS) as image,
        ):
            if image.width * image.height > MAX_PIXELS:
                raise Image.DecompressionBombError
            return use(image)
    except Image.DecompressionBombError:
        raise ExplorerError(
            f"{name!r} is too large a picture.",
            why=f"At most {MAX_PIXELS // 10**6} million pixels are decoded.",
            fix="Scale it down or remove it.",
        ) from None
    except (*DAMAGED, zipfile.BadZipFile, RefusedError, NotImplementedError):
        raise ExplorerError(
            f"{name!r} cannot be read as a picture.",
            why="It is damaged, or not PNG, JPEG, BMP, GIF or WEBP.",
            fix="Repair or remove it.",
        ) from None


def _pixels(image: Image.Image, aim: Aim) -> np.ndarray:
    size, n_channels = aim.size, aim.n_channels
    if image.mode.startswith("I"):  # 16 bits a pixel: convert() would clip instead of scale
        image = Image.fromarray((np.asarray(image) >> 8).clip(0, 255).astype(np.uint8))
    image = image.convert("L" if n_channels == 1 else "RGB")
    if aim.fitting is not None:
        image = aim.fitting.fitted(image)
    elif image.size != (size, size):
        image = _fitted(image, size)
    array = np.array(image, dtype=np.uint8).reshape(size, size, n_channels)
    return np.ascontiguousarray(array.transpose(2, 0, 1))


def _fitted(image: Image.Image, size: int) -> Image.Image:
    """The middle square, scaled: the same as scaling the short side and cropping the middle."""
    edge = min(image.size)
    left, top = (image.width - edge) / 2, (image.height - edge) / 2
    box = (left, top, left + edge, top + edge)
    return image.resize((size, size), Image.Resampling.BILINEAR, box=box)
