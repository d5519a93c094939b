"""The numbers in a traced graph that count channels: they follow when channels go."""

from __future__ import annotations

import operator
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from explorer.errors import ExplorerError
from explorer.pruning.coupling.groups import Coupling
from explorer.pruning.coupling.views import any_along as along
from explorer.pruning.coupling.views import distinct
from explorer.pruning.wide import WIDE, averaged, is_wide, widened
from explorer.types.aliases import GraphValue
from explorer.types.operators import Rule, rule_of

Alive = Callable[[Tensor], Tensor]
_RESHAPES = (torch.reshape, "reshape", "view", "expand")
_UNFLATTENS = (torch.unflatten, "unflatten")
_SPLITS = (torch.chunk, torch.split, "chunk", "split")
_NARROWS = (torch.narrow, "narrow")
_SELECTS = (torch.select, "select")


def renumber(graph: fx.GraphModule, coupled: Coupling, alive: Alive) -> None:
    """Change every argument in the graph that counts channels; ``alive`` tells which labels stay.

    Raises ExplorerError where the network picks channels in a way that has no smaller form.
    """
    for node in list(graph.graph.nodes):
        _keep_number(node, coupled, alive)
    for node in list(graph.graph.nodes):
        if node.name in coupled.shaped:
            _renumber(graph, node, *coupled.shaped[node.name], alive)
        elif node.name in coupled.from_zero:
            # Zeros of the old size; without them the layer starts from zeros of its own.
            node.args, node.kwargs = node.args[:1], {}


def _keep_number(node: fx.Node, coupled: Coupling, alive: Alive) -> None:
    """A width that the network asks of a tensor and computes with stays the number it was; sizes follow apart."""
    is_pick = node.target is operator.getitem and isinstance(node.args[0], fx.Node)
    asked = node.args[0] if is_pick else node
    dim: GraphValue = node.args[1] if len(node.args) > 1 else None
    if not isinstance(asked, fx.Node) or asked.name not in coupled.shaped or not isinstance(dim, int):
        return
    given, output = coupled.shaped[asked.name]
    if not isinstance(given, Tensor) or not isinstance(output, torch.Size if is_pick else int):
        return
    if not bool(along(alive(given), dim).all()):
        number = given.shape[dim]
        for user in list(node.users):
            user.args = fx.node.map_arg(user.args, lambda n: number if n is node else n)
            user.kwargs = fx.node.map_arg(user.kwargs, lambda n: number if n is node else n)


def _renumber(graph: fx.GraphModule, node: fx.Node, given: GraphValue, output: GraphValue, alive: Alive) -> None:
    if not _lost(given, alive) and not _lost(output, alive):
        return
    if node.op == "call_module":
        module = graph.get_submodule(str(node.target))
        if is_wide(module):
            widened(graph, node, given, alive)
        else:
            _module(module, output, alive)
    elif rule_of(node.target) in WIDE:
        widened(graph, node, given, alive)
    else:
        _renumber_call(node, given, output, alive)


def _renumber_call(node: fx.Node, given: GraphValue, output: GraphValue, alive: Alive) -> None:
    by_output = {F.pad: _pad, **dict.fromkeys(_UNFLATTENS, _unflatten), **dict.fromkeys(_SPLITS, _split)}
    by_input = {**dict.fromkeys(_NARROWS, _narrow), **dict.fromkeys(_SELECTS, _select), operator.getitem: _getitem}
    target: GraphValue = node.target
    if target in by_output:
        by_output[target](node, output, alive)
    elif target in _RESHAPES and isinstance(output, Tensor):
        _resize(node, output, alive)
    elif target in by_input and isinstance(given, Tensor):
        by_input[target](node, given, alive)
    elif rule_of(target) is Rule.REDUCTION:
        averaged(node, given, alive)


def _lost(labels: object, alive: Alive) -> bool:
    return isinstance(labels, Tensor) and not bool(distinct(alive(labels)).all())


def _sizes(stays: Tensor) -> list[int]:
    """The shape that is left when every slice without a living entry is dropped."""
    return [int(along(stays, d).sum()) for d in range(stays.dim())]


def _select(node: fx.Node, given: Tensor, alive: Alive) -> None:
    dim: GraphValue = node.args[1]
    node.update_arg(2, _shifted(node.args[2], along(alive(given), dim)))


def _getitem(node: fx.Node, given: Tensor, alive: Alive) -> None:
    node.update_arg(1, _index(node.args[1], given, alive))


def _pad(node: fx.Node, output: Tensor, alive: Alive) -> None:
    stays, new = alive(output), []
    pad: GraphValue = node.args[1]
    for i in range(0, len(pad), 2):
        line = along(stays, output.dim() - 1 - i // 2)
        before, after = pad[i], pad[i + 1]
        new.append(int(line[:before].sum()) if before > 0 else before)
        new.append(int(line[len(line) - after :].sum()) if after > 0 else after)
    node.update_arg(1, tuple(new))


def _resize(node: fx.Node, output: Tensor, alive: Alive) -> None:
    """Sizes that lost channels follow; all others stay as they are, be they numbers or computed."""
    wrapped = len(node.args) == 2 and isinstance(node.args[1], tuple | list)
    asked: GraphValue = list(node.args[1] if wrapped else node.args[1:])  # type: ignore[arg-type]
    if len(asked) == 1 and output.dim() > 1 and isinstance(asked[0], fx.Node):
        # The whole shape was computed: take it apart.
        with node.graph.inserting_before(node):
            asked = [node.graph.call_function(operator.getitem, (asked[0], d)) for d in range(output.dim())]
    for d, (asked_size, size) in enumerate(zip(asked, _sizes(alive(output)), strict=True)):
        if asked_size != -1 and size != output.shape[d]:
            # A computed size may hold the batch too: where nothing else is left open, leave it to torch.
            asked[d] = -1 if isinstance(asked_size, fx.Node) and -1 not in asked else size
    node.args = (node.args[0], tuple(asked)) if wrapped else (node.args[0], *asked)


def _unflatten(node: fx.Node, output: Tensor, alive: Alive) -> None:
    dim, asked = _given(node, "dim", 1), _given(node, "sizes", 2)
    node.args, node.kwargs = (node.args[0], dim, _part(dim, asked, output, alive)), {}


def _module(module: object, output: Tensor, alive: Alive) -> None:
    """Layers without a tensor that shows their number of channels."""
    if isinstance(module, nn.Unflatten):
        module.unflattened_size = _part(module.dim, module.unflattened_size, output, alive)
    elif isinstance(module, nn.GroupNorm):
        per_group = module.num_channels // module.num_groups
        module.num_channels = int(along(alive(output), 1).sum())
        module.num_groups = module.num_channels // per_group


def _part(dim: GraphValue, asked: GraphValue, output: Tensor, alive: Alive) -> tuple[int, ...]:
    """The sizes that ``asked`` becomes, where dimension ``dim`` was split into several."""
    start = dim if dim >= 0 else output.dim() - len(asked) + 1 + dim
    sizes = _sizes(alive(output))[start : start + len(asked)]
    return tuple(asked_size if asked_size == -1 else size for asked_size, size in zip(asked, sizes, strict=True))


def _given(node: fx.Node, name: str, place: int) -> GraphValue:
    return node.kwargs.get(name, node.args[place] if len(node.args) > place else None)


def _split(node: fx.Node, output: GraphValue, alive: Alive) -> None:
    dim: GraphValue = _given(node, "dim", 2) or 0
    sizes = [int(along(alive(piece), dim).sum()) for piece in output]
    node.target, node.op = torch.split, "call_function"
    node.args, node.kwargs = (node.args[0], sizes), {"dim": dim}


def _narrow(node: fx.Node, given: Tensor, alive: Alive) -> None:
    dim, start, length = (_given(node, name, i + 1) for i, name in enumerate(("dim", "start", "length")))
    piece = _shifted(slice(start, start + length), along(alive(given), dim))
    node.args, node.kwargs = (node.args[0], dim, piece.start, piece.stop - piece.start), {}


def _index(index: object, given: Tensor, alive: Alive) -> GraphValue:
    """Slices along a dimension that lost channels begin and end as many channels earlier."""
    parts = index if isinstance(index, tuple) else (index,)
    n_skipped = given.dim() - sum(part is not None and part is not Ellipsis for part in parts)
    stays, dim, new = alive(given), 0, []
    for part in parts:
        if part is Ellipsis:
            dim += n_skipped
        elif part is not None:
            line, dim = along(stays, dim), dim + 1
            part = _shifted(part, line)
        new.append(part)
    return tuple(new) if isinstance(index, tuple) else new[0]


def _shifted(part: GraphValue, line: Tensor) -> GraphValue:
    if bool(line.all()):
        return part
    if not isinstance(part, slice | int):
        raise ExplorerError("The network picks channels in a way that cannot be cut.", fix="Keep the masked form.")
    if isinstance(part, int):
        return int(line[: part % len(line)].sum())
    start, stop, step = part.indices(len(line))
    if step != 1:
        raise ExplorerError("The network picks every other channel, which cannot be cut.", fix="Keep the masked form.")
    return slice(int(line[:start].sum()), int(line[:stop].sum()))
