"""What a function of the user's returns: whether it can be measured here, what it takes, and what it gives."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.models.unsteady import why_no_single_sample, without_statistics
from explorer.models.usable import failed, is_empty, several_inputs, tensors_of, why_unusable
from explorer.text.names import clean
from explorer.types import Inputs
from explorer.types.inputs import as_inputs, call, cloned, mapped, moved


@dataclass(frozen=True, eq=False)
class OwnModule:
    """A module in eval mode, as float32. ``why_not`` says why it cannot be run here; then ``example`` is None.

    ``input_shape`` is that of one sample of its one input; empty where it has several.

    ``dtypes`` are those of tensors that were of another type, by name; ``n_classes`` is None where the module
    does not say it and gives no single row of scores.
    """

    module: nn.Module
    input_shape: tuple[int, ...]
    example: Inputs | None
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
        for name, tensor in tensors_of(module)
        if tensor.is_floating_point() and tensor.dtype != torch.float32
    }
    module.float()
    stated_example = _stated_example(address, module)
    shape = _input_shape(address, module) if stated_example is None else _shape_of(stated_example)
    stated = getattr(module, "n_classes", None)
    n_classes = stated if isinstance(stated, int) and not isinstance(stated, bool) and stated > 0 else None
    if stated_example is None and (why_not := several_inputs(module)) is not None:
        return OwnModule(module, shape, None, n_classes, dtypes, why_not)
    if is_empty(module):
        return OwnModule(module, shape, _noise(shape) if stated_example is None else stated_example, n_classes, dtypes)
    example, out = _first_pass(address, module, shape, stated_example)
    if n_classes is None and isinstance(out, Tensor) and out.dim() in (1, 2):
        n_classes = int(out.shape[1]) if out.dim() == 2 else 1
    return OwnModule(module, shape, example, n_classes, dtypes)


def _called(address: str, arguments: Mapping[str, object]) -> nn.Module:
    place, _, name = address.partition(":")
    try:
        factory = getattr(importlib.import_module(place), name)
    except (ImportError, AttributeError) as error:
        why = f"{clean(str(error), 200)}."
        raise ExplorerError(f"{address} was not found.", why=why, fix="Check the name and the install.") from None
    except (Exception, SystemExit) as error:
        raise failed(f"{address} could not be imported.", error) from error
    try:
        module = factory(**arguments)
    except (Exception, SystemExit) as error:
        raise failed(f"{address} failed.", error) from error
    if not isinstance(module, nn.Module):
        raise ExplorerError(f"{address} returned a {type(module).__name__}.", fix="Return a torch.nn.Module.")
    return module


def _refuse_kind(address: str, module: nn.Module) -> None:
    """Refuse modules that cannot be looked into or whose weights are no plain numbers."""
    if (reason := why_unusable(module)) is not None:
        what = f"{address} returned a module that cannot be pruned here."
        raise ExplorerError(what, why=reason.why, fix=reason.fix)


def _input_shape(address: str, module: nn.Module) -> tuple[int, ...]:
    shape = getattr(module, "input_shape", None)
    if not isinstance(shape, tuple | list) or not shape or not all(isinstance(n, int) and n > 0 for n in shape):
        raise ExplorerError(
            f"{address} does not say what its inputs look like.",
            fix="Set module.input_shape in the factory, for example (3, 32, 32), without the batch.",
        )
    return tuple(shape)


def _stated_example(address: str, module: nn.Module) -> Inputs | None:
    """One sample of what the module says that it takes: ``module.example``, a tensor, a tuple or a dict of tensors."""
    example = getattr(module, "example", None)
    if example is None or isinstance(example, nn.Module) or callable(example):
        return None
    try:
        given = as_inputs(example)
    except ExplorerError as error:
        raise ExplorerError(f"{address} has an example that is none.", why=error.why, fix=error.fix) from None
    if (isinstance(given, Tensor) and not given.dim()) or not len(given):
        raise ExplorerError(f"{address} has an example without a sample.", fix="Give a batch of at least one sample.")
    return moved(mapped(given[:1], Tensor.detach), "cpu", torch.float32)


def _shape_of(example: Inputs) -> tuple[int, ...]:
    return tuple(example.shape[1:]) if isinstance(example, Tensor) else ()


def _first_pass(
    address: str, module: nn.Module, shape: tuple[int, ...], stated: Inputs | None
) -> tuple[Inputs, object]:
    """The first example that the module takes, and what it gives for it.

    The one that it states; else numbers, else words where it embeds them.
    """
    errors: list[BaseException] = []
    for example in (_noise(shape), *_words(module, shape)) if stated is None else (stated,):
        try:
            with torch.no_grad():
                return example, call(module, cloned(example))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the user's own module may raise anything
            errors.append(error)
    # Where only the type of the numbers was wrong, what the words met is the news.
    telling = errors[-1] if "indices" in str(errors[0]) else errors[0]
    if isinstance(telling, ValueError) and (names := without_statistics(module)):
        why, advice = f"{why_no_single_sample(names)}.", "Use track_running_stats=True."
        raise ExplorerError(f"{address} does not take one sample.", why=why, fix=advice) from telling
    fix = "Correct forward or input_shape; weights are computed as float32, so let it convert nothing to another type."
    what = "input_shape" if stated is None else "example"
    raise failed(f"{address} does not run on its {what}.", telling, fix) from telling


def _noise(shape: tuple[int, ...]) -> Tensor:
    return torch.randn(1, *shape, generator=torch.Generator().manual_seed(0))


def _words(module: nn.Module, shape: tuple[int, ...]) -> Iterator[Tensor]:
    """One input of whole numbers that every embedding of the module knows."""
    sizes = [m.num_embeddings for m in module.modules() if isinstance(m, nn.Embedding | nn.EmbeddingBag)]
    if sizes:
        yield torch.randint(0, max(1, min(sizes)), (1, *shape), generator=torch.Generator().manual_seed(0))
