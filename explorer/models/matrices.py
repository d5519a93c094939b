"""Weight matrices under other names than ``weight``: parameters that a forward pass multiplies its data with."""

from __future__ import annotations

import logging
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from explorer.types.inputs import Inputs, call, cloned
from explorer.types.tensors import tensors_in

# Functions whose second argument is the weight; of the others' factors any may be.
_SECOND = {"linear", "embedding", *(f"conv{kind}{n}d" for kind in ("", "_transpose") for n in "123")}
_FACTORS = {
    *("matmul", "__matmul__", "__rmatmul__", "mm", "bmm", "mv", "addmm", "baddbmm"),
    *("einsum", "tensordot", "inner"),
}


def matrices(module: nn.Module, example: Inputs | None) -> tuple[str, ...]:
    """Names of parameters, none of them called a weight, by which the data of one pass are multiplied.

    Parameters that are only added (positions, tokens) are none. Nothing is run where there is no candidate.
    """
    candidates = {name: p for name, p in module.named_parameters() if p.dim() >= 2 and not _speaks(name)}
    if not candidates or example is None:
        return ()
    watch = _Watch({p.untyped_storage().data_ptr() for p in module.parameters()})
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad(), watch:
            call(module, cloned(example))
    except (Exception, SystemExit):  # the user's own module may raise anything, with these weights too
        logging.getLogger(__name__).exception("A pass that looks for weight matrices failed.")
    return tuple(name for name, p in candidates.items() if p.untyped_storage().data_ptr() in watch.used)


def _speaks(name: str) -> bool:
    """Whether the name itself says what the parameter is."""
    last = name.rpartition(".")[2]
    return "weight" in last or "bias" in last


class _Watch(TorchFunctionMode):
    """Notes the storage of every weight of a product; a view of a parameter has the parameter's."""

    def __init__(self, parameters: set[int]) -> None:
        super().__init__()
        self._parameters = parameters
        self.used: set[int] = set()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name in _SECOND:
            self._note(args[1] if len(args) > 1 else kwargs.get("weight"))
        elif name in _FACTORS:
            self._note((args, tuple(kwargs.values())))
        return func(*args, **kwargs)

    def _note(self, value: Any) -> None:
        weights = {t.untyped_storage().data_ptr() for t in tensors_in(value)} & self._parameters
        if len(weights) == 1:  # a product of parameters alone is no product with the data
            self.used |= weights
