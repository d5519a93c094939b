"""Where a network begins: the very weights it was trained from, or fresh random ones."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from explorer import models
from explorer.errors import ExplorerError, Refusal
from explorer.metrics.size import stored_tensors
from explorer.models.architectures import ARCHITECTURES, Architecture
from explorer.types import LoadedModel


def why_no_beginning(model: LoadedModel, file: str = "") -> Refusal | None:
    """Why the first weights of ``model`` are not known; None where they are."""
    if file or model.meta.get("source") == "sample":
        return None
    return Refusal(
        f"The weights that {model.address} was trained from are not known.",
        why="They are bundled with the samples; a file of trained weights does not hold them.",
        fix="Name a file of them (file=...), or choose a bundled model.",
    )


def first_weights(model: LoadedModel, file: str = "") -> dict[str, Tensor]:
    """Parameters and buffers from before the first update, bit for bit: from ``file``, or bundled with the sample."""
    refusal = why_no_beginning(model, file)
    if refusal is not None:
        raise refusal.error()
    if not file:
        return models.initial_weights(str(model.meta["label"]))
    arguments = model.meta.get("arch_args") or {}
    tensors = stored_tensors(models.load(file, arch=model.meta.get("arch"), arch_args=arguments))
    wrong = [n for n, t in model.weights.items() if n not in tensors or tensors[n].shape != t.shape]
    if wrong:
        raise ExplorerError(f"{file} does not fit {model.address}.", why=f"{wrong[0]} differs.", fix="Name another.")
    return tensors


def fresh_weights(model: LoadedModel, seed: int) -> dict[str, Tensor]:
    """Parameters and buffers of a network of the same architecture that was just made at random."""
    architecture = architecture_of(model)
    if architecture is not None:
        return fresh_weights_of(architecture, seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return _reset(model)


def fresh_weights_of(architecture: Architecture, seed: int) -> dict[str, Tensor]:
    """The same of an architecture alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return dict(architecture.build().state_dict())


def architecture_of(model: LoadedModel) -> Architecture | None:
    """The named architecture of a model, with its arguments; None where it has none."""
    key = model.meta.get("arch")
    if key not in ARCHITECTURES.members or model.meta.get("graph") is not None:
        return None
    return ARCHITECTURES.from_json({**(model.meta.get("arch_args") or {}), "key": key})


def why_not_fresh(model: LoadedModel) -> Refusal | None:
    """Why fresh random weights cannot be drawn for ``model``; None where they can."""
    if model.module is None or architecture_of(model) is not None:
        return None
    owners = [(name, m) for name, m in model.module.named_modules() if _own(m) and _reset_of(m) is None]
    if not owners:
        return None
    name, module = owners[0]
    return Refusal(
        f"Fresh random weights cannot be drawn for {model.address}.",
        why=f"{name or 'The network'} ({type(module).__name__}) does not say how its weights begin.",
        fix="Choose a model of a named architecture.",
    )


def _reset(model: LoadedModel) -> dict[str, Tensor]:
    refusal = why_not_fresh(model)
    if refusal is not None or model.module is None:
        refusal = refusal or Refusal("This model cannot be run.", fix="Give its architecture.")
        raise refusal.error()
    module = copy.deepcopy(model.module)
    for part in module.modules():
        reset = _reset_of(part)
        if reset is not None:
            reset()
    return dict(module.state_dict())


def _own(module: nn.Module) -> bool:
    return any(value is not None for value in module._parameters.values())


def _reset_of(module: nn.Module) -> Callable[[], object] | None:
    reset = getattr(module, "reset_parameters", None) or getattr(module, "_reset_parameters", None)
    return reset if callable(reset) else None
