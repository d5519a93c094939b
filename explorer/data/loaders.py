"""All samples of a Dataset or DataLoader of torch, or of a table with named columns, in memory, each once."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import BatchSampler, DataLoader, Dataset, IterableDataset, RandomSampler, SequentialSampler

from explorer.data.columns import batches, chosen, is_table
from explorer.data.request import check_total
from explorer.errors import ExplorerError
from explorer.text.names import clean, listed
from explorer.types import Finding, Inputs, InputSet, LoadedModel
from explorer.types.inputs import as_inputs, joined, one_tensor, sample_shape, tensors_of

_BATCH = 64
Pair = tuple[Inputs, Tensor | None]


def samples_of(source: object, model: LoadedModel | None = None) -> tuple[Pair, tuple[Finding, ...]]:
    """(inputs, targets or None) with one row a sample, and what to know. Raises ExplorerError for odd batches.

    A loader's collate makes the batches; shuffling is off and the last batch is not dropped, so that every sample
    comes once. A sampler of its own decides which samples come. Of batches and tables with names the inputs are those
    that ``model`` takes by name, else the only column beside the targets.
    """
    loader, findings = (batches(source), ()) if is_table(source) else _loader(source)  # type: ignore[arg-type]
    total = _length(source)
    inputs: list[Inputs] = []
    targets: list[Tensor] = []
    for batch in _batches(loader):
        (x, y), more = _pair(batch, _names(model))
        findings = findings if inputs else (*findings, *more)
        if not inputs and total is not None and len(x):
            one = sum(t[0].numel() * t.element_size() for t in tensors_of(x).values())
            check_total(total * one, "The data at hand")
        inputs.append(x)
        targets += [] if y is None else [y]
    if not inputs:
        raise ExplorerError("The data at hand hold no samples.", fix="Give a dataset that is not empty.")
    x = _joined(inputs, "inputs")
    return (x, one_tensor(_joined(targets, "targets"), "A target") if targets else None), findings


def _names(model: LoadedModel | None) -> tuple[str, ...]:
    """What the model's inputs are called, where they have names."""
    example = None if model is None else model.example
    return tuple(example.named) if isinstance(example, InputSet) else ()


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


def _pair(batch: object, names: Sequence[str]) -> tuple[Pair, tuple[Finding, ...]]:
    """The inputs and targets of one batch."""
    findings: tuple[Finding, ...] = ()
    if isinstance(batch, Mapping):
        batch, findings = _named(batch, names)
    parts: Sequence[object] = batch if isinstance(batch, tuple | list) else (batch,)
    if len(parts) > 2 or not parts:
        why = f"A batch has {len(parts)} parts, and inputs and targets are two."
        raise ExplorerError("The data at hand cannot be read as samples.", why=why, fix="Collate to (inputs, targets).")
    x, y = parts[0], parts[1] if len(parts) > 1 else None
    x, y = _inputs(x), None if y is None else _tensor(y, "targets")
    if y is not None and len(x) != len(y):
        why = f"A batch has {len(x)} inputs and {len(y)} targets."
        raise ExplorerError("Inputs and targets have different lengths.", why=why, fix="Collate one target an input.")
    return (x, y), findings


def _named(batch: Mapping[object, object], names: Sequence[str]) -> tuple[tuple[object, ...], tuple[Finding, ...]]:
    """The inputs of a batch by name, and what is called labels or targets in it."""
    numbers = {str(name): _tensor(part, "columns") for name, part in batch.items() if _is_numbers(part)}
    inputs, target, findings = chosen(numbers, names, "its batches")
    x: object = {name: numbers[name] for name in inputs} if names else numbers[inputs[0]]
    return ((x,) if target is None else (x, numbers[target])), findings


def _is_numbers(part: object) -> bool:
    return isinstance(part, Tensor) or (isinstance(part, np.ndarray) and part.dtype.kind in "fiub")


def _inputs(value: object) -> Inputs:
    """One tensor, or several: in a list or tuple, or by name."""
    if isinstance(value, Mapping):
        return as_inputs({name: _tensor(part, "inputs") for name, part in value.items()})
    if isinstance(value, list | tuple) and len(value) > 1:
        return as_inputs(tuple(_tensor(part, "inputs") for part in value))
    return _tensor(value, "inputs")


def _tensor(value: object, what: str) -> Tensor:
    if isinstance(value, np.ndarray):
        value = torch.from_numpy(value)
    if not isinstance(value, Tensor):
        why = f"The {what} of a batch are a {type(value).__name__}."
        raise ExplorerError("The data at hand cannot be read as samples.", why=why, fix="Collate them to tensors.")
    return value.detach().cpu()


def _joined(parts: Sequence[Inputs], what: str) -> Inputs:
    shapes = {sample_shape(part) for part in parts}
    if len(shapes) > 1:
        why = f"The {what} have the shapes {listed(sorted(shapes), 3)}."
        fix = "Bring them to one shape, for example by padding in the collate function."
        raise ExplorerError("The samples differ in shape.", why=why, fix=fix)
    return joined(parts)


def is_source(value: object) -> bool:
    """Whether this is a dataset or a loader of torch, or a table with named columns."""
    return isinstance(value, Dataset | DataLoader) or is_table(value)
