"""Data at hand for networks with several inputs: what reads arrays sees each sample's place, not its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from explorer.data.request import DataRequest
from explorer.data.splitting import tensors
from explorer.errors import ExplorerError
from explorer.types import Dataset, Inputs, InputSet, Split, tensors_digest
from explorer.types.inputs import as_inputs, mapped


def several(value: object) -> InputSet | None:
    """Several inputs in a tuple or under their names, as tensors; None for everything else. Raises ExplorerError."""
    if isinstance(value, InputSet):
        return value
    if isinstance(value, tuple) and len(value) > 1 and all(isinstance(part, Tensor | np.ndarray) for part in value):
        given: Inputs = as_inputs(tuple(map(_tensor, value)))
    elif isinstance(value, Mapping):
        given = as_inputs({key: _tensor(part) for key, part in value.items()})
    else:
        return None
    return given if isinstance(given, InputSet) else None


def _tensor(part: object) -> object:
    return torch.from_numpy(part) if isinstance(part, np.ndarray) else part


def places_of(inputs: InputSet) -> np.ndarray:
    """(n, 1) the place of each sample, to be read, divided and put in order like any input."""
    return np.arange(len(inputs), dtype=np.float32 if len(inputs) < 1 << 24 else np.float64)[:, None]


def with_inputs(dataset: Dataset, inputs: Mapping[str, InputSet], request: DataRequest) -> Dataset:
    """The dataset of places with each split's own inputs; ``inputs`` by split, or all under ""."""
    if request.mean is not None or request.std is not None:
        why = "There are several inputs, and mean and std are those of pictures."
        raise ExplorerError("These inputs are not normalised.", why=why, fix="Leave mean and std out.")
    splits = {name: _split(split, inputs.get("", inputs.get(f"_{name}"))) for name, split in dataset.splits.items()}
    return replace(dataset, splits=splits, digest=tensors_digest(tensors(splits)), images=False)


def _split(split: Split, inputs: InputSet | None) -> Split:
    if inputs is None or not isinstance(split.x, Tensor):
        raise ExplorerError(f"The {split.name} split has other inputs than the rest.", fix="Give all splits alike.")
    which = split.x.reshape(-1).long()
    x = mapped(inputs[which], lambda tensor: tensor.detach().cpu().contiguous())
    return replace(split, x=x)
