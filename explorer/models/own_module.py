"""What a function of the user's returns: whether it can be measured here, what it takes, and what it gives."""

from __future__ import annotations

import importlib
import inspect
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.models.unsteady import why_no_single_sample, without_statistics
from explorer.text.names import clean, listed


@dataclass(frozen=True, eq=False)
class OwnModule:
    """A module in eval mode, as float32. ``why_not`` says why it cannot be run here; then ``example`` is None.

    ``dtypes`` are those of tensors that were of another type, by name; ``n_classes`` is None where the module
    does not say it and gives no single row of scores.
    """

    module: nn.Module
    input_shape: tuple[int, ...]
    example: Tensor | None
    n_classes: int | None
    dtypes: Mapping[str, str]
    why_not: str | None = None


def opened(address: str, arguments: Mapping[str, object]) -> OwnModule:
    """The module that ``package.module:factory`` returns, run once on one input. Raises ExplorerError."""
    module = _called(address, arguments)
    _refuse_kind(address, module)
    module.eval().requires_grad_(False)
    dtypes = {
        name: str(tensor.dtype).removeprefix("torch.")
        for name, tensor in _tensors(module)
        if tensor.is_floating_point() and tensor.dtype != torch.float32
    }
    module.float()
    shape = _input_shape(address, module)
    stated = getattr(module, "n_classes", None)
    n_classes = stated if isinstance(stated, int) and not isinstance(stated, bool) and stated > 0 else None
    if (why_not := _several_inputs(module)) is not None:
        return OwnModule(module, shape, None, n_classes, dtypes, why_not)
    if is_empty(module):
        return OwnModule(module, shape, _noise(shape), n_classes, dtypes)
    example, out = _first_pass(address, module, shape)
    if n_classes is None and isinstance(out, Tensor) and out.dim() in (1, 2):
        n_classes = int(out.shape[1]) if out.dim() == 2 else 1
    return OwnModule(module, shape, example, n_classes, dtypes)


def is_empty(module: nn.Module) -> bool:
    """Whether its tensors have shapes but no numbers yet (the meta device)."""
    return any(tensor.is_meta for _, tensor in _tensors(module))


def _called(address: str, arguments: Mapping[str, object]) -> nn.Module:
    place, _, name = address.partition(":")
    try:
        factory = getattr(importlib.import_module(place), name)
    except (ImportError, AttributeError) as error:
        why = f"{clean(str(error), 200)}."
        raise ExplorerError(f"{address} was not found.", why=why, fix="Check the name and the install.") from None
    except (Exception, SystemExit) as error:
        raise _failed(f"{address} could not be imported.", error) from error
    try:
        module = factory(**arguments)
    except (Exception, SystemExit) as error:
        raise _failed(f"{address} failed.", error) from error
    if not isinstance(module, nn.Module):
        raise ExplorerError(f"{address} returned a {type(module).__name__}.", fix="Return a torch.nn.Module.")
    return module


def _failed(what: str, error: BaseException, fix: str = "Call it in Python to see where.") -> ExplorerError:
    """The user's own code may raise anything, SystemExit too; the log has the trace."""
    logging.getLogger(__name__).exception(what)
    first = (str(error).strip().splitlines() or [""])[0].rstrip(".")
    return ExplorerError(what, why=f"{type(error).__name__}: {clean(first, 200)}.", fix=fix)


def _refuse_kind(address: str, module: nn.Module) -> None:
    """Refuse modules that cannot be looked into or whose weights are no plain numbers."""
    for name, part in module.named_modules():
        where = f"holds, as {clean(name)!r}, " if name else "is "
        if isinstance(part, torch.jit.ScriptModule):
            why = f"It {where}TorchScript, which cannot be taken apart or given masks."
            raise _unusable(address, why, "Return the module itself, as it was before torch.jit.script or trace.")
        if "quantized" in type(part).__module__.split("."):
            why = f"It {where}a quantized {type(part).__name__}, whose weights are packed."
            raise _unusable(address, why, "Return the module as it was before it was quantized.")
    reasons = {name: reason for name, tensor in _tensors(module) if (reason := _no_plain_numbers(tensor))}
    if reasons:
        name, (why, fix) = next(iter(reasons.items()))
        raise _unusable(address, f"{listed(list(reasons), 3)}: {why}.", fix)


def _no_plain_numbers(tensor: Tensor) -> tuple[str, str] | None:
    if isinstance(tensor, nn.UninitializedParameter | nn.UninitializedBuffer):
        return "a lazy module that has no shape yet", "Run it once on an input in the factory, then load its weights."
    if tensor.is_quantized or hasattr(type(tensor), "__tensor_flatten__"):
        kind = "quantized" if tensor.is_quantized else f"of the type {type(tensor).__name__}"
        return f"{kind}, no plain numbers", "Return the module as it was before it was converted."
    if tensor.layout != torch.strided:
        return f"stored as {str(tensor.layout).removeprefix('torch.')}", "Convert its weights with to_dense()."
    return None


def _unusable(address: str, why: str, fix: str) -> ExplorerError:
    return ExplorerError(f"{address} returned a module that cannot be pruned here.", why=why, fix=fix)


def _tensors(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    yield from module.named_parameters()
    yield from module.named_buffers()


def _input_shape(address: str, module: nn.Module) -> tuple[int, ...]:
    shape = getattr(module, "input_shape", None)
    if not isinstance(shape, tuple | list) or not shape or not all(isinstance(n, int) and n > 0 for n in shape):
        raise ExplorerError(
            f"{address} does not say what its inputs look like.",
            fix="Set module.input_shape in the factory, for example (3, 32, 32), without the batch.",
        )
    return tuple(shape)


def _several_inputs(module: nn.Module) -> str | None:
    try:
        parameters = inspect.signature(module.forward).parameters.values()
    except (TypeError, ValueError):
        return None
    needed = [p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if len(needed) < 2:
        return None
    return f"Its forward takes several inputs ({', '.join(needed)}), and one input is all that it can be given here."


def _first_pass(address: str, module: nn.Module, shape: tuple[int, ...]) -> tuple[Tensor, object]:
    """The first example that the module takes, and what it gives for it: numbers, else words where it embeds them."""
    errors: list[BaseException] = []
    for example in (_noise(shape), *_words(module, shape)):
        try:
            with torch.no_grad():
                return example, module(example.clone())
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the user's own module may raise anything
            errors.append(error)
    # Where only the type of the numbers was wrong, what the words met is the news.
    telling = errors[-1] if "indices" in str(errors[0]) else errors[0]
    if isinstance(telling, ValueError) and (names := without_statistics(module)):
        why, advice = f"{why_no_single_sample(names)}.", "Use track_running_stats=True."
        raise ExplorerError(f"{address} does not take one sample.", why=why, fix=advice) from telling
    fix = "Correct forward or input_shape; weights are computed as float32, so let it convert nothing to another type."
    raise _failed(f"{address} does not run on its input_shape.", telling, fix) from telling


def _noise(shape: tuple[int, ...]) -> Tensor:
    return torch.randn(1, *shape, generator=torch.Generator().manual_seed(0))


def _words(module: nn.Module, shape: tuple[int, ...]) -> Iterator[Tensor]:
    """One input of whole numbers that every embedding of the module knows."""
    sizes = [m.num_embeddings for m in module.modules() if isinstance(m, nn.Embedding | nn.EmbeddingBag)]
    if sizes:
        yield torch.randint(0, max(1, min(sizes)), (1, *shape), generator=torch.Generator().manual_seed(0))
