"""All samples of a ``torch.utils.data`` Dataset or DataLoader, in memory, each once."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import BatchSampler, DataLoader, Dataset, IterableDataset, RandomSampler, SequentialSampler

from explorer.data.request import check_total
from explorer.errors import ExplorerError
from explorer.text.names import clean, listed
from explorer.types import Finding

_BATCH = 64
_TARGETS = ("labels", "label", "targets", "target", "y")

Pair = tuple[Tensor, Tensor | None]


def samples_of(source: object) -> tuple[Pair, tuple[Finding, ...]]:
    """(inputs, targets or None) with one row a sample, and what to know. Raises ExplorerError for odd batches.

    A loader's collate makes the batches; shuffling is off and the last batch is not dropped, so that every sample
    comes once. A sampler of its own decides which samples come.
    """
    loader, findings = _loader(source)
    total = _length(source)
    inputs: list[Tensor] = []
    targets: list[Tensor] = []
    for batch in _batches(loader):
        x, y = _pair(batch)
        if not inputs and total is not None and len(x):
            check_total(total * x[0].numel() * x.element_size(), "The data at hand")
        inputs.append(x)
        targets += [] if y is None else [y]
    if not inputs:
        raise ExplorerError("The data at hand hold no samples.", fix="Give a dataset that is not empty.")
    x = _joined(inputs, "inputs")
    return (x, _joined(targets, "targets") if targets else None), findings


def _loader(source: object) -> tuple[Iterable[object], tuple[Finding, ...]]:
    if not isinstance(source, DataLoader):
        return DataLoader(source, batch_size=_BATCH), ()  # type: ignore[arg-type]
    plain = isinstance(source.sampler, RandomSampler | SequentialSampler) and not getattr(
        source.sampler, "replacement", False
    )
    if isinstance(source.dataset, IterableDataset) or not plain or type(source.batch_sampler) not in _PLAIN_BATCHES:
        if isinstance(source.dataset, IterableDataset):
            return source, ()
        what = "The loader has a sampler of its own, which decides which samples are read, and how often."
        return source, (Finding("warn", what, type(source.sampler).__name__, "Give the dataset to read each once."),)
    return (
        DataLoader(
            source.dataset,
            batch_size=source.batch_size,
            shuffle=False,
            collate_fn=source.collate_fn,
            num_workers=source.num_workers,
            worker_init_fn=source.worker_init_fn,
        ),
        (),
    )


_PLAIN_BATCHES = (BatchSampler, type(None))


def _length(source: object) -> int | None:
    dataset: object = source.dataset if isinstance(source, DataLoader) else source
    try:
        return len(dataset)  # type: ignore[arg-type]
    except (TypeError, NotImplementedError):
        return None


def _batches(loader: Iterable[object]) -> Iterator[object]:
    try:
        yield from loader
    except ExplorerError:
        raise
    except Exception as error:
        logging.getLogger(__name__).exception("the data at hand could not be read")
        first = (str(error).strip().splitlines() or [""])[0].rstrip(".")
        why = f"{type(error).__name__}: {clean(first, 200)}."
        raise ExplorerError("The data at hand cannot be read.", why=why, fix="Iterate it in Python first.") from error


def _pair(batch: object) -> Pair:
    """The inputs and targets of one batch."""
    if isinstance(batch, Mapping):
        batch = _named(batch)
    parts: Sequence[object] = batch if isinstance(batch, tuple | list) else (batch,)
    if len(parts) > 2 or not parts:
        why = f"A batch has {len(parts)} parts, and inputs and targets are two."
        raise ExplorerError("The data at hand cannot be read as samples.", why=why, fix="Collate to (inputs, targets).")
    x, y = parts[0], parts[1] if len(parts) > 1 else None
    x, y = _tensor(x, "inputs"), None if y is None else _tensor(y, "targets")
    if y is not None and len(x) != len(y):
        why = f"A batch has {len(x)} inputs and {len(y)} targets."
        raise ExplorerError("Inputs and targets have different lengths.", why=why, fix="Collate one target an input.")
    return x, y


def _named(batch: Mapping[object, object]) -> tuple[object, ...]:
    """The inputs of a batch by name, and what is called labels or targets in it."""
    target = next((name for name in _TARGETS if name in batch), None)
    inputs = [name for name in batch if name != target]
    if len(inputs) != 1:
        why = f"A batch has the inputs {listed([str(name) for name in inputs])}, and the model here takes one."
        raise ExplorerError("The data at hand cannot be read as samples.", why=why, fix="Collate to (inputs, targets).")
    return (batch[inputs[0]],) if target is None else (batch[inputs[0]], batch[target])


def _tensor(value: object, what: str) -> Tensor:
    if isinstance(value, np.ndarray):
        value = torch.from_numpy(value)
    if not isinstance(value, Tensor):
        why = f"The {what} of a batch are a {type(value).__name__}."
        raise ExplorerError("The data at hand cannot be read as samples.", why=why, fix="Collate them to tensors.")
    return value.detach().cpu()


def _joined(parts: Sequence[Tensor], what: str) -> Tensor:
    shapes = {tuple(part.shape[1:]) for part in parts}
    if len(shapes) > 1:
        why = f"The {what} have the shapes {listed([str(shape) for shape in sorted(shapes)], 3)}."
        fix = "Bring them to one shape, for example by padding in the collate function."
        raise ExplorerError("The samples differ in shape.", why=why, fix=fix)
    return torch.cat(list(parts))


def is_source(value: object) -> bool:
    """Whether this is a dataset or a loader of torch, or looks like one: items by number, and a length."""
    return isinstance(value, Dataset | DataLoader)
