"""The description of a slim model's graph, read strictly: whatever is not expected is refused by name."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch

from explorer.models.slim.vocabulary import ATTRIBUTES, CONSTANTS, FUNCTIONS, LAYERS, METHODS
from explorer.text.names import clean
from explorer.types.aliases import CallArguments, GraphValue, JsonDict, JsonObject
from explorer.types.files.reading.refusal import RefusedError

Op = Literal["input", "tensor", "layer", "call"]

PARTS = ("inputs", "layers", "tensors", "tied", "steps", "output")
MAX_STEPS = 20_000
MAX_VALUES = 200_000
MAX_DEPTH = 12
MAX_TEXT = 200
MAX_INPUTS = 4
MAX_WHOLE = 2**53
MAX_STACKED = 64
# A name becomes part of a program when the network is traced again: plain words only, none of Python's own.
_PART = r"(?!__)[A-Za-z0-9_]{1,100}"
_PATH = re.compile(rf"{_PART}(\.{_PART}){{0,15}}", re.ASCII)
_STEP = re.compile(r"(?!__)[A-Za-z_][A-Za-z0-9_]{0,199}", re.ASCII)
_FIX = "Export the model again, or open the file it was made from."


@dataclass(frozen=True)
class Ref:
    """Where the value of an earlier step goes."""

    name: str


@dataclass(frozen=True, eq=False)
class GraphStep:
    """One step: an input, a stored tensor, a layer, or a function (methods are ``torch.Tensor.NAME``)."""

    name: str
    op: Op
    target: str
    args: CallArguments
    kwargs: JsonObject


@dataclass(frozen=True, eq=False)
class Graph:
    """A checked description. ``inputs`` are (shape without the batch, dtype); copies share it.

    ``done``: for each step the values that nobody needs after it.
    """

    inputs: tuple[tuple[tuple[int, ...], torch.dtype], ...]
    layers: Mapping[str, tuple[str, JsonObject]]
    tensors: Mapping[str, str]
    tied: Mapping[str, str]
    steps: tuple[GraphStep, ...]
    output: GraphValue
    digest: str
    done: tuple[tuple[str, ...], ...]

    def __deepcopy__(self, memo: object) -> Graph:
        return self


def read(document: object) -> Graph:
    """The graph that ``document`` (parsed JSON) describes; RefusedError that says what is wrong with it."""
    fields = _object(document, "the graph")
    if set(fields) != set(PARTS):
        raise refused(f"its graph must have the parts {', '.join(PARTS)}")
    reader = _Reader()
    steps = tuple(reader.step(raw) for raw in _list(fields["steps"], "the steps", MAX_STEPS))
    inputs = tuple(_input(raw) for raw in _list(fields["inputs"], "the inputs", MAX_INPUTS))
    if not inputs or sum(step.op == "input" for step in steps) != len(inputs):
        raise refused(f"it must take 1 to {MAX_INPUTS} inputs, each by one step")
    output = reader.value(fields["output"])
    graph = Graph(
        inputs=inputs,
        layers={_path(name): _layer(raw) for name, raw in _object(fields["layers"], "the layers").items()},
        tensors={
            _path(n): _choice(v, ("parameter", "buffer")) for n, v in _object(fields["tensors"], "tensors").items()
        },
        tied={_path(n): _path(v) for n, v in _object(fields["tied"], "the tied weights").items()},
        steps=steps,
        output=output,
        digest=hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:16],
        done=_done(steps, output),
    )
    _check_targets(graph)
    return graph


def refused(why: str) -> RefusedError:
    """A refusal that begins like the others."""
    return RefusedError(f"It claims to be a slim model, but {why}.", _FIX)


def _check_targets(graph: Graph) -> None:
    if len(graph.layers) + len(graph.tensors) + len(graph.tied) > MAX_STEPS:
        raise refused(f"it names more than {MAX_STEPS:,} layers")
    for step in graph.steps:
        targets: Any = {"layer": graph.layers, "tensor": graph.tensors}.get(step.op)
        if targets is not None and step.target not in targets:
            raise refused(f"its step {step.name!r} uses {clean(step.target)!r}, which it does not describe")


def _done(steps: tuple[GraphStep, ...], output: object) -> tuple[tuple[str, ...], ...]:
    """Walking backwards, the first use that is met is the last one."""
    needed = set(_names(output))
    done: list[tuple[str, ...]] = []
    for step in reversed(steps):
        used = {step.name, *_names(step.args), *_names(step.kwargs)}
        done.append(tuple(sorted(used - needed)))
        needed |= used
    return tuple(reversed(done))


def _names(value: object) -> Iterator[str]:
    if isinstance(value, Ref):
        yield value.name
    elif isinstance(value, slice):
        yield from _names((value.start, value.stop, value.step))
    elif isinstance(value, list | tuple | Mapping):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _names(inner)


class _Reader:
    """Reads steps in order: a value may only come from a step before it, so there are no circles."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.n_values = 0

    def step(self, raw: object) -> GraphStep:
        fields = _object(raw, "a step")
        if set(fields) != {"name", "op", "target", "args", "kwargs"}:
            raise refused("a step of it lacks a part or has one too many")
        name = fields["name"]
        if not isinstance(name, str) or not _STEP.fullmatch(name):
            raise refused(f"{clean(str(name))!r} is no name for a step")
        if name in self.names:
            raise refused(f"two steps are called {name!r}")
        op: Any = _choice(fields["op"], ("input", "tensor", "layer", "call"))
        args = tuple(self.value(v) for v in _list(fields["args"], "arguments", MAX_VALUES))
        kwargs = {_word(k): self.value(v) for k, v in _object(fields["kwargs"], "arguments").items()}
        step = GraphStep(name, op, _target(op, fields["target"]), args, kwargs)
        _check_call(step)
        self.names.add(name)
        return step

    def value(self, raw: object, depth: int = 0) -> GraphValue:
        """A plain value as it is; an object with one key says what is no JSON: a node, a tuple, a slice ..."""
        self.n_values += 1
        if self.n_values > MAX_VALUES or depth > MAX_DEPTH:
            raise refused("its arguments are too many or too deep")
        if isinstance(raw, list):
            return [self.value(v, depth + 1) for v in raw]
        if not isinstance(raw, dict):
            return plain(raw)
        if len(raw) != 1:
            raise refused("a value of it is neither plain nor of a known kind")
        ((kind, inside),) = raw.items()
        if kind in ("tuple", "slice", "dict"):
            return self._made(kind, self.value(_list(inside, "values", MAX_VALUES), depth + 1))
        return self._named(kind, inside)

    def _made(self, kind: str, values: list[GraphValue]) -> GraphValue:
        if kind == "tuple":
            return tuple(values)
        if kind == "slice" and len(values) == 3:
            return slice(*values)
        if kind == "dict" and all(isinstance(v, list) and len(v) == 2 and isinstance(v[0], str) for v in values):
            return {key: value for key, value in values}
        raise refused(f"a {kind} of it is malformed")

    def _named(self, kind: str, inside: object) -> GraphValue:
        if kind == "node" and isinstance(inside, str):
            if inside not in self.names:
                raise refused(f"a step reads {clean(inside)!r}, which no step before it makes")
            return Ref(inside)
        constants = {("torch", name): name for name in CONSTANTS} | {("float", n): n for n in ("inf", "-inf", "nan")}
        name = constants.get((kind, inside)) if isinstance(inside, str) else None
        if name is not None:
            return getattr(torch, name) if kind == "torch" else float(name)
        if (kind, inside) == ("device", "cpu"):
            return torch.device("cpu")
        if (kind, inside) == ("ellipsis", None):
            return ...
        raise refused(f"a value of it is of the unknown kind {clean(str(kind))!r}")


def plain(raw: object) -> GraphValue:
    """A number, a truth value, a short text or None."""
    if isinstance(raw, str) and len(raw) <= MAX_TEXT:
        return raw
    if raw is None or isinstance(raw, bool):
        return raw
    if (isinstance(raw, float) and math.isfinite(raw)) or (isinstance(raw, int) and abs(raw) <= MAX_WHOLE):
        return raw
    raise refused("an argument of it is no plain number or short text")


def _target(op: Op, target: object) -> str:
    if op == "input":
        return _word(target)
    if op != "call":
        return _path(target)
    if not isinstance(target, str) or (target not in FUNCTIONS and target not in METHODS):
        raise refused(f"it calls {clean(str(target))!r}, which is not among the functions a slim model may use")
    return target


def _check_call(step: GraphStep) -> None:
    if step.op in ("input", "tensor") and (step.args or step.kwargs):
        raise refused(f"its step {step.name!r} cannot take arguments")
    if step.target == "builtins.getattr":
        asked = step.args[1] if len(step.args) == 2 else None
        if step.kwargs or not isinstance(asked, str) or asked not in ATTRIBUTES or not isinstance(step.args[0], Ref):
            raise refused(f"its step {step.name!r} asks for {clean(str(asked))!r}, which may not be asked for")
    if step.target in METHODS and not (step.args and isinstance(step.args[0], Ref)):
        raise refused(f"its step {step.name!r} calls a method of nothing")
    if "out" in step.kwargs:
        raise refused(f"its step {step.name!r} writes over a tensor")


def _layer(raw: object) -> tuple[str, JsonObject]:
    fields = _object(raw, "a layer")
    kind, arguments = fields.get("type"), _object(fields.get("args"), "a layer's arguments")
    if set(fields) != {"type", "args"} or not isinstance(kind, str) or kind not in LAYERS:
        raise refused(f"it has a layer {clean(str(kind))!r}, which is not among the layers a slim model may use")
    unknown = set(arguments) - set(LAYERS[kind])
    if unknown:
        raise refused(f"{kind} has no argument {clean(sorted(unknown)[0])!r}")
    values = {name: _argument(value, 0) for name, value in arguments.items()}
    if not 1 <= (values.get("num_layers") or 1) <= MAX_STACKED:
        raise refused(f"{kind} has {values['num_layers']} layers")
    return kind, values


def _argument(raw: object, depth: int) -> GraphValue:
    if isinstance(raw, list) and depth < 2 and len(raw) <= 16:
        return tuple(_argument(v, depth + 1) for v in raw)
    return plain(raw)


def _input(raw: object) -> tuple[tuple[int, ...], torch.dtype]:
    fields = _object(raw, "an input")
    shape = _list(fields.get("shape"), "the shape of the input", 8)
    if not all(type(n) is int and 0 < n <= 2**24 for n in shape) or math.prod(shape) > 2**27:
        raise refused("the shape of its input is not usable")
    name = _choice(fields.get("dtype"), ("float32", "float64", "float16", "bfloat16", "int64", "int32", "bool"))
    return tuple(shape), getattr(torch, name)


def _object(raw: object, what: str) -> JsonDict:
    if not isinstance(raw, dict):
        raise refused(f"{what} in it is not an object")
    return raw


def _list(raw: object, what: str, most: int) -> list[GraphValue]:
    if not isinstance(raw, list) or len(raw) > most:
        raise refused(f"{what} in it is no list of at most {most:,}")
    return raw


def _choice(raw: object, choices: tuple[str, ...]) -> str:
    if raw not in choices:
        raise refused(f"it says {clean(str(raw))!r} where one of {', '.join(choices)} is expected")
    return str(raw)


def _path(raw: object) -> str:
    if not isinstance(raw, str) or not _PATH.fullmatch(raw):
        raise refused(f"{clean(str(raw))!r} is no name for a layer or tensor")
    return raw


def _word(raw: object) -> str:
    if not isinstance(raw, str) or not _STEP.fullmatch(raw):
        raise refused(f"{clean(str(raw))!r} is no name for an argument")
    return raw
