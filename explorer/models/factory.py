"""The user's own installed code: ``package.module:factory`` makes the module."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.models.assemble import Weights, findings, pour
from explorer.models.request import Request
from explorer.text.quoting import shown
from explorer.types import LoadedModel, tensors_digest

PATTERN = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
RESERVED = {"hf", "timm", "torchvision", "upload", "http", "https"}


@dataclass(frozen=True)
class Factory:
    """Calls a function of the user's that returns a module with its weights.

    The module says what it takes: ``module.input_shape = (3, 32, 32)`` (one input without the
    batch); ``module.n_classes`` is counted from its output when absent. Optional: ``module.mean``
    and ``module.std``. As this runs code, it works from the command line and from Python only.
    """

    key: ClassVar[str] = "factory"
    form: ClassVar[str] = "package.module:factory (your own installed code)"

    def owns(self, address: str) -> bool:
        """Whether the address looks like module:function."""
        return bool(PATTERN.fullmatch(address)) and address.partition(":")[0] not in RESERVED

    def load(self, request: Request) -> LoadedModel:
        """The module the factory returns, with the weights the factory gave it."""
        module, meta, example, n_classes = self._made(request.address, request)
        tensors = {**dict(module.named_parameters()), **dict(module.named_buffers())}
        return LoadedModel(
            address=request.address,
            module=module,
            weights={name: p.detach() for name, p in module.named_parameters()},
            digest=tensors_digest(tensors),
            example=example,
            n_classes=n_classes,
            findings=findings({name: p.detach() for name, p in module.named_parameters()}),
            meta={"source": "factory", "label": request.address, **meta},
        )

    def pour(self, request: Request, weights: Weights) -> LoadedModel:
        """A file's weights in the module that the factory named as ``arch`` returns."""
        return pour(weights, *self._made(str(request.arch), request))

    def _made(self, address: str, request: Request) -> tuple[nn.Module, dict[str, Any], Tensor, int]:
        if not request.trust_code:
            raise ExplorerError(
                f"{shown(address)!r} runs code.",
                why="Opening it would import and call that function.",
                fix="If it is your own: in Python add trust_code=True, on the command line --trust-code.",
            )
        module = _called(address, dict(request.arch_args)).eval().requires_grad_(False)
        shape = _input_shape(address, module)
        example = torch.randn(1, *shape, generator=torch.Generator().manual_seed(0))
        meta: dict[str, Any] = {"arch": address, "arch_args": dict(request.arch_args), "input_shape": list(shape)}
        meta["size"] = shape[-1] if len(shape) == 3 else None
        meta |= {name: list(getattr(module, name)) for name in ("mean", "std") if _is_numbers(module, name)}
        return module, meta, example, _n_classes(address, module, example)


def _called(address: str, arguments: dict[str, Any]) -> nn.Module:
    place, _, name = address.partition(":")
    try:
        factory = getattr(importlib.import_module(place), name)
    except (ImportError, AttributeError) as error:
        raise ExplorerError(
            f"{address} was not found.", why=f"{error}.", fix="Check the name and the install."
        ) from None
    try:
        made = factory(**arguments)
    except Exception as error:  # the user's own function may raise anything
        why = f"{type(error).__name__}: {shown(str(error), 200)}."
        raise ExplorerError(f"{address} failed.", why=why, fix="Call it in Python to see where.") from error
    if not isinstance(made, nn.Module):
        raise ExplorerError(f"{address} returned a {type(made).__name__}.", fix="Return a torch.nn.Module.")
    return made


def _input_shape(address: str, module: nn.Module) -> tuple[int, ...]:
    shape = getattr(module, "input_shape", None)
    if not isinstance(shape, tuple | list) or not shape or not all(isinstance(n, int) and n > 0 for n in shape):
        raise ExplorerError(
            f"{address} does not say what its inputs look like.",
            fix="Set module.input_shape in the factory, for example (3, 32, 32), without the batch.",
        )
    return tuple(shape)


def _n_classes(address: str, module: nn.Module, example: Tensor) -> int:
    stated = getattr(module, "n_classes", None)
    if isinstance(stated, int):
        return stated
    with torch.no_grad():
        try:
            out = module(example)
        except Exception as error:  # the user's own module may raise anything
            why = f"{type(error).__name__}: {shown(str(error), 200)}."
            raise ExplorerError(f"{address} does not run on its input_shape.", why=why, fix="Correct it.") from error
    if not isinstance(out, Tensor) or out.dim() != 2:
        raise ExplorerError(f"{address} does not return one row of logits per input.", fix="Return (n, classes).")
    return int(out.shape[1])


def _is_numbers(module: nn.Module, name: str) -> bool:
    value = getattr(module, name, None)
    return isinstance(value, tuple | list) and bool(value) and all(isinstance(v, int | float) for v in value)
