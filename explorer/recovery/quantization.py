"""Weights as whole numbers of a few bits, one scale for each output channel: simulated in float.

What the network computes is what a runtime with int8 weights and float activations computes: the weights lie on
the int8 grid, everything else stays float. Activations in int8 are a runtime's matter: ``export.onnx_int8``.

Source: Jacob et al. 2018, arXiv:1712.05877 (the grid); Krishnamoorthi 2018, arXiv:1806.08342 (symmetric, one
scale for each output channel, rounded to nearest).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError
from explorer.pruning.apply import masked_weights, private_shell, set_parameters
from explorer.pruning.layers import layer_table
from explorer.recovery.settings import FEWEST_BITS, MOST_BITS
from explorer.types import Evaluation, LayerInfo, LoadedModel, Plan, tensors_digest

_LOOKED_UP = ("Embedding", "EmbeddingBag")


@dataclass(frozen=True, eq=False)
class WholeNumbers:
    """One tensor as whole numbers: weight = ``values`` (int8, the tensor's shape) times its channel's scale.

    ``scales``: (n_channels,) float32, above zero; channels lie along ``axis``. Zero is exactly zero.
    """

    values: Tensor
    scales: Tensor
    axis: int

    def weights(self) -> Tensor:
        """The weights that they stand for, float32."""
        shape = [1] * self.values.dim()
        shape[self.axis] = -1
        return self.values.float() * self.scales.reshape(shape)


def to_whole_numbers(weights: Tensor, axis: int = 0, bits: int = 8) -> WholeNumbers:
    """The nearest whole numbers, from -(2^(bits-1) - 1) to 2^(bits-1) - 1, ties to even.

    The scale of a channel is its largest magnitude divided by the largest number, so nothing is cut off; 1 for a
    channel of zeros (and of numbers too small for float32 to divide by, which become zero).
    Raises ExplorerError for bits outside 2 to 8.
    """
    check_bits(bits)
    most = 2 ** (bits - 1) - 1
    weights = weights.detach().float()
    others = [d for d in range(weights.dim()) if d != axis]
    scales = (weights.abs().amax(dim=others) if others else weights.abs()) / most
    scales = torch.where(torch.isfinite(1 / scales), scales, torch.ones_like(scales))
    shape = [-1 if d == axis else 1 for d in range(weights.dim())]
    values = (weights * (1 / scales).reshape(shape)).round().clamp(-most, most)
    return WholeNumbers(values.to(torch.int8), scales, axis)


def check_bits(bits: int) -> None:
    """ExplorerError unless there can be weights of so many bits here."""
    if not FEWEST_BITS <= bits <= MOST_BITS:
        why = "One bit has no zero, and more than 8 do not fit int8."
        raise ExplorerError(
            f"Weights of {bits} bits are not possible here.", why=why, fix=f"Give {FEWEST_BITS} to {MOST_BITS} bits."
        )


def channel_axis(layer: LayerInfo) -> int:
    """Along which dimension of a layer's weights its output channels lie."""
    return 1 if layer.kind.startswith("ConvTranspose") else 0


def quantized_layers(model: LoadedModel) -> tuple[LayerInfo, ...]:
    """The weights that become whole numbers: those of convolutions, linear and recurrent layers.

    Biases, normalisation and tables that are only looked up stay as they are.
    """
    return tuple(x for x in layer_table(model).prunable if x.kind not in _LOOKED_UP and len(x.shape) >= 2)


def whole_numbers(model: LoadedModel, plan: Plan | None = None, bits: int = 8) -> dict[str, WholeNumbers]:
    """``quantized_layers``'s weights, pruned as ``plan`` says, as whole numbers: by parameter."""
    pruned: Mapping[str, Tensor] = {} if plan is None else masked_weights(model, plan)
    return {
        layer.parameter: to_whole_numbers(
            pruned.get(layer.parameter, model.weights[layer.parameter]), channel_axis(layer), bits
        )
        for layer in quantized_layers(model)
    }


def quantized_weights(model: LoadedModel, plan: Plan | None = None, bits: int = 8) -> dict[str, Tensor]:
    """New weights on the grid of ``bits`` bits, float again: by parameter, the shapes and dtypes of the model.

    ``plan`` prunes first; what it cuts stays exactly zero. Raises ExplorerError for bits outside 2 to 8.
    """
    whole = whole_numbers(model, plan, bits)
    return {name: numbers.weights().to(model.weights[name].dtype) for name, numbers in whole.items()}


def quantized_plan(model: LoadedModel, plan: Plan, bits: int = 8) -> Plan:
    """The same masks, with every kept weight on the grid: every measure and export takes it as it takes ``plan``."""
    weights = quantized_weights(model, plan, bits)
    whole = {name: torch.ones_like(t, dtype=torch.bool) for name, t in weights.items() if name not in plan.masks}
    note = f"Weights rounded to {bits} bits, one scale for each output channel; simulated in float."
    return replace(
        plan,
        masks={**plan.masks, **whole},
        updates={**plan.updates, **weights},
        digest=hashlib.sha256(f"{plan.digest}|quantized|{bits}".encode()).hexdigest()[:16],
        notes=(*plan.notes, note),
    )


def quantized(model: LoadedModel, plan: Plan | None = None, bits: int = 8) -> LoadedModel:
    """A new model whose weights lie on the grid, pruned as ``plan`` says; ``meta["quantized"]`` tells how.

    It runs like any other model; the given one is never written to.
    """
    weights: dict[str, Tensor] = {**model.weights, **({} if plan is None else masked_weights(model, plan))}
    weights |= quantized_weights(model, plan, bits)
    module = None
    if model.module is not None:
        module = private_shell(model.module)
        set_parameters(module, weights)
    how = {"bits": bits, "from": model.digest, "plan": None if plan is None else plan.digest}
    return replace(
        model,
        module=module,
        weights=weights,
        digest=tensors_digest(module.state_dict() if module is not None else weights),
        meta={**model.meta, "quantized": how},
    )


def measured(evaluator: Evaluator, plan: Plan, bits: int = 8) -> Evaluation:
    """The accuracy of the evaluator's model, pruned and then rounded, on all of its samples.

    The drop is against the dense float model, on the same samples.
    """
    return evaluator.final(quantized_plan(evaluator.model, plan, bits))
