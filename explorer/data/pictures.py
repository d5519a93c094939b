"""Pictures that nobody vouches for: looked at before they are decoded."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from explorer import paths
from explorer.errors import ExplorerError

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")
SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp"}
MAX_PIXELS = 50_000_000

# What Pillow's decoders are known to raise on damaged files.
DAMAGED = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, struct.error, zlib.error)

T = TypeVar("T")


def edges(root: Path, path: Path) -> tuple[int, int]:
    """(width, height) from the header alone."""
    return _opened(root, path, lambda image: image.size)


def read_picture(root: Path, path: Path, size: int, n_channels: int) -> Tensor:
    """(n_channels, size, size) uint8; ``root`` only shortens the name in a refusal."""
    return _opened(root, path, lambda image: _pixels(image, size, n_channels))


@contextmanager
def _quiet() -> Iterator[None]:
    """Pillow warns above a limit of its own; the limit here is lower and refuses."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def _opened(root: Path, path: Path, use: Callable[[Image.Image], T]) -> T:
    name = path.relative_to(root).as_posix()
    try:
        with (
            _quiet(),
            paths.opened(path, within=root) as source,
            Image.open(source.file, formats=FORMATS) as image,
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
    except DAMAGED:
        raise ExplorerError(
            f"{name!r} cannot be read as a picture.",
            why="It is damaged, or not PNG, JPEG, BMP, GIF or WEBP.",
            fix="Repair or remove it.",
        ) from None


def _pixels(image: Image.Image, size: int, n_channels: int) -> Tensor:
    if image.mode.startswith("I"):  # 16 bits a pixel: convert() would clip instead of scale
        image = Image.fromarray((np.asarray(image, dtype=np.int64) >> 8).clip(0, 255).astype(np.uint8))
    image = image.convert("L" if n_channels == 1 else "RGB")
    if image.size != (size, size):
        image = _fitted(image, size)
    array = np.array(image, dtype=np.uint8).reshape(size, size, n_channels)
    return torch.from_numpy(array).permute(2, 0, 1).contiguous()


def _fitted(image: Image.Image, size: int) -> Image.Image:
    """The middle square, scaled: the same as scaling the short side and cropping the middle."""
    edge = min(image.size)
    left, top = (image.width - edge) / 2, (image.height - edge) / 2
    box = (left, top, left + edge, top + edge)
    return image.resize((size, size), Image.Resampling.BILINEAR, box=box)
