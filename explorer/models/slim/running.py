"""One step of a slim model's graph, run."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from explorer.models.slim.document import GraphStep, Ref
from explorer.models.slim.vocabulary import FUNCTIONS, METHOD
from explorer.types.aliases import CallArguments, GraphValue, NamedArguments


def arguments(step: GraphStep, values: Mapping[str, object]) -> tuple[CallArguments, NamedArguments]:
    """What a step is called with, from the values before it."""
    args = tuple(resolved(value, values) for value in step.args)
    return args, {name: resolved(value, values) for name, value in step.kwargs.items()}


def call(network: nn.Module, step: GraphStep, args: CallArguments, kwargs: Mapping[str, object]) -> GraphValue:
    """What one step makes."""
    if step.op == "tensor":
        return tensor_at(network, step.target)
    if step.op == "layer":
        return network.get_submodule(step.target)(*args, **kwargs)
    if step.target.startswith(METHOD):
        return getattr(args[0], step.target.removeprefix(METHOD))(*args[1:], **kwargs)
    return FUNCTIONS[step.target](*args, **kwargs)


def resolved(value: object, values: Mapping[str, object]) -> GraphValue:
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


def tensor_at(network: nn.Module, path: str) -> GraphValue:
    """What a module has at a path."""
    place, _, name = path.rpartition(".")
    return getattr(network.get_submodule(place), name)
