"""What a plan costs, in the unit of the question: counted, or for time measured."""

from __future__ import annotations

from dataclasses import replace

from explorer.analysis.costs import comparable
from explorer.analysis.search.question import UNITS, CostName
from explorer.analysis.tradeoff import smallest_file
from explorer.errors import ExplorerError, Refusal
from explorer.metrics.latency import latency
from explorer.metrics.macs import MacTable, mac_table, macs, why_no_macs
from explorer.metrics.size import parameters
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.types import LoadedModel, Measurement, Plan

_PAIRS = 30
_NOTES = {
    "params": "Parameters left, of the whole model, biases included.",
    "macs": "Multiplications of one example that are left.",
    "size": "The smallest kind of file that holds the pruned model.",
}


class SearchCost:
    """One cost of any plan of one model.

    ``counted`` steers the search: exact and quick, and for latency the multiplications. ``of`` is the cost that the
    question is about. ``dense`` and ``counted_dense`` are those of the dense model.
    """

    def __init__(self, model: LoadedModel, name: CostName) -> None:
        self._model, self._name = model, name
        self.table: MacTable | None = None if why_no_macs(model) else mac_table(model)
        if self.table is None and name in ("macs", "latency"):
            what, why = "The multiplications of this model cannot be counted.", why_no_macs(model)
            raise ExplorerError(what, why=why, fix="Seek parameters or file size.")
        self.counted_dense = self.counted(make_plan(model, PruneSpec()))
        self._dense_ms = _dense_time(model) if name == "latency" else None
        self.dense = self._dense_ms.value if self._dense_ms else self.counted_dense

    def counted(self, plan: Plan) -> float:
        """The plan's counted cost."""
        if self._name == "params":
            return parameters(self._model, plan)["kept"].value
        if self._name == "size":
            return float(smallest_file(self._model, plan))
        counts = macs(self._model, plan, self.table)
        return counts.get("removed", counts["sparse"]).value

    def of(self, plan: Plan) -> Measurement:
        """The plan's cost with its origin; a time is taken beside the dense model's, in turns."""
        if self._dense_ms is not None:
            return _time(self._model, plan, self._dense_ms)
        value = self.counted(plan)
        return Measurement(self._name, value, UNITS[self._name], "counted", note=_NOTES[self._name])


def why_not(model: LoadedModel, spec: PruneSpec, cost: CostName) -> Refusal | None:
    """Why this cost cannot be a budget for these units, in a sentence; None when it can."""
    if cost in ("macs", "latency") and (uncounted := why_no_macs(model)):
        return uncounted
    if cost == "latency" and spec.granularity.why_no_removal:
        return Refusal("Zeros save no time.", spec.granularity.why_no_removal)
    return None


def _dense_time(model: LoadedModel) -> Measurement:
    if model.module is None or model.example is None:
        raise ExplorerError("This model cannot be timed.", why=why_no_macs(model), fix="Seek another cost.")
    return latency(model.module, model.module, model.example, pairs=_PAIRS, code_seconds=model.code_seconds).dense


def _time(model: LoadedModel, plan: Plan, dense: Measurement) -> Measurement:
    """Milliseconds of the pruned network: the dense time by the ratio of times taken in turns.

    The ratio does not depend on what else the machine does; both times do.
    """
    pair = comparable(model, plan)
    if model.example is None or (pair.form == "masked" and plan.n_pruned):
        raise ExplorerError("This plan saves no time.", why=pair.why_masked or "", fix="Choose another budget.")
    times = latency(pair.dense, pair.pruned, model.example, pairs=_PAIRS, code_seconds=model.code_seconds)
    ratio = times.ratio
    low, high = (None if end is None else dense.value / end for end in (ratio.high, ratio.low))
    note = f"{dense.value:.3g} ms of the dense network, divided by the ratio of {times.n} pairs taken in turns."
    return replace(
        ratio, name="latency", value=dense.value / ratio.value, unit="milliseconds", low=low, high=high, note=note
    )
