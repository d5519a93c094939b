"""What a caller may give: the thing itself, its address, or nothing where there is a natural choice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer import data as data_sources
from explorer import models
from explorer.errors import ExplorerError
from explorer.pruning.spec import PruneSpec
from explorer.types import Dataset, LoadedModel, Split, SplitName


def given_model(model: LoadedModel | str) -> LoadedModel:
    """The model itself, or the one at that address."""
    return models.load(model) if isinstance(model, str) else model


def given_data(data: Dataset | str | None, model: LoadedModel) -> Dataset:
    """The data itself, that at the address, or what the model was made for."""
    if isinstance(data, Dataset):
        return data
    address = data or model.data
    if address is None:
        raise ExplorerError(
            f"{model.address} does not say what it is judged on.",
            fix="Name the data: digits, folder:PATH, npz:PATH or none.",
        )
    return data_sources.load(address, model=model)


def given_spec(spec: PruneSpec | Mapping[str, Any] | str | None) -> PruneSpec:
    """The request itself, or the one that JSON says; None prunes nothing."""
    if spec is None:
        return PruneSpec()
    return spec if isinstance(spec, PruneSpec) else PruneSpec.from_json(spec)


def split_of(data: Dataset, name: SplitName) -> Split:
    """The split of that name; ExplorerError with the reason where it does not exist."""
    if name not in data.splits:
        there = ", ".join(data.splits) or "none"
        why = data.why_no_split.get(name, "")
        raise ExplorerError(f"{data.address} has no {name} split.", why=why, fix=f"There are: {there}.")
    return data.splits[name]
