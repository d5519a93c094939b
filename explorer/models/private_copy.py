"""A module of the user's as a copy of our own, with plain weights: what happens to one does not touch the other."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize, prune
from torch.nn.utils.spectral_norm import SpectralNorm, remove_spectral_norm
from torch.nn.utils.weight_norm import WeightNorm, remove_weight_norm

from explorer.models.usable import failed
from explorer.text.names import listed

_WRAPPERS = {"OptimizedModule": "_orig_mod", "DataParallel": "module", "DistributedDataParallel": "module"}


def private_copy(module: nn.Module, label: str) -> tuple[nn.Module, list[str]]:
    """The module in eval mode on the processor, sharing no tensor with the original, and what was changed in it.

    Wrappers of torch.compile and of parallel training are taken off. Weights that are computed from other tensors in
    each pass (parametrizations, weight norm, spectral norm, masks of torch.nn.utils.prune) become plain ones with the
    same values. Raises ExplorerError for a module that cannot be copied.
    """
    inner, repairs = _unwrapped(module)
    memo: dict[int, object] = {id(tensor): _own(tensor) for part in inner.modules() for tensor in _tensors_in(part)}
    try:
        mine = copy.deepcopy(inner, memo)
    except (Exception, SystemExit) as error:
        fix = "Let it hold nothing that copy.deepcopy cannot copy."
        raise failed(f"{label} cannot be copied, and the original is never written to.", error, fix) from error
    devices = {str(tensor.device) for tensor in mine.state_dict().values()} - {"cpu"}
    mine = mine.to("cpu").eval()
    repairs += [f"It was on {listed(sorted(devices))}; the copy is on the processor."] if devices else []
    folded = _with_plain_weights(mine)
    mine.requires_grad_(False)
    if folded:
        repairs.append(f"Weights that each pass computed from others were put in as they are: {listed(folded, 3)}.")
    return mine, repairs


def _unwrapped(module: nn.Module) -> tuple[nn.Module, list[str]]:
    repairs = []
    while (attribute := _WRAPPERS.get(type(module).__name__)) in module._modules:
        repairs.append(f"The wrapper {type(module).__name__} was taken off.")
        module = module.get_submodule(str(attribute))
    return module, repairs


def _tensors_in(module: nn.Module) -> list[Tensor]:
    """Parameters, buffers, and tensors kept as plain attributes."""
    own = [*module._parameters.values(), *module._buffers.values(), *vars(module).values()]
    return [tensor for tensor in own if isinstance(tensor, Tensor)]


def _own(tensor: Tensor) -> Tensor:
    mine = tensor.detach().clone()
    return nn.Parameter(mine, requires_grad=False) if isinstance(tensor, nn.Parameter) else mine


def _with_plain_weights(module: nn.Module) -> list[str]:
    """Replace weights that are computed in each pass by their values; which ones, by name."""
    names = []
    for path, part in list(module.named_modules()):
        keys = [*_parametrized(part), *_hooked(part)]
        names += [f"{path}.{key}" if path else key for key in keys]
        # A weight stands before its bias again.
        part._parameters = dict(sorted(part._parameters.items(), key=lambda item: item[0] not in keys))
    return names


def _parametrized(part: nn.Module) -> list[str]:
    lists = getattr(part, "parametrizations", None)
    if not isinstance(lists, nn.ModuleDict) or not parametrize.is_parametrized(part):
        return []
    keys = list(lists)
    for key in keys:
        with torch.no_grad():
            value = getattr(part, key).detach().clone()
        is_parameter = bool(lists[key]._parameters)
        parametrize.remove_parametrizations(part, key, leave_parametrized=True)
        delattr(part, key)
        if is_parameter:
            part.register_parameter(key, nn.Parameter(value, requires_grad=False))
        else:
            part.register_buffer(key, value)
    return keys


def _hooked(part: nn.Module) -> list[str]:
    """The weights of one module that its hooks computed before each pass, by older ways of torch."""
    keys = []
    for hook in list(part._forward_pre_hooks.values()):
        if isinstance(hook, prune.BasePruningMethod):
            keys.append(hook._tensor_name)
            prune.remove(part, hook._tensor_name)  # type: ignore[no-untyped-call]
        elif isinstance(hook, WeightNorm):
            keys.append(hook.name)
            remove_weight_norm(part, hook.name)
        elif isinstance(hook, SpectralNorm):
            keys.append(hook.name)
            remove_spectral_norm(part, hook.name)
    return keys
