"""How much memory a forward pass needs: its weights, and its activations at the fullest moment.

A pass is watched below the modules. A tensor counts from the operation that makes it to the last that reads it,
so the number belongs to the network and not to how long its Python code keeps a name. Views cost nothing;
what a kernel needs for itself meanwhile (unfolded patches, say) is not seen.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakIdKeyDictionary

from explorer.errors import ExplorerError
from explorer.metrics.latency import Example, batched
from explorer.types import Measurement
from explorer.types.aliases import CallArguments, GraphValue, NamedArguments
from explorer.types.inputs import call, tensors_of
from explorer.types.stopping import check
from explorer.types.tensors import held_tensors

_ACTIVATIONS = "Live activations at the fullest moment of one pass, input and output included."
_WEIGHTS = "Parameters and buffers as they lie in memory, shared ones once, zeros included."


@dataclass(frozen=True)
class Traffic:
    """What one forward pass does with activations, in bytes.

    ``peak``: live at the fullest moment. ``moved``: read and written by all operations together, weights excluded.
    """

    peak: int
    moved: int


def traffic(module: nn.Module, example: Example, *, batch: int = 1) -> Traffic:
    """Activations of one pass over ``batch`` inputs; the pass runs on a private shell around the same tensors.

    Raises ExplorerError when the model does not run with this batch.
    """
    inputs = batched(example, batch)
    shell = copy.deepcopy(module, {id(t): t for t in held_tensors(module)})
    watch = _Watch(held_tensors(shell), tensors_of(inputs).values())
    try:
        with torch.no_grad(), watch:
            out = call(shell, inputs)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        first_line = (str(error).splitlines() or [""])[0][:160]
        what = f"The model does not run with a batch of {batch}."
        logging.getLogger(__name__).exception(what)
        raise ExplorerError(what, why=f"{first_line}.", fix="Use a batch of 1.") from error
    return Traffic(watch.peak(out), watch.moved)


def activation_memory(module: nn.Module, example: Example, *, batch: int = 1) -> Measurement:
    """Peak bytes of live activations in one pass over ``batch`` inputs, counted."""
    n_bytes = traffic(module, example, batch=batch).peak
    return Measurement("activations", n_bytes, "bytes", "counted", batch_size=batch, note=_ACTIVATIONS)


def weight_memory(module: nn.Module) -> Measurement:
    """Bytes of the parameters and buffers of a module, counted; a masked model's zeros take as much as any value."""
    storages = {t.untyped_storage()._cdata: t.numel() * t.element_size() for t in held_tensors(module)}
    return Measurement("weights", sum(storages.values()), "bytes", "counted", note=_WEIGHTS)


def memory(dense: nn.Module, pruned: nn.Module, example: Example, *, batch: int = 1) -> dict[str, Measurement]:
    """``weights_dense``, ``weights_pruned``, ``activations_dense`` and ``activations_pruned``, in bytes."""
    return {
        "weights_dense": weight_memory(dense),
        "weights_pruned": weight_memory(pruned),
        "activations_dense": activation_memory(dense, example, batch=batch),
        "activations_pruned": activation_memory(pruned, example, batch=batch),
    }


class _Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While it is on, in this thread, it notes which storage each operation makes and reads."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing is compiled here: torch would import its compiler, for seconds, only to keep it off."""
        return False

    def __init__(self, weights: Iterable[Tensor], inputs: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.moved = 0
        self._step = 0
        # Storages are known by object: their addresses are given away again once they are freed.
        self._ids = WeakIdKeyDictionary()
        self._bytes: list[int] = []
        self._lives: list[tuple[int, int]] = []
        self._weights = {t.untyped_storage()._cdata for t in weights}
        for tensor in inputs:
            self._touch(tensor)

    def __torch_dispatch__(
        self, func: Any, types: object, args: CallArguments = (), kwargs: NamedArguments | None = None
    ) -> GraphValue:
        check()
        self._step += 1
        read = self._activations((args, kwargs or {}))
        out = func(*args, **(kwargs or {}))
        written = self._activations(out)
        for tensor in (*read, *written):
            self._touch(tensor)
        if not getattr(func, "is_view", False):
            self.moved += sum(t.numel() * t.element_size() for t in (*read, *written))
        return out

    def peak(self, out: object) -> int:
        """Bytes live at the fullest step, when the pass gave ``out``."""
        self._step += 1
        for tensor in self._activations(out):
            self._touch(tensor)
        changes = [0] * (self._step + 2)
        for n_bytes, (first, last) in zip(self._bytes, self._lives, strict=True):
            changes[first] += n_bytes
            changes[last + 1] -= n_bytes
        live = fullest = 0
        for change in changes:
            live += change
            fullest = max(fullest, live)
        return fullest

    def _activations(self, values: object) -> list[Tensor]:
        tensors = [v for v in tree_leaves(values) if isinstance(v, Tensor)]
        return [t for t in tensors if t.untyped_storage()._cdata not in self._weights]

    def _touch(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        place = self._ids.get(storage)  # type: ignore[no-untyped-call]
        if place is None:
            place = self._ids[storage] = len(self._bytes)
            self._bytes.append(storage.nbytes())
            self._lives.append((self._step, self._step))
        self._lives[place] = (self._lives[place][0], self._step)
