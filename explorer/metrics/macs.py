"""How many multiply-accumulates one example costs: dense, without the pruned weights, and after removal.

Every matrix product that a forward pass really makes is seen below the modules, so grouped, strided and
transposed convolutions, recurrent layers, attention, tied weights and free functions count alike. Each product
is put to the weight it multiplies; products of two activations (attention) are *fixed*: no pruned weight spares them.
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

from explorer.errors import ExplorerError
from explorer.metrics.mac_counter import MacCounter
from explorer.types import LoadedModel, Measurement, Plan

_NO_FASTER = "no dense kernel skips zeros, so this is no measured speed-up"


@dataclass(frozen=True, eq=False)
class MacTable:
    """How often each weight of a model is multiplied for one example; made once per model.

    ``uses[parameter]``: one number for the whole tensor, or an int64 tensor of its shape where the rows differ
    (the packed projections of cross-attention). Absent = never multiplied. ``n_weights`` counts each tensor.
    ``fixed`` are the MACs between activations.
    """

    uses: Mapping[str, int | Tensor]
    n_weights: Mapping[str, int]
    fixed: int

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

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func(*args, **(kwargs or {}))


def why_no_macs(model: LoadedModel) -> str | None:
    """The reason in a sentence when MACs cannot be counted, else None."""
    if model.module is None:
        return model.why_not_runnable or "Without an architecture it is not known how often each weight is used."
    return "There is no example input to run." if model.example is None else None


def mac_table(model: LoadedModel) -> MacTable:
    """Counts the uses of every weight in one forward pass of the model's example; keep it by the model's digest.

    The pass runs on a private shell around the same tensors, so other threads may use the model meanwhile.
    Raises ExplorerError when the model cannot run.
    """
    if model.module is None or model.example is None:
        what = f"The multiplications of {model.address} cannot be counted."
        raise ExplorerError(what, why=why_no_macs(model) or "", fix="Open the file with an architecture.")
    shell = _private_shell(model.module)
    counter = MacCounter(_paths(shell, model.weights), list(shell.buffers()))
    with torch.no_grad(), counter, _Plainly():
        shell(model.example[:1])
    n_weights = {name: t.numel() for name, t in model.weights.items()}
    return MacTable(counter.uses(), n_weights, counter.fixed)


def macs(model: LoadedModel, plan: Plan | None = None, table: MacTable | None = None) -> dict[str, Measurement]:
    """MACs of one example: ``dense``; with a plan ``sparse`` and, where whole units can be cut out, ``removed``.

    ``sparse`` counts the products whose weight is kept. Empty when the model cannot run: `why_no_macs` says why.
    """
    if table is None:
        if why_no_macs(model):
            return {}
        table = mac_table(model)
    found = {"dense": _counted("dense", table.dense, "Every multiplication of one example, pruned weights included.")}
    if plan is None:
        return found
    sparse = table.fixed + sum(table.of(name, plan.masks.get(name)) for name in table.uses)
    note = f"Only the multiplications whose weight is kept; {_NO_FASTER}."
    found["sparse"] = _counted("sparse", sparse, note)
    if plan.kept_shapes:
        found["removed"] = _counted("removed", _after_removal(table, plan), _removed_note(table))
    return found


def theoretical_speedup(model: LoadedModel, plan: Plan, table: MacTable | None = None) -> Measurement | None:
    """Dense MACs / MACs left (after removal where units can be cut out); None when the model cannot run.

    Source: Blalock et al. 2020, arXiv:2003.03033, section 6 (original MACs / new MACs).
    """
    found = macs(model, plan, table)
    if not found:
        return None
    left = found.get("removed", found["sparse"]).value
    ratio = found["dense"].value / left if left else (1.0 if not found["dense"].value else math.inf)
    note = f"Dense multiplications by those left; {_NO_FASTER}."
    return Measurement("theoretical_speedup", ratio, "x", "counted", note=note)


def _after_removal(table: MacTable, plan: Plan) -> int:
    total = table.fixed
    for name in table.uses:
        n_before = table.n_weights[name]
        shape = plan.kept_shapes.get(name)
        n_after = n_before if shape is None else math.prod(shape)
        total += table.of(name) * n_after // n_before
    return total


def _removed_note(table: MacTable) -> str:
    rest = " Products between activations are counted as before." if table.fixed else ""
    return "Every multiplication left after the pruned units are cut out." + rest


def _counted(name: str, n: int, note: str) -> Measurement:
    return Measurement(name, n, "MAC", "counted", note=note)


def _private_shell(module: nn.Module) -> nn.Module:
    return copy.deepcopy(module, {id(t): t for t in [*module.parameters(), *module.buffers()]})


def _paths(shell: nn.Module, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The shell's tensors under the model's names for them (a tied weight has several; one is the model's)."""
    return {name: p for name, p in shell.named_parameters(remove_duplicate=False) if name in weights}
