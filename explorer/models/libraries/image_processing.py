"""The image processor of a folder of transformers, read as data: how pictures are scaled, cut and normalised."""

from __future__ import annotations

import math
from collections.abc import Mapping

from explorer.types.aliases import JsonDict, JsonObject

# By the numbers of Pillow.
_FILTERS = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box"}


def fitting(about: JsonObject) -> JsonDict:
    """How a picture becomes one of the network's size, for ``meta["preprocess"]``.

    Sizes that are no squares are left out: then pictures are scaled by their short side, as everywhere.
    """
    how: JsonDict = {"kind": "image", "rounds": False, "interpolation": _FILTERS.get(_number(about.get("resample"), 2))}
    scales, crops = about.get("do_resize", True), about.get("do_center_crop", "crop_size" in about)
    edge, short = _square(about.get("size")), _short(about.get("size"))
    cut = _square(about.get("crop_size")) if crops else None
    if not scales and cut:
        return how | {"crop": cut, "resize": 0}
    if scales and edge and cut in (None, edge):
        return how | {"crop": edge, "resize": None}
    return how | {"crop": cut, "resize": short} if scales and short and cut else how


def normalisation(about: JsonObject) -> JsonDict:
    """Mean and std for numbers from 0 to 1, whatever the processor multiplies bytes with."""
    factor = about.get("rescale_factor", 1 / 255) if about.get("do_rescale", True) else 1.0
    scale = 255.0 * factor if isinstance(factor, int | float) and factor > 0 else 1.0
    mean, std = _numbers(about.get("image_mean")), _numbers(about.get("image_std"))
    if not about.get("do_normalize", True) or not mean or not std:
        mean, std = [0.0], [1.0]
        return {} if math.isclose(scale, 1.0, rel_tol=1e-9) else {"mean": mean, "std": [1 / scale]}
    if math.isclose(scale, 1.0, rel_tol=1e-9):
        return {"mean": mean, "std": std}
    return {"mean": [m / scale for m in mean], "std": [s / scale for s in std]}


def _number(value: object, usual: int) -> int:
    return value if type(value) is int else usual


def _numbers(value: object) -> list[float]:
    given = isinstance(value, list) and all(isinstance(v, int | float) for v in value)
    return list(value) if given and isinstance(value, list) else []


def _square(value: object) -> int | None:
    if type(value) is int:
        return value
    if isinstance(value, Mapping) and type(value.get("height")) is int and value["height"] == value.get("width"):
        return int(value["height"])
    return None


def _short(value: object) -> int | None:
    short = value.get("shortest_edge") if isinstance(value, Mapping) and "longest_edge" not in value else None
    return short if type(short) is int else None
