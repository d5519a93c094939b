"""Watching every torch function that a model calls while samples run through it."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from explorer.pruning.evidence.running import batches_of, private_copy
from explorer.pruning.lowering import lowered
from explorer.pruning.tracing import traced
from explorer.types import LoadedModel, Split
from explorer.types.aliases import CallArguments, GraphValue, NamedArguments, Operation
from explorer.types.inputs import Inputs, call
from explorer.types.stopping import check

BATCH = 64


class Watch(TorchFunctionMode, ABC):
    """While it is active, ``saw`` hears of every call of a torch function, after it.

    ``names``: the model's parameters by the id of their tensor. Hooks would see modules only: not
    a weight that is handed to a function, nor what happens inside an attention layer.
    """

    def __init__(self, names: Mapping[int, str]) -> None:
        super().__init__()
        self.names = names

    def __torch_function__(
        self, func: Operation, types: object, args: CallArguments = (), kwargs: NamedArguments | None = None
    ) -> GraphValue:
        check()
        given = kwargs or {}
        out = self.called(func, args, given)
        self.saw(getattr(func, "__name__", ""), args, given, out)
        return out

    def called(self, func: Operation, args: CallArguments, kwargs: NamedArguments) -> GraphValue:
        """What the function returns."""
        return func(*args, **kwargs)

    @abstractmethod
    def saw(self, name: str, args: CallArguments, kwargs: NamedArguments, out: object) -> None:
        """The function of this name was called so, and this came out."""

    def begins(self, at: int, n: int) -> None:
        """The next calls are of ``n`` samples, the first of which is number ``at``."""

    def name_of(self, value: object) -> str | None:
        """The name of a parameter of the model; None for everything else."""
        return self.names.get(id(value)) if isinstance(value, Tensor) else None


def watched(model: LoadedModel, split: Split, make: Callable[[Mapping[int, str]], Watch]) -> None:
    """Run the samples through a private copy while a watch made for its parameters looks on."""
    module = _opened(private_copy(model, gradients=False), split.x[:1])
    names = {id(tensor): name for name, tensor in module.named_parameters() if name in model.weights}
    watch, at = make(names), 0
    with torch.inference_mode():
        for x, _ in batches_of(split, -(-len(split) // BATCH)):
            watch.begins(at, len(x))
            at += len(x)
            with watch:
                call(module, x)


def _opened(module: nn.Module, example: Inputs) -> nn.Module:
    """The network with its attention layers written out where that is possible, so that all products are seen."""
    if not any(isinstance(part, nn.MultiheadAttention) for part in module.modules()):
        return module
    try:
        return lowered(traced(module, example))
    except Exception:
        logging.getLogger(__name__).debug("The model could not be traced.", exc_info=True)
        return module


def argument(
    args: CallArguments, kwargs: Mapping[str, object], place: int, name: str, default: object = None
) -> GraphValue:
    """An argument of a call, given by place or by name."""
    return args[place] if len(args) > place else kwargs.get(name, default)
