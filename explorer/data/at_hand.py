"""Data that somebody has at hand in Python: tensors, arrays, tables, datasets and loaders, with or without splits."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from explorer.data.class_places import class_places
from explorer.data.columns import class_names, is_table
from explorer.data.loaders import is_source, samples_of
from explorer.data.npz import SUFFIX_OF, from_arrays
from explorer.data.request import DataRequest
from explorer.data.several import places_of, several, with_inputs
from explorer.errors import ExplorerError
from explorer.text.names import clean, listed
from explorer.types import Dataset, Finding, InputSet, Split

ADDRESS = "data at hand"
_FIX = "Give (inputs, targets), a Dataset or DataLoader of torch, or a dict with fit, tune and test of these."
_SPLITS = {**SUFFIX_OF, "valid": "tune", "validation": "tune"}

Arrays = dict[str, np.ndarray]


def from_objects(value: object, request: DataRequest) -> Dataset:
    """The dataset of what was given. Raises ExplorerError for what cannot be read as samples."""
    arrays: Arrays = {}
    findings: list[Finding] = []
    inputs: dict[str, InputSet] = {}
    names: tuple[str, ...] = ()
    for suffix, part in _parts(value).items():
        if is_source(part):
            names = names or (class_names(part) if is_table(part) else ())  # type: ignore[arg-type]
            part, more = samples_of(part, request.model)
            findings += more
        if isinstance(part, tuple | list) and len(part) == 2 and (together := several(part[0])) is not None:
            inputs[suffix], part = together, (places_of(together), part[1])
        pair = _pair(part)
        arrays |= {name + suffix: array for name, array in zip("xy", pair, strict=True) if array is not None}
    texts, more = _without_names(arrays, request)
    names = texts or names
    dataset = from_arrays(arrays, request)
    dataset = with_inputs(dataset, inputs, request) if inputs else dataset
    findings += more
    if names and dataset.classes and len(names) >= len(dataset.classes):
        dataset = replace(dataset, classes=names)
    if request.task == "custom":
        dataset = replace(dataset, splits={name: _own_targets(split) for name, split in dataset.splits.items()})
    return replace(dataset, findings=(*findings, *dataset.findings))


def _parts(value: object) -> dict[str, object]:
    """{"" or "_fit", "_tune", "_test": inputs with targets}."""
    if not isinstance(value, Mapping):
        return {"": value}
    splits = [_SPLITS.get(str(name)) for name in value]
    if value and None not in splits:
        if len(set(splits)) < len(splits):
            why = f"It has {listed([str(name) for name in value])}."
            raise ExplorerError("A split is there twice.", why=why, fix="Name each split once: fit, tune, test.")
        return {f"_{split}": part for split, part in zip(splits, value.values(), strict=True)}
    if "x" in value and set(value) <= {"x", "y"}:
        return {"": (value["x"], value.get("y"))}
    why = f"It has {listed([clean(str(name)) for name in value])}."
    raise ExplorerError("A dict of data names its splits.", why=why, fix=_FIX)


def _pair(part: object) -> tuple[np.ndarray, np.ndarray | None]:
    if not isinstance(part, tuple | list):
        part = (part, None)
    if len(part) != 2:
        raise ExplorerError(f"{len(part)} things are no inputs with targets.", fix=_FIX)
    x, y = part
    return _array(x, "inputs"), None if y is None else _array(y, "targets")


def _array(value: object, what: str) -> np.ndarray:
    if isinstance(value, Tensor):
        value = value.detach().cpu()
        return np.asarray((value.float() if value.dtype in (torch.bfloat16, torch.float16) else value).numpy())
    pandas = sys.modules.get("pandas")  # whoever has made a table has loaded it
    if pandas is not None and isinstance(value, pandas.DataFrame):
        texts = [str(name) for name in value if not pandas.api.types.is_numeric_dtype(value[name])]
        if texts and what == "inputs":
            why = f"These columns hold no numbers: {listed(texts)}."
            raise ExplorerError("The table cannot be the input of a network.", why=why, fix="Encode them as numbers.")
        return np.asarray(value.to_numpy())
    if isinstance(value, np.ndarray | list | tuple) or (pandas is not None and isinstance(value, pandas.Series)):
        return np.asarray(value)
    raise ExplorerError(f"The {what} are a {type(value).__name__}.", why="They must be numbers in rows.", fix=_FIX)


def _without_names(arrays: Arrays, request: DataRequest) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """Put numbers in the place of classes that are given by name; the names in their order, none where none are."""
    targets = {name: array for name, array in arrays.items() if name.startswith("y") and array.dtype.kind in "OUS"}
    if not targets:
        return (), ()
    names = sorted({str(value) for array in targets.values() for value in array.reshape(-1)})
    places = class_places(names, request.model, request.address)
    for key, array in targets.items():
        arrays[key] = np.array([places.places[str(value)] for value in array.reshape(-1)], dtype=np.int64)
    what = f"The targets are {len(names)} names: read as classes."
    return places.classes, (Finding("ok", what, f"In the order {listed(places.classes, 8)}."), *places.findings)


def _own_targets(split: Split) -> Split:
    """For a task of the user's own nothing but the user's own metric looks at the targets."""
    return replace(split, y=None, targets=split.y)
