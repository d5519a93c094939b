"""An ONNX graph as a graph of torch: layers with named weights, functions of torch, and single steps for the rest.

``onnx2fx`` reads the graph and converts what is not lifted here. What is lifted becomes a layer of ``torch.nn`` or a
function that the table of operators has a rule for, so that channels, histograms, reuse and removal work as for a
network that was written in torch.
"""

from __future__ import annotations

import functools
import operator
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import onnx
import torch
import torch.nn.functional as F
from onnx2fx.graph_builder import GraphBuilder, _collect_all_inputs
from torch import Tensor, fx, nn

from explorer.models.from_onnx.names import Paths, placed
from explorer.models.from_onnx.origin import Origin
from explorer.models.from_onnx.step import ONE_STEP, OpaqueStep, whole_numbers
from explorer.models.libraries.imported import Foreign
from explorer.types.aliases import GraphValue
from explorer.types.operators import operator_of

Handler = Callable[["Lifting", Foreign], "fx.Node | list[fx.Node] | None"]


@dataclass(frozen=True)
class Whole:
    """A tensor of whole numbers that are known, or sizes that a step asks for."""

    values: tuple[int | fx.Node, ...]
    scalar: bool = False


class Lifting(GraphBuilder):  # type: ignore[misc, unused-ignore]
    """Builds the network. ``batch``: the fixed number of samples that the file names, None where it leaves it open."""

    def __init__(self, model: onnx.ModelProto, batch: int | None, handlers: dict[str, Handler]) -> None:
        super().__init__(model)
        self.batch = batch
        self.handlers = handlers
        self.paths = Paths()
        self.root = nn.Module()
        self.origins: dict[str, Origin] = {}
        self.constants: dict[str, Tensor] = dict(self.initializer_map)
        self.whole: dict[str, Whole] = {}
        self.fused: dict[str, fx.Node] = {}
        self._parameters: dict[Origin, nn.Parameter] = {}
        self._layers: dict[object, str] = {}
        self._uses: dict[str, list[Foreign]] = defaultdict(list)
        self._ends = {value.name for value in self.model.graph.output}
        self.makers: dict[str, Foreign] = {name: node for node in self.model.graph.node for name in node.output}
        for node in self.model.graph.node:
            for name in _collect_all_inputs(node):
                self._uses[name].append(node)

    def build(self) -> fx.GraphModule:
        """The network, in eval mode."""
        self._create_placeholders()
        self._convert_nodes()
        self._create_outputs()
        for name, part in self._submodules.items():
            setattr(part, ONE_STEP, True)
            self.root.add_module(name, part)
        for node in self.graph.nodes:
            self._one_step(node)
            node.meta.clear()
        module = fx.GraphModule(self.root, self.graph, "OnnxNetwork")
        module.graph.eliminate_dead_code()
        module.delete_all_unused_submodules()
        module.recompile()
        here = module.state_dict()
        self.origins = {name: origin for name, origin in self.origins.items() if name in here}
        return module.eval().requires_grad_(False)

    # -- what handlers ask -----------------------------------------------------------------------

    def constant(self, name: str) -> Tensor | None:
        """The numbers that stand in the file under this name; None for what is computed."""
        return self.constants.get(name) if name else None

    def numbers(self, name: str) -> list[int | fx.Node] | None:
        """Whole numbers, as far as they are known or sizes; None for others."""
        if name in self.whole:
            return list(self.whole[name].values)
        value = self.constant(name)
        if value is None or value.is_floating_point() or value.dim() > 1 or value.dtype == torch.bool:
            return None
        return [int(number) for number in value.reshape(-1).tolist()]

    def fixed(self, name: str) -> list[int] | None:
        """Whole numbers that are all known."""
        values = self.numbers(name)
        if values is None:
            return None
        plain = [value for value in values if isinstance(value, int)]
        return plain if len(plain) == len(values) else None

    def dims(self, name: str) -> list[int | None] | None:
        """The declared or inferred shape; None where even the number of dimensions is open."""
        value = self.constant(name)
        if value is not None:
            return list(value.shape)
        shape, _ = self.value_info_map.get(name, (None, None))
        return None if shape is None else list(shape)

    def is_float(self, name: str) -> bool:
        """Whether it is known to hold numbers with a point."""
        value = self.constant(name)
        dtype = self.value_info_map.get(name, (None, None))[1] if value is None else value.dtype
        return dtype is not None and bool(dtype.is_floating_point)

    def is_scalar(self, name: str) -> bool:
        """Whether known numbers have no dimension."""
        value = self.constant(name)
        return self.whole[name].scalar if name in self.whole else value is not None and not value.dim()

    def sole_user(self, name: str) -> Foreign:
        """The step that alone uses a value; None where there are several, or where it leaves the network."""
        users = self._uses[name]
        return users[0] if len(users) == 1 and name not in self._ends else None

    # -- what handlers make ----------------------------------------------------------------------

    def plain(self, function: Callable[..., object], *args: GraphValue, **kwargs: GraphValue) -> fx.Node:
        """A step that calls a function of torch."""
        return self.graph.call_function(function, args, kwargs)

    def item(self, values: fx.Node, place: int) -> fx.Node:
        """One of several values that a step gives."""
        return self.plain(operator.getitem, values, place)

    def known(self, node: Foreign, values: Sequence[int | fx.Node], *, scalar: bool = False) -> fx.Node | None:
        """Note that a step gives these whole numbers; it becomes a step only where somebody needs a tensor of them."""
        self.whole[node.output[0]] = Whole(tuple(values), scalar)
        return None

    def size(self, name: str, dim: int) -> int | fx.Node:
        """One size of a value: a number where it is fixed, else asked for when it runs, as the first always is."""
        dims = self.dims(name)
        declared = None if dims is None or dim == 0 else dims[dim]
        return self.graph.call_method("size", (self.get_value(name), dim)) if declared is None else declared

    def layer(self, node: Foreign, module: nn.Module, weights: dict[str, Origin], *inputs: GraphValue) -> fx.Node:
        """A call of a layer of torch whose tensors have these places in the file; the same one for the same places."""
        key = (type(module), module.extra_repr(), tuple(weights.items()))
        if key not in self._layers:
            stored = {name.split("_")[0]: origin.name for name, origin in reversed(weights.items())}
            weight, bias = stored.get("weight", ""), stored.get("bias", "")
            path = self._layers[key] = self.paths.layer(weight, bias, node.name, node.op_type)
            for name, origin in weights.items():
                parameter = self._parameter(origin)
                setattr(module, name, parameter if name in module._parameters else parameter.detach())
                self.origins[f"{path}.{name}"] = origin
            folder, last = placed(self.root, path)
            folder.add_module(last, module)
        return self.graph.call_module(self._layers[key], inputs)

    def _parameter(self, origin: Origin) -> nn.Parameter:
        """The parameter for what stands in the file; the same one wherever it is used."""
        if origin not in self._parameters:
            value = origin.read(self.constants[origin.name])
            self._parameters[origin] = nn.Parameter(value, requires_grad=False)
        return self._parameters[origin]

    # -- what onnx2fx asks -----------------------------------------------------------------------

    def get_value(self, name: str) -> fx.Node:
        """The step that makes a value; constants and sizes become one when they are asked for."""
        if name not in self.env:
            if name in self.whole:
                sizes = self.whole[name]
                self.env[name] = self.plain(whole_numbers, sizes.scalar, *sizes.values)
            elif name in self.constants:
                self.env[name] = self._held(name)
        return super().get_value(name)

    def has_value(self, name: str) -> bool:
        """Whether a value is there."""
        return name in self.env or name in self.constants or name in self.whole

    def _held(self, name: str) -> fx.Node:
        path = self.paths.unique(name)
        folder, last = placed(self.root, path)
        value = self.constants[name]
        if value.is_floating_point() and value.numel() > 1:
            folder.register_parameter(last, self._parameter(Origin(name)))
        else:
            folder.register_buffer(last, value)
        self.origins[path] = Origin(name)
        return self.graph.get_attr(path)

    def _create_placeholders(self) -> None:
        for value in self.model.graph.input:
            if value.name not in self.constants:
                self.env[value.name] = self.graph.placeholder(self.paths.unique(value.name.replace(".", "_")))
                self.input_names.append(value.name)

    def _resolve_handler(self, node: Foreign) -> Foreign:
        own = self.handlers.get(node.op_type) if not node.domain else None
        if own is None:
            return self._theirs(node), node.domain, 0
        return functools.partial(_first, own, self._theirs(node)), node.domain, 0

    def _theirs(self, node: Foreign) -> Foreign:
        resolve = super()._resolve_handler

        def convert(builder: Lifting, node: Foreign) -> Foreign:
            handler = resolve(node)[0]
            if any(attribute.type == onnx.AttributeProto.GRAPH for attribute in node.attribute):
                for name in filter(builder.has_value, _collect_all_inputs(node)):
                    builder.get_value(name)
            return handler(builder, node)

        return convert

    def _tag_operator_node(self, node: Foreign, fx_node: Foreign, domain: str) -> None:
        """Steps carry no marks of the file."""

    def _register_outputs(self, node: Foreign, fx_node: Foreign, domain: str) -> None:
        if fx_node is None:  # constants and sizes are no steps
            return
        outputs = [name for name in node.output]
        if isinstance(fx_node, list):
            self.env.update({name: part for name, part in zip(outputs, fx_node, strict=False) if name})
        elif len(outputs) == 1:
            self.env[outputs[0]] = fx_node
        else:
            self.env.update({name: self.plain(_pick, fx_node, i) for i, name in enumerate(outputs) if name})

    def _one_step(self, node: fx.Node) -> None:
        """Turn a function that is not torch's own into a step that is never looked into."""
        if node.op != "call_function" or _of_torch(node.target):
            return
        kind = str(getattr(node.target, "__name__", "step")).strip("_<>") or "step"
        path = self.paths.unique(f"steps.{kind}")
        folder, last = placed(self.root, path)
        folder.add_module(last, OpaqueStep(node.target, kind))  # type: ignore[arg-type]
        node.op, node.target = "call_module", path


def _first(own: Handler, theirs: Foreign, builder: Lifting, node: Foreign) -> Foreign:
    """What is lifted here, else what onnx2fx makes of it."""
    if node.output[0] in builder.fused:
        return builder.fused[node.output[0]]
    lifted = own(builder, node)
    handled = lifted is not None or any(n in builder.whole or n in builder.constants for n in node.output)
    return lifted if handled else theirs(builder, node)


def _pick(values: Foreign, place: int) -> Foreign:
    return values[place] if isinstance(values, tuple | list) else values


def _of_torch(target: Foreign) -> bool:
    if operator_of(target) is not None:
        return True
    name = getattr(target, "__name__", "")
    return any(getattr(place, name, None) is target for place in (torch, F, operator) if name)


def attributes(node: Foreign) -> dict[str, Foreign]:
    """The attributes of a step by name; texts as text."""
    values = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    return {
        name: value.decode("utf-8", "replace") if isinstance(value, bytes) else value for name, value in values.items()
    }


def given(node: Foreign, place: int) -> str:
    """The name of an input; empty where it is left out."""
    return node.input[place] if len(node.input) > place else ""


def pairs(pads: Sequence[int]) -> list[tuple[int, int]]:
    """(before, after) of each dimension, from all that come before and then all that come after."""
    half = len(pads) // 2
    return list(zip(pads[:half], pads[half:], strict=True))
