"""Small folders of pictures that tests write."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def colour(value: int, size: tuple[int, int] = (4, 4)) -> Image.Image:
    """A picture of one colour: red ``value``, green and blue fixed."""
    return Image.new("RGB", size, (value, 100, 200))


def write_classes(root: Path, names: dict[str, int], suffix: str = "png", size: tuple[int, int] = (4, 4)) -> Path:
    """``names``: {class: how many}; the i-th picture of the k-th class has red 20 k + i."""
    for k, (name, n) in enumerate(names.items()):
        (root / name).mkdir(parents=True, exist_ok=True)
        for i in range(n):
            colour(20 * k + i, size).save(root / name / f"{i:03d}.{suffix}")
    return root


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    """(height, width, 3) uint8."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
