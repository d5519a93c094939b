"""The physically smaller network: tensors are cut, and so is every number in the graph that counts channels.

The traced graph is cut, not the original class: its code may count channels in ways that no
attribute shows (padding, reshapes), but in the graph every such number is an argument.
"""

from __future__ import annotations

import operator
from collections import defaultdict
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from explorer.errors import ExplorerError
from explorer.pruning import granularity
from explorer.pruning.apply import masked, private_shell, set_parameters
from explorer.pruning.coupling import Coupling, coupling
from explorer.types import KnobPlan, LoadedModel, Plan, PrunedModel

_RESHAPES = (torch.reshape, "reshape", "view", "expand")
_SPLITS = (torch.chunk, torch.split, "chunk", "split")
MOST_DIFFERENT = 1e-5


def sliced(model: LoadedModel, plan: Plan) -> PrunedModel:
    """The same function as the masked model, with smaller tensors and no zeros for what is gone.

    The module is a torch.fx GraphModule; it was run on the example and agrees with the masked
    model within 1e-5, relative to the largest output. Raises ExplorerError when the plan cuts
    single weights (they have no smaller form) or the network cannot be cut, with the reason.
    """
    if plan.n_pruned and not plan.kept_shapes:
        unit = granularity.get(str(plan.spec["granularity"]["key"]))
        what = "Single weights" if unit.unit == "weight" else f"Single {unit.unit}s"
        raise ExplorerError(
            f"{what} cannot be removed.",
            why=unit.why_no_removal,
            fix="Prune channels, or keep the masked form.",
        )
    found = coupling(model)
    if found.graph is None:
        raise ExplorerError("This network cannot be cut.", why=found.why_not or "", fix="Keep the masked form.")
    gone = _gone(plan, found)
    graph = private_shell(found.graph)
    if not isinstance(graph, fx.GraphModule):
        raise TypeError("a copy of a traced graph is a traced graph")
    _cut_tensors(graph, _kept(found, gone))
    for node in graph.graph.nodes:
        if node.name in found.shaped:
            _renumber(node, *found.shaped[node.name], lambda labels: _alive(labels, found, gone))
    graph.recompile()
    pruned = PrunedModel(graph.eval(), plan, "sliced")
    _check(model, plan, pruned)
    return pruned


def largest_difference(one: nn.Module, other: nn.Module, x: Any) -> float:
    """The largest difference between two models' outputs on ``x``, relative to the largest output."""
    inputs = x if isinstance(x, tuple) else (x,)
    with torch.no_grad():
        a, b = _flat(one(*inputs)), _flat(other(*inputs))
    if a.shape != b.shape:
        return float("inf")
    return float((a - b).abs().max() / a.abs().max().clamp_min(1e-30)) if a.numel() else 0.0


def _flat(output: Any) -> Tensor:
    tensors: list[Tensor] = []
    fx.node.map_aggregate(output, lambda v: tensors.append(v.flatten()) if isinstance(v, Tensor) else None)
    return torch.cat([t.double() for t in tensors])


def _check(model: LoadedModel, plan: Plan, pruned: PrunedModel) -> None:
    fix = "Keep the masked form."
    try:
        difference = largest_difference(masked(model, plan).module, pruned.module, model.example)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        first_line = (str(error).splitlines() or [""])[0][:160]
        raise ExplorerError("The cut network does not run.", why=f"{first_line}.", fix=fix) from error
    if not difference <= MOST_DIFFERENT:
        why = f"Its outputs differ from the masked network's by {difference:.1e} of the largest."
        raise ExplorerError("The cut network does not compute the same.", why=why, fix=fix)


# -- what goes, in labels -----------------------------------------------------------------------


def _gone(plan: Plan, found: Coupling) -> Tensor:
    """The representatives of all channels that the plan removes."""
    gone: list[Tensor] = []
    for knob in plan.knobs:
        if knob.n_pruned:
            part, pruned = _pruned_slices(plan, knob)
            use = next(u for u in found.uses if (u.parameter, u.dim, u.role) == (part.parameter, part.dim, "scored"))
            gone.append(found.labels.roots(use.labels)[pruned])
    return torch.unique(torch.cat(gone)) if gone else torch.empty(0, dtype=torch.int64)


def _pruned_slices(plan: Plan, knob: KnobPlan) -> tuple[Any, Tensor]:
    """One scored part of the knob, and which of its slices go."""
    part = next(p for p in knob.knob.parts if p.role == "scored")
    mask = plan.masks[part.parameter].movedim(part.dim, 0).flatten(1)
    return part, ~mask.any(dim=1) & (part.units >= 0)


def _alive(labels: Tensor, found: Coupling, gone: Tensor) -> Tensor:
    return ~torch.isin(found.labels.roots(labels), gone)


def _kept(found: Coupling, gone: Tensor) -> dict[str, dict[int, Tensor]]:
    kept: dict[str, dict[int, Tensor]] = defaultdict(dict)
    for use in found.uses:
        stays = _alive(use.labels, found, gone)
        if not bool(stays.all()):
            dims = kept[use.parameter]
            dims[use.dim] = dims[use.dim] & stays if use.dim in dims else stays
    return kept


# -- tensors and the attributes that count their channels ---------------------------------------


def _cut_tensors(graph: fx.GraphModule, kept: dict[str, dict[int, Tensor]]) -> None:
    parameters = {name for name, _ in graph.named_parameters()}
    cut = {name: _cut(_tensor(graph, name), dims) for name, dims in kept.items()}
    set_parameters(graph, {name: tensor for name, tensor in cut.items() if name in parameters})
    for name, tensor in cut.items():
        path, _, key = name.rpartition(".")
        owner = graph.get_submodule(path)
        if name not in parameters:
            owner._buffers[key] = tensor
        _recount(owner)


def _tensor(graph: fx.GraphModule, name: str) -> Tensor:
    path, _, key = name.rpartition(".")
    tensor: Tensor = getattr(graph.get_submodule(path), key)
    return tensor


def _cut(tensor: Tensor, dims: dict[int, Tensor]) -> Tensor:
    for dim, stays in dims.items():
        tensor = tensor.index_select(dim, stays.nonzero().flatten())
    return tensor.detach().clone()


def _recount(module: Any) -> None:
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
    elif isinstance(module, nn.modules.batchnorm._NormBase):
        tensor = module.running_mean if module.running_mean is not None else module.weight
        module.num_features = module.num_features if tensor is None else len(tensor)
    elif isinstance(module, nn.PReLU):
        module.num_parameters = len(module.weight)


# -- numbers in the graph --------------------------------------------------------------------------


def _renumber(node: fx.Node, given: Any, made: Any, alive: Any) -> None:
    """Change the arguments of one node that count channels, where channels went."""
    if not isinstance(given, Tensor) or bool(alive(given).all()):
        changed = isinstance(made, Tensor) and not bool(alive(made).all())
        if not changed:
            return
    if node.target is F.pad:
        node.update_arg(1, _padding(node.args[1], made, alive))
    elif node.target in _RESHAPES and isinstance(made, Tensor):
        _resize(node, _sizes(alive(made)))
    elif node.target in _SPLITS:
        _split(node, made, alive)
    elif node.target is operator.getitem and isinstance(given, Tensor):
        node.update_arg(1, _index(node.args[1], given, alive))


def _sizes(stays: Tensor) -> list[int]:
    """The shape that is left when every slice without a living entry is dropped."""
    return [int(stays.movedim(d, 0).flatten(1).any(dim=1).sum()) for d in range(stays.dim())]


def _along(stays: Tensor, dim: int) -> Tensor:
    return stays.movedim(dim, 0).flatten(1).any(dim=1)


def _padding(pad: Any, made: Tensor, alive: Any) -> tuple[int, ...]:
    stays, new = alive(made), []
    for i in range(0, len(pad), 2):
        line = _along(stays, made.dim() - 1 - i // 2)
        before, after = pad[i], pad[i + 1]
        new.append(int(line[:before].sum()) if before > 0 else before)
        new.append(int(line[len(line) - after :].sum()) if after > 0 else after)
    return tuple(new)


def _resize(node: fx.Node, sizes: list[int]) -> None:
    """Replace the sizes that are written as numbers; -1 and sizes taken from tensors stay."""
    wrapped = len(node.args) == 2 and isinstance(node.args[1], tuple | list)
    asked: Any = node.args[1] if wrapped else node.args[1:]
    new = tuple(
        size if isinstance(said, int) and said != -1 and i > 0 else said
        for i, (said, size) in enumerate(zip(asked, sizes, strict=True))
    )
    node.args = (node.args[0], new) if wrapped else (node.args[0], *new)


def _split(node: fx.Node, made: Any, alive: Any) -> None:
    dim: Any = node.kwargs.get("dim", node.args[2] if len(node.args) > 2 else 0)
    sizes = [int(_along(alive(piece), dim).sum()) for piece in made]
    node.target, node.op = torch.split, "call_function"
    node.args, node.kwargs = (node.args[0], sizes), {"dim": dim}


def _index(index: Any, given: Tensor, alive: Any) -> Any:
    """Slices along a dimension that lost channels begin and end as many channels earlier."""
    stays = alive(given)
    parts = index if isinstance(index, tuple) else (index,)
    if any(not isinstance(part, slice | int) for part in parts):
        raise ExplorerError("The network picks channels in a way that cannot be cut.", fix="Keep the masked form.")
    return tuple(_shifted(part, _along(stays, d)) for d, part in enumerate(parts))


def _shifted(part: Any, line: Tensor) -> Any:
    if bool(line.all()):
        return part
    if isinstance(part, int):
        return int(line[: part % len(line)].sum())
    start, stop, step = part.indices(len(line))
    if step != 1:
        raise ExplorerError("The network picks every other channel, which cannot be cut.", fix="Keep the masked form.")
    return slice(int(line[:start].sum()), int(line[:stop].sum()))
