"""Pictures as a worse camera gives them: noise, blur, light, contrast, JPEG, coarse pixels, in five severities.

The constants are those of Hendrycks and Dietterich 2019 (arXiv:1903.12261): the scale of CIFAR-10-C up to 64 pixels,
that of ImageNet-C above.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from torch import Tensor

from explorer.types.aliases import JsonObject
from explorer.types.inputs import Inputs

Pictures = NDArray[np.float64]
"""(n, channels, height, width), from 0 to 1."""
Severity = tuple[float, float, float, float, float]

SMALL = 64
FOR_SMALL: Mapping[str, Severity] = {
    "gaussian noise": (0.04, 0.06, 0.08, 0.09, 0.10),
    "gaussian blur": (0.4, 0.6, 0.7, 0.8, 1.0),
    "brightness": (0.05, 0.1, 0.15, 0.2, 0.3),
    "contrast": (0.75, 0.5, 0.4, 0.3, 0.15),
    "JPEG": (80, 65, 58, 50, 40),
    "pixelate": (0.95, 0.9, 0.85, 0.75, 0.65),
}
FOR_LARGE: Mapping[str, Severity] = {
    "gaussian noise": (0.08, 0.12, 0.18, 0.26, 0.38),
    "gaussian blur": (1, 2, 3, 4, 6),
    "brightness": (0.1, 0.2, 0.3, 0.4, 0.5),
    "contrast": (0.4, 0.3, 0.2, 0.1, 0.05),
    "JPEG": (25, 18, 15, 10, 7),
    "pixelate": (0.6, 0.5, 0.4, 0.3, 0.25),
}


_ROUNDING = 0.02


def pictures_in(x: Inputs, meta: JsonObject) -> Pictures | None:
    """Inputs as pictures from 0 to 1; None where that is not known of them. ``meta`` is that of the data, whose mean
    and std say where black and white are."""
    scale = _scale(x, meta)
    if scale is None or not isinstance(x, Tensor):
        return None
    pictures = (x.double() * scale[1] + scale[0]).numpy()
    inside = pictures.min() >= -_ROUNDING and pictures.max() <= 1 + _ROUNDING
    return np.clip(pictures, 0, 1) if inside and x.shape[1] in (1, 3) else None


def inputs_from(pictures: Pictures, x: Tensor, meta: JsonObject) -> Tensor:
    """Pictures as inputs like ``x``, whose pictures :func:`pictures_in` gave."""
    scale = _scale(x, meta)
    if scale is None:
        raise ValueError("without mean and std no picture becomes an input")
    return ((torch.from_numpy(pictures) - scale[0]) / scale[1]).to(x.dtype)


def _scale(x: Inputs, meta: JsonObject) -> tuple[Tensor, Tensor] | None:
    if not isinstance(x, Tensor) or x.dim() != 4:
        return None
    values = [meta.get(name) for name in ("mean", "std")]
    numbers = [torch.tensor(v, dtype=torch.float64) for v in values if isinstance(v, list | tuple)]
    if len(numbers) != 2 or any(len(each) not in (1, x.shape[1]) for each in numbers):
        return None
    mean, std = (each.view(1, -1, 1, 1) for each in numbers)
    return mean, std


def corrupted(pictures: Pictures, kind: str, severity: int, seed: int) -> Pictures:
    """The pictures under one corruption of ``severity`` 1 to 5, clipped to 0..1; equal seeds, equal noise."""
    scale = FOR_SMALL if max(pictures.shape[2:]) <= SMALL else FOR_LARGE
    constant = scale[kind][severity - 1]
    random = np.random.default_rng([seed, list(scale).index(kind), severity])
    return np.clip(_WAYS[kind](pictures, constant, random), 0, 1)


def _noise(x: Pictures, c: float, random: np.random.Generator) -> Pictures:
    return x + random.normal(scale=c, size=x.shape)


def _blur(x: Pictures, c: float, random: np.random.Generator) -> Pictures:
    return np.asarray(ndimage.gaussian_filter(x, sigma=(0, 0, c, c), mode="nearest", truncate=4.0))


def _brightness(x: Pictures, c: float, random: np.random.Generator) -> Pictures:
    """The value of HSV is raised, hue and saturation stay: every channel is scaled alike."""
    value = x.max(axis=1, keepdims=True)
    brighter = np.clip(value + c, 0, 1)
    return np.asarray(np.where(value > 0, x * brighter / np.maximum(value, 1e-12), brighter))


def _contrast(x: Pictures, c: float, random: np.random.Generator) -> Pictures:
    mean = x.mean(axis=(2, 3), keepdims=True)
    return np.asarray((x - mean) * c + mean)


def _jpeg(x: Pictures, c: float, random: np.random.Generator) -> Pictures:
    def packed(picture: Image.Image) -> Image.Image:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=int(c))
        return Image.open(file)

    return _each(x, packed)


def _pixelate(x: Pictures, c: float, random: np.random.Generator) -> Pictures:
    def coarse(picture: Image.Image) -> Image.Image:
        width, height = picture.size
        small = picture.resize((max(1, int(width * c)), max(1, int(height * c))), Image.Resampling.BOX)
        return small.resize((width, height), Image.Resampling.BOX)

    return _each(x, coarse)


def _each(x: Pictures, change: Callable[[Image.Image], Image.Image]) -> Pictures:
    whole = np.round(x * 255).astype(np.uint8).transpose(0, 2, 3, 1)
    pictures = (Image.fromarray(each[:, :, 0] if each.shape[2] == 1 else each) for each in whole)
    changed = np.stack([np.asarray(change(picture)) for picture in pictures]).astype(np.float64) / 255
    return changed[:, None] if changed.ndim == 3 else changed.transpose(0, 3, 1, 2)


_WAYS: Mapping[str, Callable[[Pictures, float, np.random.Generator], Pictures]] = {
    "gaussian noise": _noise,
    "gaussian blur": _blur,
    "brightness": _brightness,
    "contrast": _contrast,
    "JPEG": _jpeg,
    "pixelate": _pixelate,
}
