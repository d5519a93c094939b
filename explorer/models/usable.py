"""Which modules can be looked into at all, and what to say where one cannot."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.text.names import clean, listed


class Reason(NamedTuple):
    """Why something cannot be used, and what to do instead; one sentence each."""

    why: str
    fix: str


def why_unusable(module: nn.Module) -> Reason | None:
    """Why a module cannot be looked into, or has weights that are no plain numbers; None where it can be pruned."""
    for name, part in module.named_modules():
        where = f"holds, as {clean(name)!r}, " if name else "is "
        if isinstance(part, torch.jit.ScriptModule):
            why = f"It {where}TorchScript, which cannot be taken apart or given masks."
            return Reason(why, "Take the module itself, as it was before torch.jit.script or trace.")
        if "quantized" in type(part).__module__.split("."):
            why = f"It {where}a quantized {type(part).__name__}, whose weights are packed."
            return Reason(why, "Take the module as it was before it was quantized.")
    reasons = {name: reason for name, tensor in tensors_of(module) if (reason := _no_plain_numbers(tensor))}
    if not reasons:
        return None
    first = next(iter(reasons.values()))
    return Reason(f"{listed(list(reasons), 3)}: {first.why}.", first.fix)


def _no_plain_numbers(tensor: Tensor) -> Reason | None:
    if isinstance(tensor, nn.UninitializedParameter | nn.UninitializedBuffer):
        return Reason("a lazy module that has no shape yet", "Run it once on an input, then load its weights.")
    if tensor.is_quantized or hasattr(type(tensor), "__tensor_flatten__"):
        kind = "quantized" if tensor.is_quantized else f"of the type {type(tensor).__name__}"
        return Reason(f"{kind}, no plain numbers", "Take the module as it was before it was converted.")
    if tensor.layout != torch.strided:
        return Reason(f"stored as {str(tensor.layout).removeprefix('torch.')}", "Convert its weights with to_dense().")
    return None


def is_empty(module: nn.Module) -> bool:
    """Whether its tensors have shapes but no numbers yet (the meta device)."""
    return any(tensor.is_meta for _, tensor in tensors_of(module))


def several_inputs(module: nn.Module) -> str | None:
    """Why a module cannot be run on one input, in a sentence; None where it can, as far as its forward says."""
    try:
        parameters = inspect.signature(module.forward).parameters.values()
    except (TypeError, ValueError):
        return None
    needed = [p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if len(needed) < 2:
        return None
    return f"Its forward takes several inputs ({', '.join(needed)}), and nothing says what they look like."


def tensors_of(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Every parameter and buffer once, by its name."""
    yield from module.named_parameters()
    yield from module.named_buffers()


def failed(what: str, error: BaseException, fix: str = "Call it in Python to see where.") -> ExplorerError:
    """The refusal of own code that raised, which may be anything, SystemExit too; the log has the trace."""
    logging.getLogger(__name__).exception(what)
    first = (str(error).strip().splitlines() or [""])[0].rstrip(".")
    return ExplorerError(what, why=f"{type(error).__name__}: {clean(first, 200)}.", fix=fix)
