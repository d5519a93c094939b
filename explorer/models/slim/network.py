"""A slim model as a module: the steps of a checked graph, run one after another."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.models.slim.document import Graph, refused
from explorer.models.slim.running import arguments, call, resolved, tensor_at
from explorer.models.slim.vocabulary import layer_class
from explorer.models.slim.watched import MAX_BYTES, CheckedRun
from explorer.models.without_numbers import without_numbers
from explorer.text.names import clean, listed
from explorer.types.aliases import CallArguments, GraphValue
from explorer.types.files.reading.refusal import RefusedError


class SlimNetwork(nn.Module):
    """Runs a graph; its layers and tensors have the paths they had in the model it was made from.

    The code that runs is this file's: a slim file brings names of known functions and numbers.
    """

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self._graph = graph
        self.foresight: Foresight | None = None

    def _run(self, inputs: CallArguments) -> GraphValue:
        n = _batch_size(inputs)
        if n is not None and self.foresight is not None:
            self.foresight.check(n)
        given = iter(inputs)
        values: dict[str, GraphValue] = {}
        for step, done in zip(self._graph.steps, self._graph.done, strict=True):
            values[step.name] = next(given) if step.op == "input" else call(self, step, *arguments(step, values))
            for name in done:
                del values[name]
        return resolved(self._graph.output, values)


class Foresight:
    """What batches of each size will take, found on tensors without numbers. Copies of a network share it.

    The sizes of all values follow from the shapes of the inputs, which is checked step by step.
    """

    def __init__(self, graph: Graph, tensors: Mapping[str, Tensor]) -> None:
        self._graph = graph
        self._tensors = {name: torch.empty_like(tensor, device="meta") for name, tensor in tensors.items()}
        self._bytes: dict[int, tuple[int, int]] = {}

    def __deepcopy__(self, memo: object) -> Foresight:
        return self

    def check(self, n: int) -> None:
        """ExplorerError when a batch of n inputs takes more than a model of this size may."""
        try:
            self.refuse(n)
        except RefusedError as refusal:
            what = f"This slim model cannot be run on {n:,} inputs at once."
            raise ExplorerError(what, why=refusal.why, fix=refusal.fix) from None

    def refuse(self, n: int) -> None:
        """RefusedError when a batch of n inputs takes more than a model of this size may."""
        self.refuse_growth(n)
        at_once = self._taken(n)[1]
        if at_once > MAX_BYTES:
            raise refused(f"a batch of {n:,} needs {at_once / 2**20:,.0f} MiB at once")

    def refuse_growth(self, n: int) -> None:
        """RefusedError when n inputs take much more than n times what one takes."""
        if self.n_bytes(n) > 2 * n * self.n_bytes(1):
            raise refused("what it computes grows faster than the number of inputs")

    def n_bytes(self, n: int) -> int:
        """The bytes of all values that a batch of n inputs makes."""
        return self._taken(n)[0]

    def _taken(self, n: int) -> tuple[int, int]:
        """Bytes in all, and the most at once."""
        if n not in self._bytes:
            with torch.device("meta"), torch.no_grad():
                watched = CheckedRun(self._graph, build(self._graph, self._tensors), on_meta=True)
                watched.run(torch.empty(n, *shape, dtype=dtype) for shape, dtype in self._graph.inputs)
            self._bytes[n] = watched.n_bytes, watched.most_at_once
        return self._bytes[n]


def _batch_size(inputs: CallArguments) -> int | None:
    """How many inputs there are, unless they only stand for some, as when the network is traced."""
    if not inputs or not all(isinstance(x, Tensor) and x.dim() and type(x.shape[0]) is int for x in inputs):
        return None
    return max(int(x.shape[0]) for x in inputs)


# A fixed number of inputs each, because a traced network must name them.
class _One(SlimNetwork):
    def forward(self, x: object) -> GraphValue:
        return self._run((x,))


class _Two(SlimNetwork):
    def forward(self, x: object, y: object) -> GraphValue:
        return self._run((x, y))


class _Three(SlimNetwork):
    def forward(self, x: object, y: object, z: object) -> GraphValue:
        return self._run((x, y, z))


class _Four(SlimNetwork):
    def forward(self, x: object, y: object, z: object, w: object) -> GraphValue:
        return self._run((x, y, z, w))


_BY_INPUTS = (_One, _Two, _Three, _Four)


def example_inputs(graph: Graph, n: int = 1, generator: torch.Generator | None = None) -> tuple[Tensor, ...]:
    """One batch of inputs of the right shapes: standard normal, zeros where the type is whole."""
    generator = generator or torch.Generator().manual_seed(0)
    inputs = []
    for shape, dtype in graph.inputs:
        if dtype.is_floating_point:
            inputs.append(torch.randn(n, *shape, generator=generator).to(dtype))
        else:
            inputs.append(torch.zeros(n, *shape, dtype=dtype))
    return tuple(inputs)


def skeleton(graph: Graph) -> SlimNetwork:
    """The module with shapes but without numbers; RefusedError when a layer cannot be made."""
    network = _BY_INPUTS[len(graph.inputs) - 1](graph)
    with without_numbers():
        for path, (kind, arguments) in graph.layers.items():
            try:
                layer = layer_class(kind)(**arguments)
            except (TypeError, ValueError, RuntimeError, AssertionError, IndexError, OverflowError, ZeroDivisionError):
                raise refused(f"its layer {clean(path)!r} cannot be made a {kind} with these arguments") from None
            _place(network, path, layer)
    return network


def build(graph: Graph, tensors: Mapping[str, Tensor]) -> SlimNetwork:
    """The network with these numbers, in eval mode; RefusedError when names or shapes do not fit."""
    network = skeleton(graph)
    for path, kind in graph.tensors.items():
        tensor = tensors.get(graph.tied.get(path, path))
        if tensor is None:
            raise refused(f"the tensor {clean(path)!r} is not in it")
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
    network.foresight = Foresight(graph, tensors)
    return network.eval().requires_grad_(False)


def _check_fit(name: str, have: Tensor, want: Tensor) -> None:
    if have.shape != want.shape:
        shape, expected = tuple(have.shape), tuple(want.shape)
        raise refused(f"{clean(name)!r} has the shape {shape}, where its graph says {expected}")
    if have.is_floating_point() != want.is_floating_point():
        raise refused(f"{clean(name)!r} holds {have.dtype}, which its layer does not compute with")


def _place(network: nn.Module, path: str, layer: nn.Module) -> None:
    owner = _folder(network, path.rpartition(".")[0])
    try:
        owner.add_module(path.rpartition(".")[2], layer)
    except (KeyError, TypeError):
        raise refused(f"{clean(path)!r} is no name for a layer") from None


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
        raise refused(f"{clean(path)!r} is no name for a tensor") from None


def _tie(network: nn.Module, graph: Graph) -> None:
    """Make tied weights one parameter again, so that pruning one prunes the other."""
    for path, first in graph.tied.items():
        place, _, name = path.rpartition(".")
        owner = network.get_submodule(place)
        if name in owner._parameters:
            owner._parameters[name] = tensor_at(network, first)
