"""One output of a convolution by hand, number by number: a threshold, the mask it makes, and the sum over a patch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.data.given import split_of
from explorer.errors import ExplorerError
from explorer.pruning.apply import masked
from explorer.pruning.layers import layer_table
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.tasks.context import Context
from explorer.text.numbers import number
from explorer.types import LayerInfo, LoadedModel, Plan
from explorer.types.inputs import call

Grid = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class OneOutput:
    """Output ``channel`` at ``place`` (row, column) of a layer, from the ``patch`` of ``input_channel`` and its kernel.

    ``mask``: 1 keeps, 0 removes; ``threshold`` is the lowest |w| of the layer that stays. ``rest`` is what the other
    input channels add to the pruned sum, ``bias`` what is added at the end. ``dense`` and ``pruned`` are the outputs.
    """

    layer: str
    channel: int
    input_channel: int
    place: tuple[int, int]
    patch: Grid
    kernel: Grid
    mask: Grid
    threshold: float
    rest: float
    rest_dense: float
    bias: float
    dense: float
    pruned: float

    @property
    def products(self) -> Grid:
        """Patch times kernel times mask, number by number."""
        return tuple(
            tuple(x * w * m for x, w, m in zip(*rows, strict=True))
            for rows in zip(self.patch, self.kernel, self.mask, strict=True)
        )

    @property
    def sum(self) -> float:
        """The sum of the products."""
        return sum(map(sum, self.products))


def by_hand(context: Context, layer: str, spec: PruneSpec | None = None, *, sample: int = 0) -> OneOutput:
    """One output of ``layer`` for one picture of the tune split, under the mask that ``spec`` gives this layer alone.

    Raises ExplorerError for what is no plain convolution.
    """
    model = context.model
    info = next((each for each in layer_table(model).prunable if each.name == layer), None)
    asked = PruneSpec() if spec is None else spec
    plan = make_plan(model, asked, context.scores(asked))
    seen, convolution = _seen(context, model, layer, sample)
    if info is None or convolution is None or convolution.groups != 1 or not isinstance(convolution.padding, tuple):
        raise ExplorerError(f"{layer!r} is no plain convolution.", fix="Choose a convolution of the model.")
    return _one(model, plan, info, convolution, seen)


def _seen(context: Context, model: LoadedModel, layer: str, sample: int) -> tuple[Tensor, nn.Conv2d | None]:
    """What reaches the layer, in a copy of the network that is nobody else's."""
    network = masked(model, make_plan(model, PruneSpec(), context.scores(PruneSpec()))).module
    module = dict(network.named_modules()).get(layer)
    inputs: list[Tensor] = []
    if not isinstance(module, nn.Conv2d):
        return torch.empty(0), None
    handle = module.register_forward_pre_hook(lambda _, given: inputs.append(given[0].detach()))
    try:
        with torch.no_grad():
            call(network, split_of(context.dataset, "tune").x[sample : sample + 1])
    finally:
        handle.remove()
    return inputs[0], module


def _one(model: LoadedModel, plan: Plan, info: LayerInfo, convolution: nn.Conv2d, seen: Tensor) -> OneOutput:
    weights = model.weights[info.parameter].detach()
    mask = plan.masks.get(info.parameter, torch.ones_like(weights, dtype=torch.bool)).to(weights.dtype)
    height, width = weights.shape[2:]
    left, top = convolution.padding[1], convolution.padding[0]
    padded = functional.pad(seen, (int(left), int(left), int(top), int(top)))
    places = functional.unfold(padded, (height, width), stride=_two(convolution.stride))[0]
    patches = places.reshape(weights.shape[1], height, width, -1)
    output, source = _kernel_with_both(mask, weights, patches.abs().flatten(1).amax(1))
    at = int((patches[source] ** 2).sum((0, 1)).argmax())
    patch = patches[..., at].double()
    n_across = (padded.shape[3] - width) // _two(convolution.stride)[1] + 1
    kernel, kept = weights[output].double(), mask[output].double()
    dense_sums, sums = (patch * kernel).sum((1, 2)), (patch * kernel * kept).sum((1, 2))
    bias = 0.0 if convolution.bias is None else float(convolution.bias[output])
    group = next((each for each in plan.groups if info.name in each.group.layers), None)
    return OneOutput(
        info.name,
        output,
        source,
        divmod(at, n_across),
        _grid(patch[source]),
        _grid(kernel[source]),
        _grid(kept[source]),
        0.0 if group is None else group.threshold,
        float(sums.sum() - sums[source]),
        float(dense_sums.sum() - dense_sums[source]),
        bias,
        float(dense_sums.sum()) + bias,
        float(sums.sum()) + bias,
    )


def _kernel_with_both(mask: Tensor, weights: Tensor, seen: Tensor) -> tuple[int, int]:
    """(output, input) channel of the kernel of which nearest to half is removed, of inputs that are not all zero.

    Among equals the one with large weights. ``seen``: the largest value of each input channel.
    """
    share = mask.flatten(2).mean(2)
    order = (share - 0.5).abs() - 1e-6 * weights.abs().flatten(2).sum(2) + (seen == 0).to(weights.dtype)
    at = int(order.argmin())
    return at // weights.shape[1], at % weights.shape[1]


def _two(stride: object) -> tuple[int, int]:
    return (int(stride[0]), int(stride[1])) if isinstance(stride, tuple) else (int(str(stride)), int(str(stride)))


def _grid(values: Tensor) -> Grid:
    return tuple(tuple(float(value) for value in row) for row in values)


def in_lines(one: OneOutput) -> list[str]:
    """The same for a terminal: patch, kernel, mask and products side by side, and the sum."""
    row, column = one.place
    head = f"{one.layer}: output channel {one.channel}, row {row}, column {column}; kernel of input {one.input_channel}"
    lines = [head, f"threshold {number(one.threshold)}: a weight with |w| below it is removed", ""]
    titles = ("patch", "kernel", "mask", "products")
    grids = (one.patch, one.kernel, one.mask, one.products)
    wide = 9 * len(one.kernel[0])
    lines.append("   ".join(f"{title:<{wide}}" for title in titles).rstrip())
    for rows in zip(*grids, strict=True):
        lines.append("   ".join("".join(f"{round(value, 3) + 0.0:9.3f}" for value in cells) for cells in rows))
    return [*lines, "", *sums_of(one)]


def sums_of(one: OneOutput) -> list[str]:
    """The sum in words, and beside it what it was before pruning."""
    others = f" + {number(one.rest)} (other inputs)" if one.rest_dense else ""
    bias = f" + {number(one.bias)} (bias)" if one.bias else ""
    return [
        f"sum of the products {number(one.sum)}{others}{bias} = {number(one.pruned)}",
        f"before pruning it was {number(one.dense)}",
    ]
