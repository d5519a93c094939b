"""The physically smaller network: tensors are cut, and so is every number in the graph that counts channels.

The traced graph is cut, not the original class: its code may count channels in ways that no
attribute shows (padding, reshapes), but in the graph every such number is an argument.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from functools import partial
from typing import Any

import torch
from torch import Tensor, fx, nn

from explorer.errors import ExplorerError
from explorer.pruning import granularity
from explorer.pruning.apply import compensated, masked, masked_weights, private_shell, set_parameters
from explorer.pruning.coupling.branches import BLOCKS, drop, gone_blocks
from explorer.pruning.coupling.groups import Coupling, coupling
from explorer.pruning.coupling.unused_channels import InputGroup, unread_roots
from explorer.pruning.coupling.views import LABEL
from explorer.pruning.coupling.whole_blocks import units_of
from explorer.pruning.heads_by_name import BY_NAME
from explorer.pruning.renumber import Alive, renumber
from explorer.types import GroupPlan, LoadedModel, Plan, PrunedModel
from explorer.types.code_limit import Limited
from explorer.types.inputs import Inputs, as_inputs, call, mapped

MOST_DIFFERENT = 1e-5
_KEEP = "Keep the masked form."
_TORCH_ERRORS = (RuntimeError, ValueError, TypeError, IndexError, AttributeError)


def sliced(model: LoadedModel, plan: Plan) -> PrunedModel:
    """The same function as the masked model, with smaller tensors and no zeros for what is gone.

    Args:
        model: The dense model; it is not written to.
        plan: The masks of whole units; single weights that go after them stay as zeros of the smaller tensors.

    Returns:
        The pruned model; ``module`` is a torch.fx GraphModule, which was run on the example and agrees with the masked
        model within 1e-5, relative to the largest output.

    Raises:
        ExplorerError: The plan cuts units that have no smaller form (single weights, kernels, ...), or the network
            cannot be cut, with the reason.

    Examples:
        >>> import explorer as ex
        >>> model = ex.load("digits-mlp")
        >>> plan = ex.plan(model, ex.PruneSpec("out_channel", "lp_norm:p=1", "uniform:sparsity=0.5"))
        >>> sum(p.numel() for p in ex.sliced(model, plan).module.parameters()) < model.n_parameters
        True
    """
    _refuse(plan)
    model = compensated(model, plan)
    coupled = coupling(model)
    if coupled.graph is None:
        raise ExplorerError("This network cannot be cut.", why=coupled.why_not or "", fix=_KEEP)
    graph = private_shell(coupled.graph)
    if not isinstance(graph, fx.GraphModule):
        raise TypeError("a copy of a traced graph is a traced graph")
    try:
        _cut(graph, model, plan, coupled)
    except _TORCH_ERRORS as error:
        logging.getLogger(__name__).exception("The network cannot be cut.")
        raise ExplorerError("This network cannot be cut.", why=_first_line(error), fix=_KEEP) from error
    pruned = PrunedModel(graph.eval(), plan, "sliced")
    _check(model, plan, pruned)
    return pruned


def _refuse(plan: Plan) -> None:
    plan = plan.cutting
    unit = granularity.get(str(plan.spec["granularity"]["key"]))
    by_name = [k.group.name for k in plan.groups if k.n_pruned and BY_NAME in k.group.coupled_by]
    if by_name:
        why = "Its heads were found by name: the code that counts them could not be followed."
        raise ExplorerError(f"{by_name[0]} cannot be cut.", why=why, fix=_KEEP)
    if plan.n_pruned and not plan.kept_shapes:
        what = "Single weights" if unit.unit == "weight" else f"Single {unit.unit}s"
        fix = "Prune channels, or keep the masked form."
        raise ExplorerError(f"{what} cannot be removed.", why=unit.why_no_removal, fix=fix)


def _cut(graph: fx.GraphModule, model: LoadedModel, whole: Plan, coupled: Coupling) -> None:
    plan = whole.cutting
    if plan is not whole:
        set_parameters(graph, masked_weights(model, whole))
    blocks = next((k.group for k in plan.groups if k.group.unit in BLOCKS and k.group.parts), None)
    if blocks is not None:
        units, left_out = units_of(blocks.unit, model, plan.layers, coupled), gone_blocks(plan, blocks)
        drop(graph, [branch for unit in sorted(left_out) for branch in units[unit].branches])
    else:
        gone = _gone(plan, coupled)
        if any(isinstance(k.group, InputGroup) for k in plan.groups):
            # A layer may have dropped a channel that another one still reads: those zeros stay.
            set_parameters(graph, masked_weights(model, plan))
        alive = coupled.labels.without(gone)
        _cut_tensors(graph, _kept(coupled, alive))
        renumber(graph, coupled, alive)
    graph.recompile()


def largest_difference(one: nn.Module, other: nn.Module, x: object) -> float:
    """The largest difference between two models' outputs on ``x``, relative to the largest output."""
    return _difference(_outputs(one, x), _outputs(other, x))


def _outputs(network: nn.Module, x: object) -> Tensor:
    with torch.no_grad():
        return _flat(call(network, as_inputs(x)))


def _difference(a: Tensor, b: Tensor) -> float:
    if a.shape != b.shape:
        return float("inf")
    return float((a - b).abs().max() / a.abs().max().clamp_min(1e-30)) if a.numel() else 0.0


def _flat(output: Any) -> Tensor:
    tensors: list[Tensor] = []
    fx.node.map_aggregate(output, lambda v: tensors.append(v.flatten()) if isinstance(v, Tensor) else None)
    return torch.cat([t.double() for t in tensors])


def _check(model: LoadedModel, plan: Plan, pruned: PrunedModel) -> None:
    full = masked(model, plan).module
    with Limited(model.code_seconds, "A pass that proves the cut network") as limited:
        for x, expected in limited(partial(_examples, model.example, full)):
            try:
                difference = _difference(expected, limited(partial(_outputs, pruned.module, x)))
            except _TORCH_ERRORS as error:
                logging.getLogger(__name__).exception("The cut network does not run.")
                raise ExplorerError("The cut network does not run.", why=_first_line(error), fix=_KEEP) from error
            if not difference <= MOST_DIFFERENT:
                why = f"Its outputs differ from the masked network's by {difference:.1e} of the largest."
                raise ExplorerError("The cut network does not compute the same.", why=why, fix=_KEEP)


def _examples(example: Inputs | None, full: nn.Module) -> list[tuple[Inputs, Tensor]]:
    """The example, and a batch of two where the network takes one, with what ``full`` makes of them.

    No size may hold the batch by mistake.
    """
    if example is None:
        return []
    twice = mapped(example, lambda x: torch.cat([x, x.flip(-1)]))
    once = (example, _outputs(full, example))
    try:
        return [once, (twice, _outputs(full, twice))]
    except _TORCH_ERRORS:
        return [once]


def _first_line(error: Exception) -> str:
    return f"{(str(error).splitlines() or [''])[0][:160]}."


# -- what goes, in labels -----------------------------------------------------------------------


def _gone(plan: Plan, coupled: Coupling) -> Tensor:
    """The representatives of all channels that the plan removes."""
    gone: list[Tensor] = []
    if any(isinstance(k.group, InputGroup) for k in plan.groups):
        return unread_roots(coupled, plan.masks)
    for group in plan.groups:
        if group.n_pruned:
            part, pruned = _pruned_slices(plan, group)
            use = next(u for u in coupled.uses if (u.parameter, u.dim, u.role) == (part.parameter, part.dim, "scored"))
            gone.append(coupled.labels.roots(use.labels)[pruned])
    return torch.unique(torch.cat(gone)) if gone else torch.empty(0, dtype=LABEL)


def _pruned_slices(plan: Plan, group: GroupPlan) -> tuple[Any, Tensor]:
    """One scored part of the group, and which of its slices go."""
    part = next(p for p in group.group.parts if p.role == "scored")
    mask = plan.masks[part.parameter].movedim(part.dim, 0).flatten(1)
    return part, ~mask.any(dim=1) & (part.units >= 0)


def _kept(coupled: Coupling, alive: Alive) -> dict[str, dict[int, Tensor]]:
    kept: dict[str, dict[int, Tensor]] = defaultdict(dict)
    for use in coupled.uses:
        stays = alive(use.labels)
        if not bool(stays.all()):
            dims = kept[use.parameter]
            dims[use.dim] = dims[use.dim] & stays if use.dim in dims else stays
    return kept


# -- tensors and the attributes that count their channels ---------------------------------------


def _cut_tensors(graph: fx.GraphModule, kept: dict[str, dict[int, Tensor]]) -> None:
    parameters = {name for name, _ in graph.named_parameters(remove_duplicate=False)}
    cut = {name: _selected(_tensor(graph, name), dims) for name, dims in kept.items()}
    set_parameters(graph, {name: tensor for name, tensor in cut.items() if name in parameters})
    for name, tensor in cut.items():
        path, _, key = name.rpartition(".")
        if name not in parameters:
            graph.get_submodule(path)._buffers[key] = tensor
    fresh = {id(_tensor(graph, name)) for name in cut}
    for module in graph.modules():
        if any(id(tensor) in fresh for tensor in (*module._parameters.values(), *module._buffers.values())):
            _recount(module)


def _tensor(graph: fx.GraphModule, name: str) -> Tensor:
    path, _, key = name.rpartition(".")
    tensor: Tensor = getattr(graph.get_submodule(path), key)
    return tensor


def _selected(tensor: Tensor, dims: dict[int, Tensor]) -> Tensor:
    for dim, stays in dims.items():
        tensor = tensor.index_select(dim, stays.nonzero().flatten())
    return tensor.detach().clone()


def _recount(module: object) -> None:
    """The numbers of channels that a layer states of itself follow its tensors."""
    if isinstance(module, nn.modules.conv._ConvTransposeNd):
        module.in_channels, module.out_channels = module.weight.shape[0], module.weight.shape[1] * module.groups
    elif isinstance(module, nn.modules.conv._ConvNd):
        n_out, n_per_group = module.weight.shape[:2]
        if module.groups == module.in_channels and module.groups > 1:
            module.groups = n_out // (module.out_channels // module.in_channels)
        module.in_channels, module.out_channels = n_per_group * module.groups, n_out
    elif isinstance(module, nn.Linear):
        module.out_features, module.in_features = module.weight.shape
    elif isinstance(module, nn.Embedding):
        module.num_embeddings, module.embedding_dim = module.weight.shape
    elif isinstance(module, nn.modules.batchnorm._NormBase):
        tensor = module.running_mean if module.running_mean is not None else module.weight
        module.num_features = module.num_features if tensor is None else len(tensor)
    elif isinstance(module, nn.RNNBase | nn.RNNCellBase):
        layer = "_l0" if isinstance(module, nn.RNNBase) else ""
        module.input_size = getattr(module, f"weight_ih{layer}").shape[1]
        module.hidden_size = getattr(module, f"weight_hh{layer}").shape[1]
    elif isinstance(module, nn.PReLU):
        module.num_parameters = len(module.weight)
