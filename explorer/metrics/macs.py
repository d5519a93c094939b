"""How many multiply-accumulates one example costs: dense, without the pruned weights, and after removal.

Every matrix product that a forward pass really makes is seen below the modules, so grouped, strided and
transposed convolutions, recurrent layers, attention, tied weights and free functions count alike. Each product
is put to the weight it multiplies; products of two activations (attention) are *fixed*: no single pruned weight spares
them, but where all that makes a slice of one factor is pruned (a head, a block), the slice is zero and its products go.
Additions, activations, normalisation and embedding look-ups are not MACs.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from explorer.errors import ExplorerError, Refusal
from explorer.metrics.mac_counter import MacCounter
from explorer.types import LoadedModel, Measurement, Plan
from explorer.types.aliases import CallArguments, GraphValue, NamedArguments
from explorer.types.inputs import call

_REMOVED = "Every multiplication left after the pruned units are cut out."
_NO_FASTER = "no dense kernel skips zeros, so this is no measured speed-up"


@dataclass(frozen=True, eq=False)
class MacTable:
    """How often each weight of a model is multiplied for one example; made once per model.

    ``uses[parameter]``: one number for the whole tensor, or an int64 tensor of its shape where the rows differ
    (the packed projections of cross-attention). Absent = never multiplied. ``n_weights`` counts each tensor.
    ``fixed`` are the MACs between activations, ``alive`` those of them without a factor that is zero anyway.
    """

    uses: Mapping[str, int | Tensor]
    n_weights: Mapping[str, int]
    fixed: int
    alive: int = 0

    @property
    def dense(self) -> int:
        """MACs of the whole model, nothing pruned."""
        return self.fixed + sum(self.of(name) for name in self.uses)

    def of(self, parameter: str, mask: Tensor | None = None) -> int:
        """MACs of one parameter; with a mask (True keeps) those of its kept weights."""
        uses = self.uses.get(parameter, 0)
        if isinstance(uses, Tensor):
            return int(uses.sum() if mask is None else (uses * mask.to(uses.device)).sum())
        return uses * (self.n_weights.get(parameter, 0) if mask is None else int(mask.sum()))


class _Plainly(TorchFunctionMode):
    """While it is on, attention takes its plain path: the fused one shows no products to count."""

    def __torch_function__(
        self, func: Any, types: object, args: CallArguments = (), kwargs: NamedArguments | None = None
    ) -> GraphValue:
        return func(*args, **(kwargs or {}))


def why_no_macs(model: LoadedModel) -> Refusal | None:
    """The reason in a sentence when MACs cannot be counted, else None."""
    if model.module is None:
        return Refusal(
            model.why_not_runnable or "Without an architecture it is not known how often each weight is used."
        )
    return Refusal("There is no example input to run.") if model.example is None else None


def mac_table(model: LoadedModel) -> MacTable:
    """Counts the uses of every weight in one forward pass of the model's example; keep it by the model's digest.

    The pass runs on a private shell around the same tensors, so other threads may use the model meanwhile.
    Raises ExplorerError when the model cannot run.
    """
    if model.module is None or model.example is None:
        what = f"The multiplications of {model.address} cannot be counted."
        raise ExplorerError(what, why=why_no_macs(model), fix="Open the file with an architecture.")
    counter = _counted_pass(model, {})
    n_weights = {name: t.numel() for name, t in model.weights.items()}
    return MacTable(counter.uses(), n_weights, counter.fixed, counter.alive)


def _counted_pass(model: LoadedModel, masks: Mapping[str, Tensor]) -> MacCounter:
    """One forward pass of the example under masks, seen by a counter."""
    if model.module is None or model.example is None:
        raise ValueError("only a model that runs is counted")
    shell = _private_shell(model.module, {name: _masked(model.weights[name], mask) for name, mask in masks.items()})
    counter = MacCounter(_paths(shell, model.weights), list(shell.buffers()))
    with torch.no_grad(), counter, _Plainly():
        call(shell, model.example[:1])
    return counter


def macs(model: LoadedModel, plan: Plan | None = None, table: MacTable | None = None) -> dict[str, Measurement]:
    """MACs of one example: ``dense``; with a plan ``sparse`` and, where whole units can be cut out, ``removed``.

    ``sparse`` counts the products whose weight is kept and was not zero already, and of those between activations the
    ones whose factors are not zero throughout because everything that makes them is pruned. Empty when the model cannot
    run: `why_no_macs` says why.
    """
    if table is None:
        if why_no_macs(model):
            return {}
        table = mac_table(model)
    measurements = {
        "dense": _counted("dense", table.dense, "Every multiplication of one example, pruned weights included.")
    }
    if plan is None:
        return measurements
    between = _between(model, plan, table)
    sparse = between + sum(table.of(name, plan.left.get(name)) for name in table.uses)
    note = f"Only the multiplications whose weight is kept; {_NO_FASTER}."
    measurements["sparse"] = _counted("sparse", sparse, note)
    if plan.kept_shapes:
        measurements["removed"] = _counted("removed", between + _after_removal(table, plan), _REMOVED)
    return measurements


def theoretical_speedup(model: LoadedModel, plan: Plan, table: MacTable | None = None) -> Measurement | None:
    """Dense MACs / MACs left (after removal where units can be cut out); None when the model cannot run.

    Source: Blalock et al. 2020, arXiv:2003.03033, section 6 (original MACs / new MACs).
    """
    measurements = macs(model, plan, table)
    if not measurements:
        return None
    # Where single weights go, too, what is left is fewer than what removal leaves.
    removed = "removed" if plan.of_units is None else "sparse"
    left = measurements.get(removed, measurements["sparse"]).value
    ratio = measurements["dense"].value / left if left else (1.0 if not measurements["dense"].value else math.inf)
    note = f"Dense multiplications by those left; {_NO_FASTER}."
    return Measurement("theoretical_speedup", ratio, "x", "counted", note=note)


def _between(model: LoadedModel, plan: Plan, table: MacTable) -> int:
    """MACs between activations that are left: seen in a pass of the masked model, where whole slices are zero."""
    if not table.fixed or not any(_loses_slices(mask) for mask in plan.masks.values()):
        return table.fixed
    lost = table.alive - _counted_pass(model, plan.masks).alive
    return min(table.fixed, max(0, table.fixed - lost))


def _loses_slices(mask: Tensor) -> bool:
    dims = range(min(2, mask.dim()))
    return any(not bool(mask.movedim(d, 0).flatten(1).any(dim=1).all()) for d in dims if mask.dim() > 1)


def _after_removal(table: MacTable, plan: Plan) -> int:
    total = 0
    for name in table.uses:
        n_before = table.n_weights[name]
        shape = plan.kept_shapes.get(name)
        n_after = n_before if shape is None else math.prod(shape)
        total += table.of(name) * n_after // n_before
    return total


def _counted(name: str, n: int, note: str) -> Measurement:
    return Measurement(name, n, "MAC", "counted", note=note)


def _masked(weight: Tensor, mask: Tensor) -> Tensor:
    return weight.detach() * mask.to(weight.device)


def _private_shell(module: nn.Module, replaced: Mapping[str, Tensor]) -> nn.Module:
    named = dict(module.named_parameters(remove_duplicate=False))
    memo: dict[int, GraphValue] = {id(t): t for t in [*named.values(), *module.buffers()]}
    for name, tensor in replaced.items():
        memo[id(named[name])] = nn.Parameter(tensor, requires_grad=False)
    return copy.deepcopy(module, memo)


def _paths(shell: nn.Module, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The shell's tensors under the model's names for them (a tied weight has several; one is the model's)."""
    return {name: p for name, p in shell.named_parameters(remove_duplicate=False) if name in weights}
