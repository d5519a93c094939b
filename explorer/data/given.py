"""What a caller may give as data: the thing itself, its address, or nothing where the model has data of its own."""

from __future__ import annotations

from explorer import data as sources
from explorer.errors import ExplorerError
from explorer.types import Dataset, LoadedModel, Split, SplitName


def given_data(data: object, model: LoadedModel) -> Dataset:
    """The data itself, that at the address, that at hand, or (None) what the model was made for."""
    if isinstance(data, Dataset):
        return data
    source = model.data if data is None or (isinstance(data, str) and not data) else data
    if source is None:
        raise ExplorerError(
            f"{model.address} does not say what it is evaluated on.",
            why=why_no_data(model),
            fix="Name the data: digits, folder:PATH, npz:PATH or none; in Python, (inputs, targets) will do too.",
        )
    return sources.load(source, model=model)


def why_no_data(model: LoadedModel) -> str:
    """Why the data that the model's file names are not used, in a sentence; empty where it names none."""
    named = model.meta.get("data_not_followed")
    return f"Its file names {named!r}, and what a file names is not opened by itself." if named else ""


def split_of(data: Dataset, name: SplitName) -> Split:
    """The split of that name; ExplorerError with the reason where it does not exist."""
    if name not in data.splits:
        there = ", ".join(data.splits) or "none"
        why = data.why_no_split.get(name, "")
        raise ExplorerError(f"{data.address} has no {name} split.", why=why, fix=f"There are: {there}.")
    return data.splits[name]
