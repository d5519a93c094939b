"""Modules that compute their weights (masks, weight and spectral normalisation, parametrizations), made plain."""

from __future__ import annotations

from collections import Counter

import torch
from torch import nn
from torch.nn.utils import parametrize, prune, remove_spectral_norm, remove_weight_norm
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from explorer.text.names import listed


def computes_weights(module: nn.Module) -> bool:
    """Whether some weight is no parameter but computed from others before each pass."""
    return any(parametrize.is_parametrized(part) or _hooks(part) for part in module.modules())


def made_plain(module: nn.Module) -> list[str]:
    """Put the weights that ``module``, in eval mode, computes in the place of what they are computed from; the repair.

    What it answers stays the same. Weights that share what they are computed from are left as they are.
    """
    shared = Counter(id(p) for _, p in module.named_parameters(remove_duplicate=False))
    names = []
    for path, part in list(module.named_modules()):
        keys = [*_plain_parametrizations(part, shared), *_plain_hooks(part)]
        names += [f"{path}.{key}" if path else key for key in keys]
        # A weight stands before its bias again.
        part._parameters = dict(sorted(part._parameters.items(), key=lambda item: item[0] not in keys))
    return (
        [f"Weights that each pass computed from others were put in as they are: {listed(names, 3)}."] if names else []
    )


def _plain_parametrizations(part: nn.Module, shared: Counter[int]) -> list[str]:
    lists = getattr(part, "parametrizations", None)
    if not isinstance(lists, nn.ModuleDict) or not parametrize.is_parametrized(part):
        return []
    keys = [key for key, computed in lists.items() if all(shared[id(p)] == 1 for p in computed.parameters())]
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


def _plain_hooks(part: nn.Module) -> list[str]:
    """The weights of one module that its hooks computed before each pass, by older ways of torch."""
    keys = []
    for hook in _hooks(part):
        name = str(hook._tensor_name if isinstance(hook, prune.BasePruningMethod) else hook.name)
        if isinstance(hook, prune.BasePruningMethod):
            prune.remove(part, name)  # type: ignore[no-untyped-call]
        elif isinstance(hook, WeightNorm):
            remove_weight_norm(part, name)
        else:
            remove_spectral_norm(part, name)
        getattr(part, name).requires_grad_(False)
        keys.append(name)
    return keys


def _hooks(part: nn.Module) -> list[prune.BasePruningMethod | WeightNorm | SpectralNorm]:
    hooks = list(part._forward_pre_hooks.values())
    return [hook for hook in hooks if isinstance(hook, prune.BasePruningMethod | WeightNorm | SpectralNorm)]
