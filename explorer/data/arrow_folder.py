"""Folders that ``datasets`` has saved (``save_to_disk``): columns of numbers, or of text for the model's tokenizer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, cast

import torch

from explorer.data.at_hand import from_objects
from explorer.data.columns import TARGETS
from explorer.data.language.tokenizer import padded, places_of_tokens, tokenizer_of
from explorer.data.read_apart import ArrowColumns, columns_apart
from explorer.data.request import DataRequest
from explorer.errors import ExplorerError
from explorer.text.names import clean, listed
from explorer.types import Dataset, Finding, InputSet, LoadedModel
from explorer.types.files import paths
from explorer.types.inputs import tensors_of

_TEXTS = ("text", "sentence", "content", "document", "review")
_SPLITS = "dataset_dict.json"
_MOST = 1 << 20


@dataclass(frozen=True)
class _Names:
    names: list[str]


@dataclass(frozen=True)
class _Table:
    """The columns with the interface of ``datasets.Dataset``."""

    columns: Mapping[str, torch.Tensor]
    classes: Mapping[str, list[str]]
    features: Mapping[str, object] = field(init=False)

    def __post_init__(self) -> None:
        features = {name: _Names(self.classes[name]) if name in self.classes else None for name in self.columns}
        object.__setattr__(self, "features", features)

    @property
    def column_names(self) -> Sequence[str]:
        """The columns."""
        return list(self.columns)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def __getitem__(self, rows: slice) -> Mapping[str, Sequence[object]]:
        return cast(Mapping[str, Sequence[object]], {name: values[rows] for name, values in self.columns.items()})


@dataclass(frozen=True)
class ArrowFolder:
    """A data set, or several as splits, that ``datasets`` saved; read by pyarrow, in a process of its own.

    Columns of the names of the model's inputs go in; a column called label(s), target(s) or y is the target. Where
    the model takes tokens and there are none, a column of text is read by its tokenizer.
    """

    key: ClassVar[str] = "hf"
    form: ClassVar[str] = "hf:PATH"

    def load(self, request: DataRequest) -> Dataset:
        """x and y as data at hand have them."""
        path = request.path
        if not path.is_dir():
            what = f"{request.place!r} is not a folder."
            raise ExplorerError(what, why="Nothing is downloaded.", fix="Name a folder that save_to_disk has made.")
        findings: list[Finding] = []
        tables = {}
        for name, place in _places(path).items():
            columns = columns_apart(place)
            numbers, more = _with_tokens(columns, request)
            findings += more
            tables[name] = _Table(numbers, columns.classes)
            if columns.left_out:
                names = listed([clean(column) for column in columns.left_out])
                findings.append(Finding("warn", f"Left out, since they hold no numbers or text: {names}."))
        dataset = from_objects(tables.get("", tables), request)
        return replace(dataset, findings=tuple(dict.fromkeys((*findings, *dataset.findings))))


def _places(path: Path) -> dict[str, Path]:
    """{split, "" where undivided: folder}."""
    if not (path / _SPLITS).is_file():
        return {"": path}
    with paths.opened(path / _SPLITS, within=path) as source:
        content = source.file.read(_MOST)
    try:
        names = json.loads(content)["splits"]
    except (ValueError, KeyError, TypeError):
        names = None
    if not isinstance(names, list) or not all(isinstance(n, str) and n.isidentifier() for n in names):
        raise ExplorerError(f"{_SPLITS} names no splits.", fix="Save the data set again with save_to_disk.")
    return {name: paths.real(path / name) for name in names}


def _with_tokens(columns: ArrowColumns, request: DataRequest) -> tuple[dict[str, torch.Tensor], tuple[Finding, ...]]:
    """The columns of numbers; with tokens made of a column of text where the model takes tokens and has none."""
    numbers, model = dict(columns.numbers), request.model
    example = None if model is None else model.example
    takes = () if example is None else tuple(tensors_of(example))
    is_whole = example is not None and not all(t.is_floating_point() for t in tensors_of(example).values())
    others = [name for name in numbers if name not in TARGETS]
    if not columns.texts or not is_whole or (set(takes) <= set(numbers) if isinstance(example, InputSet) else others):
        return numbers, ()
    name = next((name for name in _TEXTS if name in columns.texts), next(iter(columns.texts)))
    at = places_of_tokens(model, request.address)
    tokenizer = tokenizer_of(cast(LoadedModel, model), at)
    tokens, mask, n_cut = padded(columns.texts[name], tokenizer, at.length)
    x = tensors_of(at.inputs(tokens, mask))
    inputs = x if isinstance(example, InputSet) else {"tokens": x["0"]}
    findings = [tokenizer.finding, Finding("ok", f"The column {clean(name)} is what goes in.")]
    if n_cut:
        what = f"{n_cut:,} texts are longer than the {at.length} tokens of the model's example, and are cut."
        findings.append(Finding("warn", what, "", "Give a longer example to the model."))
    targets = {target: numbers[target] for target in TARGETS if target in numbers}
    return {**inputs, **targets}, tuple(findings)
