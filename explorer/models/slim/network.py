"""A slim model as a module: the steps of a checked graph, run one after another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from explorer.models.slim.document import Graph, Ref, Step, refused
from explorer.models.slim.vocabulary import FUNCTIONS, METHOD, layer_class
from explorer.text.quoting import listed, shown


class SlimNetwork(nn.Module):
    """Runs a graph; its layers and tensors have the paths they had in the model it was made from.

    The code that runs is this file's: a slim file brings names of known functions and numbers.
    """

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self._graph = graph

    def _run(self, inputs: Iterable[Any]) -> Any:
        given = iter(inputs)
        values: dict[str, Any] = {}
        for step, done in zip(self._graph.steps, self._graph.done, strict=True):
            values[step.name] = next(given) if step.op == "input" else call(self, step, *arguments(step, values))
            for name in done:
                del values[name]
        return resolved(self._graph.output, values)


# A fixed number of inputs each, because a traced network must name them.
class _One(SlimNetwork):
    def forward(self, x: Any) -> Any:
        return self._run((x,))


class _Two(SlimNetwork):
    def forward(self, x: Any, y: Any) -> Any:
        return self._run((x, y))


class _Three(SlimNetwork):
    def forward(self, x: Any, y: Any, z: Any) -> Any:
        return self._run((x, y, z))


class _Four(SlimNetwork):
    def forward(self, x: Any, y: Any, z: Any, w: Any) -> Any:
        return self._run((x, y, z, w))


_BY_INPUTS = (_One, _Two, _Three, _Four)


def arguments(step: Step, values: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What a step is called with, from the values before it."""
    args = tuple(resolved(value, values) for value in step.args)
    return args, {name: resolved(value, values) for name, value in step.kwargs.items()}


def call(network: nn.Module, step: Step, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """What one step makes."""
    if step.op == "tensor":
        return _at(network, step.target)
    if step.op == "layer":
        return network.get_submodule(step.target)(*args, **kwargs)
    if step.target.startswith(METHOD):
        return getattr(args[0], step.target.removeprefix(METHOD))(*args[1:], **kwargs)
    return FUNCTIONS[step.target](*args, **kwargs)


def resolved(value: Any, values: Mapping[str, Any]) -> Any:
    """The value with every reference replaced by what that step made."""
    if isinstance(value, Ref):
        return values[value.name]
    if isinstance(value, list | tuple):
        return type(value)(resolved(v, values) for v in value)
    if isinstance(value, slice):
        return slice(*(resolved(v, values) for v in (value.start, value.stop, value.step)))
    if isinstance(value, dict):
        return {key: resolved(v, values) for key, v in value.items()}
    return value


def skeleton(graph: Graph) -> SlimNetwork:
    """The module with shapes but without numbers; RefusedError when a layer cannot be made."""
    network = _BY_INPUTS[len(graph.inputs) - 1](graph)
    with torch.device("meta"):
        for path, (kind, arguments) in graph.layers.items():
            try:
                layer = layer_class(kind)(**arguments)
            except (TypeError, ValueError, RuntimeError, AssertionError, IndexError, OverflowError, ZeroDivisionError):
                raise refused(f"its layer {shown(path)!r} cannot be made a {kind} with these arguments") from None
            _place(network, path, layer)
    return network


def build(graph: Graph, tensors: Mapping[str, Tensor]) -> SlimNetwork:
    """The network with these numbers, in eval mode; RefusedError when names or shapes do not fit."""
    network = skeleton(graph)
    for path, kind in graph.tensors.items():
        tensor = tensors.get(graph.tied.get(path, path))
        if tensor is None:
            raise refused(f"the tensor {shown(path)!r} is not in it")
        _keep(network, path, tensor, kind)
    state = network.state_dict()
    full = {**tensors, **{path: tensors[first] for path, first in graph.tied.items() if first in tensors}}
    missing, unexpected = sorted(set(state) - set(full)), sorted(set(full) - set(state))
    if missing or unexpected:
        raise refused(
            f"its tensors are not those of its graph (missing: {listed(missing)}; more: {listed(unexpected)})"
        )
    for name, want in state.items():
        _check_fit(name, full[name], want)
    network.load_state_dict(full, assign=True)
    _tie(network, graph)
    return network.eval().requires_grad_(False)


def _check_fit(name: str, have: Tensor, want: Tensor) -> None:
    if have.shape != want.shape:
        shape, wanted = tuple(have.shape), tuple(want.shape)
        raise refused(f"{shown(name)!r} has the shape {shape}, where its graph says {wanted}")
    if have.is_floating_point() != want.is_floating_point():
        raise refused(f"{shown(name)!r} holds {have.dtype}, which its layer does not compute with")


def _place(network: nn.Module, path: str, layer: nn.Module) -> None:
    owner = _folder(network, path.rpartition(".")[0])
    try:
        owner.add_module(path.rpartition(".")[2], layer)
    except (KeyError, TypeError):
        raise refused(f"{shown(path)!r} is no name for a layer") from None


def _folder(network: nn.Module, path: str) -> nn.Module:
    """The module at a path, made where it is absent."""
    owner = network
    for part in filter(None, path.split(".")):
        inside = owner._modules.get(part)
        if inside is None:
            inside = nn.Module()
            _place(owner, part, inside)
        owner = inside
    return owner


def _keep(network: nn.Module, path: str, tensor: Tensor, kind: str) -> None:
    folder, _, name = path.rpartition(".")
    owner = _folder(network, folder)
    try:
        if name in owner._parameters or name in owner._buffers:
            raise KeyError(name)
        if kind == "parameter" and tensor.is_floating_point():
            owner.register_parameter(name, nn.Parameter(tensor, requires_grad=False))
        else:
            owner.register_buffer(name, tensor)
    except (KeyError, TypeError):
        raise refused(f"{shown(path)!r} is no name for a tensor") from None


def _tie(network: nn.Module, graph: Graph) -> None:
    """Make tied weights one parameter again, so that pruning one prunes the other."""
    for path, first in graph.tied.items():
        place, _, name = path.rpartition(".")
        owner = network.get_submodule(place)
        if name in owner._parameters:
            owner._parameters[name] = _at(network, first)


def _at(network: nn.Module, path: str) -> Any:
    place, _, name = path.rpartition(".")
    return getattr(network.get_submodule(place), name)
