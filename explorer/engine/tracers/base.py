"""What every tracer gives: the steps of a model, their graph, and in words how the model then runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor, fx, nn

from explorer.types.inputs import Inputs, tensors_of


class NotTraceableError(Exception):
    """The model cannot be taken apart in this way; its text says why."""


class TooLongError(NotTraceableError):
    """Taking it apart was given up, after too many steps or too much time."""


class Steps(nn.Module):
    """Where a graph's steps are found.

    ``model.*`` are the model's own, ``folded.*`` made of several, ``constants.*`` tensors that tracing made,
    ``chain.*`` stretches of the model from one block to the next.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.folded = nn.ModuleList()
        self.chain = nn.ModuleList()
        self.constants = nn.Module()


@dataclass(frozen=True, eq=False)
class Traced:
    """A model taken apart. ``path`` says how it runs; ``pieces`` names what of it stayed in one piece."""

    steps: Steps
    graph: fx.Graph
    path: str
    pieces: tuple[str, ...] = ()

    @property
    def largest_piece(self) -> float:
        """The share of the weights in the module that stayed whole and has most of them; 0 where there is none."""
        model = self.steps.model
        weights = [sum(p.numel() for p in model.get_submodule(path).parameters()) for path in self.pieces]
        return max(weights, default=0) / max(1, sum(p.numel() for p in model.parameters()))


class Tracer(Protocol):
    """One way to take a model apart."""

    def __call__(self, shell: nn.Module, example: Inputs) -> Traced:
        """A private shell of a model, taken apart for inputs like ``example``; raises NotTraceableError.

        The shell's own settings may change; its tensors do not.
        """
        ...


def whole_model(x: Inputs) -> fx.Graph:
    """A graph whose one step is the model, which takes inputs like ``x``."""
    graph = fx.Graph()
    args, named = placeholders(graph, x)
    graph.output(graph.call_module("model", args, named))
    return graph


def placeholders(graph: fx.Graph, x: Inputs) -> tuple[tuple[fx.Node, ...], dict[str, Any]]:
    """One placeholder for each tensor of ``x``: those by position, and those by name."""
    values = {key: graph.placeholder(f"x{place}") for place, key in enumerate(tensors_of(x))}
    named: dict[str, Any] = {} if isinstance(x, Tensor) else {key: values.pop(key) for key in x.named}
    return tuple(values.values()), named
