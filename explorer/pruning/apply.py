"""A pruned model that runs, beside the dense one that stays as it is."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from explorer.pruning.running import runnable
from explorer.types import LoadedModel, Plan, PrunedModel, tensors_digest
from explorer.types.tensors import held_tensors


def private_shell(module: nn.Module, replaced: Mapping[int, Tensor] | None = None) -> nn.Module:
    """A copy of the module's structure around the *same* parameters and buffers: cheap.

    Sharing one module between threads and swapping its parameters is not safe; sharing
    tensors that nobody writes to is. ``replaced`` maps the id of a parameter to the tensor
    that takes its place, wherever it occurs: tied weights and the flat lists of recurrent
    layers follow.
    """
    memo: dict[int, Any] = {id(tensor): tensor for tensor in held_tensors(module)}
    for key, tensor in (replaced or {}).items():
        memo[key] = nn.Parameter(tensor, requires_grad=False)
    shell: nn.Module = copy.deepcopy(module, memo)
    return shell


def masked_weights(model: LoadedModel, plan: Plan) -> dict[str, Tensor]:
    """New tensors for the parameters that the plan touches: pruned entries are exactly zero."""
    values = {**model.weights, **plan.updates}
    return {name: values[name].detach().masked_fill(~mask, 0) for name, mask in plan.masks.items()}


def compensated(model: LoadedModel, plan: Plan) -> LoadedModel:
    """The model whose kept weights have the plan's new values; the model itself where the plan changes none.

    For whoever reads ``weights`` beside the masks: files, sizes, smaller networks.
    """
    if not plan.updates or model.module is None:
        return model
    shell = private_shell(model.module)
    set_parameters(shell, dict(plan.updates))
    weights = {**model.weights, **plan.updates}
    return replace(model, module=shell, weights=weights, digest=tensors_digest(weights))


def masked(model: LoadedModel, plan: Plan) -> PrunedModel:
    """The pruned model with its shapes unchanged and zeros where the plan cuts.

    Args:
        model: The dense model; it is not written to.
        plan: The masks, of :func:`plan`.

    Returns:
        The pruned model; ``module`` is a new ``torch.nn.Module`` in eval mode.

    Raises:
        ExplorerError: The model was opened weights-only.

    Examples:
        >>> import explorer as ex
        >>> model = ex.load("digits-mlp")
        >>> pruned = ex.masked(model, ex.plan(model, ex.PruneSpec(allocation="global:sparsity=0.5")))
        >>> sum(int((p == 0).sum()) for name, p in pruned.module.named_parameters() if "weight" in name)
        25216
    """
    shell = private_shell(runnable(model))
    set_parameters(shell, masked_weights(model, plan))
    return PrunedModel(shell, plan, "masked")


def set_parameters(shell: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Point a private shell's parameters at other tensors; tied weights follow together."""
    named = dict(shell.named_parameters(remove_duplicate=False))
    for name, tensor in tensors.items():
        old = named[name]
        new = nn.Parameter(tensor, requires_grad=False)
        for alias, parameter in named.items():
            if parameter is old:
                path, _, key = alias.rpartition(".")
                owner = shell.get_submodule(path)
                owner._parameters[key] = new
                _refresh_flat_weights(owner)


def _refresh_flat_weights(owner: nn.Module) -> None:
    """Recurrent layers keep their own list of weights, which must follow the new tensors."""
    if isinstance(owner, nn.RNNBase):
        owner._flat_weights = [owner._parameters[name] for name in owner._flat_weights_names]
