"""What a model is evaluated on: one file per source, one registry, one address for each.

``digits`` · ``folder:PATH`` · ``npz:PATH`` · ``none``
"""

from __future__ import annotations

from typing import ClassVar, Protocol

from explorer.data.digits import Digits
from explorer.data.folder import Folder
from explorer.data.generated import Generated
from explorer.data.npz import Npz
from explorer.data.request import DataRequest, Numbers, Size, numbers, shares, square, stated_task
from explorer.errors import ExplorerError
from explorer.params import Registry
from explorer.types import Dataset, LoadedModel


class DataSource(Protocol):
    """Turns an address ``key`` or ``key:place`` into a dataset."""

    key: ClassVar[str]
    form: ClassVar[str]

    def load(self, request: DataRequest) -> Dataset:
        """The dataset that ``request.place`` names; raises ExplorerError."""
        ...


SOURCES: Registry[DataSource] = Registry("data source", (Digits, Folder, Npz, Generated))


def load(
    address: str,
    *,
    model: LoadedModel | None = None,
    size: Size = None,
    mean: Numbers = None,
    std: Numbers = None,
    splits: Numbers = None,
    seed: int = 0,
    task: str | None = None,
) -> Dataset:
    """The dataset an address names, each split in a fixed, shuffled, stratified order.

    ``model`` tells the size, the channels and the normalisation its weights were trained with;
    ``size`` (pixels), ``mean`` and ``std`` (one number, or one per channel; numbers, a list or
    text such as "0.485,0.456,0.406") override that. ``splits`` is "fit/tune/test" as shares for data
    not divided yet. ``task`` ("classes", "numbers", "tokens") states what labels are. Raises ExplorerError.
    """
    key, _, place = address.strip().partition(":")
    if key not in SOURCES.members:
        raise ExplorerError(
            f"{address!r} is not an address of data.",
            fix="Write one of: " + ", ".join(s.form for s in SOURCES) + ".",
        )
    request = DataRequest(
        address=address.strip(),
        place=place,
        model=model,
        size=square(size),
        mean=numbers("mean", mean),
        std=numbers("std", std),
        splits=shares(splits),
        seed=seed,
        task=stated_task(task),
    )
    dataset = SOURCES.get(key).load(request)
    if model is not None:
        _check_fit(dataset, model)
    return dataset


def _check_fit(dataset: Dataset, model: LoadedModel) -> None:
    """Refuse data that the model cannot be run on, or whose classes it cannot tell apart."""
    n_classes = None if model.n_classes is None else max(2, model.n_classes)  # one output tells two apart
    if n_classes is not None and len(dataset.classes) > n_classes:
        raise ExplorerError(
            f"{dataset.address} has {len(dataset.classes)} classes, {model.address} tells {n_classes} apart.",
            fix="Choose the data this model was trained for; if labels are numbers to predict, state task numbers.",
        )
    shape = None if model.example is None else tuple(model.example.shape[1:])
    shapes = {tuple(split.x.shape[1:]) for split in dataset.splits.values()}
    if shape is not None and shapes - {shape}:
        raise ExplorerError(
            f"{dataset.address} holds inputs of shape {next(iter(shapes - {shape}))}.",
            why=f"{model.address} takes inputs of shape {shape}.",
            fix="Give another size, or choose the data this model was trained for.",
        )
