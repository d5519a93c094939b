"""Pruning a network block by block: each block sees what the pruned ones before it give.

The inputs of the first block are recorded once; then each block is scored on its inputs, pruned, and run again, so
that the next one meets what it will meet in use. Two sets of activations and one block's evidence are held at a
time, however many blocks there are.

Source: the sequential pipelines of Frantar and Alistarh 2023, arXiv:2301.00774, section 4, and
Sun et al. 2023, arXiv:2306.11695, algorithm 1.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.pruning.allocation import Global, Uniform
from explorer.pruning.apply import masked_weights, private_shell, set_parameters
from explorer.pruning.criteria.base import Criterion
from explorer.pruning.criteria.places import is_language_model
from explorer.pruning.evidence.running import one_thread
from explorer.pruning.evidence.watching import BATCH
from explorer.pruning.layers import layer_table
from explorer.pruning.plan import plan
from explorer.pruning.running import fitting, output_of, runnable
from explorer.pruning.spec import Limit, PruneSpec
from explorer.types import Dataset, LoadedModel, Split, tensors_digest
from explorer.types.aliases import GraphValue
from explorer.types.inputs import Inputs, call
from explorer.types.stopping import check

Propagate = Literal["pruned", "dense"]
_SEPARATE = ("uniform", "per_layer", "threshold")
_FEWEST = 2


@dataclass(frozen=True, eq=False)
class PrunedBlock:
    """One block with its new weights under their names in the whole network, and how many of them went."""

    index: int
    path: str
    tensors: Mapping[str, Tensor]
    n_weights: int
    n_pruned: int
    seconds: float
    is_resumed: bool = False


class BlockFiles:
    """Where weights of blocks are recorded: here nowhere."""

    def finished(self, path: str) -> Mapping[str, Tensor] | None:
        """The new weights of a block that was pruned before; None where it was not."""
        return None

    def rounded(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Weights as they come back from a file, so that later blocks see the same now and when begun again."""
        return dict(tensors)


@dataclass(frozen=True, eq=False)
class _Record:
    """What the first block was given: hidden states of all samples, and what else each block takes besides."""

    hidden: Tensor
    args: tuple[GraphValue, ...]
    named: Mapping[str, GraphValue]


class _Reached(BaseException):
    """The first block was called; nothing after it has to run. No Exception: the network must not catch it."""


class _Alone(nn.Module):
    """One block under the path that it has in the whole network; forward takes and gives hidden states."""

    def __init__(self, path: str, block: nn.Module, record: _Record) -> None:
        super().__init__()
        owner: nn.Module = self
        *above, last = path.split(".")
        for name in above:
            owner.add_module(name, nn.Module())
            owner = owner.get_submodule(name)
        owner.add_module(last, block)
        self._path, self._args, self._named = path, record.args, dict(record.named)

    def forward(self, hidden: Tensor) -> Tensor:
        """(n, length, dim) -> the same shape."""
        out: Tensor = output_of(self.get_submodule(self._path)(hidden, *self._args, **self._named))
        return out


def block_paths(module: nn.Module) -> tuple[str, ...]:
    """The paths of the blocks: the children of the longest list of modules. ExplorerError where there is none."""
    lists = [
        (len(part), path)
        for path, part in module.named_modules()
        if isinstance(part, nn.ModuleList | nn.Sequential) and len(part) >= _FEWEST
    ]
    if not lists:
        raise ExplorerError("This network has no list of blocks.", fix="Prune it at once: prune without a folder.")
    place = max(lists, key=lambda each: each[0])[1]
    return tuple(f"{place}.{name}".lstrip(".") for name, _ in module.get_submodule(place).named_children())


def in_blocks(model: LoadedModel, spec: PruneSpec) -> PruneSpec:
    """The request as it is met block by block: what is in no block is locked, and what depends on the whole is settled.

    ExplorerError for a request that no block can meet on its own.
    """
    if spec.granularity.key not in ("weight", "n_of_m"):
        why = f"A {spec.granularity.unit} may reach through several blocks."
        raise ExplorerError("Block by block only single weights go.", why=why, fix="Choose weight or n_of_m.")
    if getattr(spec.criterion, "compare", None) == "auto":
        settled = "row" if is_language_model(model) else "layer"
        spec = replace(spec, criterion=replace(spec.criterion, compare=settled))  # type: ignore[type-var,call-arg]
    if isinstance(spec.allocation, Global) and _gives_places(spec.criterion):
        spec = replace(spec, allocation=Uniform(spec.allocation.sparsity))  # which it is
    if spec.allocation.key not in _SEPARATE:
        raise ExplorerError(
            f"The allocation {spec.allocation.key} compares all layers, and block by block one is there at a time.",
            fix=f"Choose one of: {', '.join(_SEPARATE)}.",
        )
    inside = tuple(f"{path}." for path in block_paths(runnable(model)))
    for layer in layer_table(model).prunable:
        if not layer.parameter.startswith(inside):
            spec = spec.with_limit(layer.name, Limit(locked=True))
    return spec


def _gives_places(criterion: Criterion) -> bool:
    """Whether scores are places from 0 to 1, so that every layer loses the same share in one order over all."""
    return criterion.key in ("row_magnitude", "sparsegpt") or getattr(criterion, "compare", None) == "row"


def pruned_blocks(
    model: LoadedModel,
    spec: PruneSpec,
    data: Dataset,
    *,
    propagate: Propagate = "pruned",
    files: BlockFiles | None = None,
) -> Iterator[PrunedBlock]:
    """Each block with its new weights, in order; the model itself is only read.

    ``propagate``: a block sees what the "pruned" ones before it give, or (as all at once) the "dense" ones.
    With ``files``, blocks that were pruned before are taken from there. Raises ExplorerError.
    """
    files, spec = files or BlockFiles(), in_blocks(model, spec)
    module = runnable(model)
    paths = block_paths(module)
    if "fit" not in data.splits:
        raise ExplorerError(f"{data.address} has no fit split.", why=data.why_no_split.get("fit", ""), fix="Divide it.")
    n_samples = int(getattr(spec.criterion, "n_samples", 1))
    with one_thread():
        record = _recorded(module, paths[0], fitting(data.splits["fit"].x[:n_samples], module))
        hidden = record.hidden
        for index, path in enumerate(paths):
            check()
            began = time.perf_counter()
            alone = _alone(model, path, replace(record, hidden=hidden), data)
            done = files.finished(path)
            if done is None:
                new, counts = _pruned(alone, spec, path, data, hidden)
                new = files.rounded(new)
            else:
                new, counts = dict(done), _counts(alone, done)
            hidden = _run(alone if propagate == "dense" else _with(alone, new), hidden)
            seconds = time.perf_counter() - began
            yield PrunedBlock(index, path, new, *counts, seconds, is_resumed=done is not None)


def _recorded(module: nn.Module, first: str, x: Inputs) -> _Record:
    """What the first block is given for these samples, in the batches in which evidence is collected."""
    seen: list[tuple[Tensor, tuple[GraphValue, ...], dict[str, GraphValue]]] = []

    def before(block: nn.Module, args: tuple[GraphValue, ...], named: dict[str, GraphValue]) -> None:
        hidden = args[0] if args else named["hidden_states"]
        others = {name: value for name, value in named.items() if args or name != "hidden_states"}
        seen.append((hidden, tuple(map(_of_all, args[1:])), {name: _of_all(value) for name, value in others.items()}))
        raise _Reached

    shell = private_shell(module)
    shell.get_submodule(first).register_forward_pre_hook(before, with_kwargs=True)
    with torch.no_grad():
        for part in _batches(x):
            try:
                call(shell, part)
            except _Reached:
                continue
    if not seen:
        raise ExplorerError("The first block was not called.", fix="Prune the network at once, without a folder.")
    return _Record(torch.cat([hidden for hidden, _, _ in seen]), seen[0][1], seen[0][2])


def _of_all(value: GraphValue) -> GraphValue:
    """What a block takes beside the hidden states, for any number of samples; caches of earlier tokens are left out."""
    if isinstance(value, Tensor) and value.dim() and len(value) > 1 and value.dim() > 1:
        if not bool((value == value[:1]).all()):
            raise ExplorerError(
                "The samples differ in more than their tokens (such as masks).",
                why="Block by block all samples are run alike.",
                fix="Give windows of one length without padding.",
            )
        return value[:1]
    if isinstance(value, tuple | list):
        return type(value)(map(_of_all, value))
    return value if isinstance(value, Tensor | int | float | str | bool | None) else None


def _batches(x: Inputs) -> Iterator[Inputs]:
    """The parts in which evidence is collected: equal sums need equal parts."""
    size = -(-len(x) // max(1, -(-len(x) // BATCH)))
    for start in range(0, len(x), size):
        check()
        yield x[start : start + size]


def _alone(model: LoadedModel, path: str, record: _Record, data: Dataset) -> LoadedModel:
    block = _Alone(path, runnable(model).get_submodule(path), record).eval()
    weights = {name: parameter.detach() for name, parameter in block.named_parameters()}
    return LoadedModel(
        address=f"{model.address}, {path}",
        module=block,
        weights=weights,
        digest=tensors_digest({}),
        example=record.hidden[:1],
        matrices=tuple(name for name in model.matrices if name in weights),
    )


def _pruned(
    alone: LoadedModel, spec: PruneSpec, path: str, data: Dataset, hidden: Tensor
) -> tuple[dict[str, Tensor], tuple[int, int]]:
    names = {layer.name for layer in layer_table(alone)}
    own = replace(spec, limits=tuple((name, limit) for name, limit in spec.limits if name in names))
    for part in ("shares", "values"):
        pairs = tuple(pair for pair in getattr(own.allocation, part, ()) if pair[0] in names)
        if getattr(own.allocation, part, ()):
            own = replace(own, allocation=replace(own.allocation, **{part: pairs}))  # type: ignore[type-var]
    inputs = Dataset(f"inputs of {path}", {"fit": Split("fit", hidden, None)}, (), f"{data.digest}:{path}")
    made = plan(alone, own, data=inputs)
    new = {**alone.weights, **made.updates, **masked_weights(alone, made)}
    return new, (made.layers.n_prunable, made.n_pruned)


def _counts(alone: LoadedModel, tensors: Mapping[str, Tensor]) -> tuple[int, int]:
    prunable = layer_table(alone).prunable
    gone = sum(int(((tensors[p.parameter] == 0) & (alone.weights[p.parameter] != 0)).sum()) for p in prunable)
    return sum(layer.n_weights for layer in prunable), gone


def _with(alone: LoadedModel, tensors: Mapping[str, Tensor]) -> LoadedModel:
    shell = private_shell(runnable(alone))
    set_parameters(shell, dict(tensors))
    return replace(alone, module=shell)


def _run(alone: LoadedModel, hidden: Tensor) -> Tensor:
    with torch.no_grad():
        parts = [runnable(alone)(part) for part in _batches(hidden)]
    out = torch.cat(parts)
    if out.shape != hidden.shape:
        raise ExplorerError(f"{alone.address} gives another shape than it takes.", fix="Prune the network at once.")
    return out
