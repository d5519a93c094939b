"""Everything that is known about one pruned model, as one value: for notebooks, and as one JSON object."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, TypedDict, Unpack

from torch import Tensor

from explorer.analysis import collapse
from explorer.analysis.collapse import worst_first
from explorer.analysis.costs import RunningCosts
from explorer.analysis.parent import Against
from explorer.errors import ExplorerError
from explorer.export.sizes import file_sizes, transfer
from explorer.metrics import METRICS
from explorer.metrics.base import JUDGED_NAMES
from explorer.metrics.interval import wilson
from explorer.metrics.macs import MacTable, macs, theoretical_speedup, why_no_macs
from explorer.metrics.per_class import ClassCount, class_counts
from explorer.metrics.size import compression_ratio, parameters
from explorer.params.options import options_from
from explorer.text.numbers import level, percent, times
from explorer.types import (
    Dataset,
    Evaluation,
    Finding,
    LayerInfo,
    LoadedModel,
    Measurement,
    Plan,
    SplitName,
)
from explorer.types.aliases import JsonDict
from explorer.types.brief import LONGEST, Shown


@dataclass(frozen=True, eq=False, kw_only=True)
class About:
    """What else belongs to a report, each where it is there; :class:`Report` says what they are."""

    data: Dataset | None = None
    split: SplitName | None = None
    looks_at_test: int | None = None
    costs: RunningCosts | None = None
    measured_sizes: Mapping[str, Measurement] | None = None
    runs_as: str | None = None
    against: Against | ExplorerError | None = None


class AboutKeywords(TypedDict, total=False):
    """The same as keywords of a call, for type checkers."""

    data: Dataset | None
    split: SplitName | None
    looks_at_test: int | None
    costs: RunningCosts | None
    measured_sizes: Mapping[str, Measurement] | None
    runs_as: str | None
    against: Against | ExplorerError | None


@dataclass(frozen=True, eq=False, repr=False)
class Report(About, Shown):
    """One model, one request, what it costs and what it keeps.

    ``evaluation`` is None when nothing was run. ``sizes`` (bytes), ``macs`` and ``parameters``
    map a kind to its number. ``looks_at_test`` is how often this model has been measured on the test
    split of this data, this time included. ``costs`` (latency, memory, energy) and ``measured_sizes`` (files that were
    really written) are there when they were asked for. ``runs_as``: how the model was
    taken apart to be measured. ``against``: the same on the samples of the dense model that this one was made from, or
    why that cannot be told; None where nothing is known of such a parent. ``str(report)`` is a short summary,
    ``to_json()`` everything.

    Examples:
        >>> import explorer as ex
        >>> report = ex.evaluate("digits-mlp")
        >>> report.drop.value, sorted(report.sizes)[:2]
        (0.0, ['bitmask', 'csr'])
    """

    model: LoadedModel
    plan: Plan
    evaluation: Evaluation | None
    sizes: Mapping[str, Measurement]
    macs: Mapping[str, Measurement]
    parameters: Mapping[str, Measurement]
    compression: Measurement
    speedup: Measurement | None
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]

    @property
    def sparsity(self) -> float:
        """Zero weights / prunable weights: pruned by the plan, or zero already (``n_already_zero``)."""
        return self.plan.sparsity

    @property
    def n_already_zero(self) -> int:
        """Prunable weights that were exactly zero before this plan, those that it prunes too included."""
        return self.plan.n_already_zero

    @property
    def n_zero_in_all(self) -> int:
        """Prunable weights that are zero now: pruned by the plan, or zero already."""
        return self.plan.n_zero

    @property
    def compression_ratio(self) -> float:
        """All parameters / parameters left."""
        return self.compression.value

    @property
    def theoretical_speedup(self) -> float | None:
        """Dense MACs / MACs left; None for a model that cannot run."""
        return None if self.speedup is None else self.speedup.value

    @property
    def accuracy(self) -> Measurement | None:
        """Share of right answers with its interval; agreement with the dense model where there are no labels."""
        return None if self.evaluation is None else self.evaluation.accuracy

    @property
    def drop(self) -> Measurement | None:
        """Dense minus pruned accuracy on the same samples: positive is worse."""
        return None if self.evaluation is None else self.evaluation.drop

    def to_json(self) -> JsonDict:
        """One JSON-able object. Numbers that are not finite become None."""
        content = {
            "model": {"address": self.model.address, "digest": self.model.digest},
            "spec": dict(self.plan.spec),
            "asked": self.plan.asked,
            "units": {"unit": self.plan.unit, "n_pruned": self.plan.units[0], "n_may_go": self.plan.units[1]},
            "sparsity": self.plan.sparsity,
            "pruned_share": self.plan.pruned_share,
            "n_pruned": self.plan.n_pruned,
            "n_already_zero": self.n_already_zero,
            "n_zero_in_all": self.n_zero_in_all,
            "compression_ratio": self.compression.value,
            "theoretical_speedup": self.theoretical_speedup,
            "parameters": {kind: int(m.value) for kind, m in self.parameters.items()},
            "sizes": {kind: int(m.value) for kind, m in self.sizes.items()},
            "transfer_seconds": {str(rate): m.value for rate, m in self.transfer.items()},
            "macs": {kind: int(m.value) for kind, m in self.macs.items()},
            "metrics": self._metrics(),
            "judged_by": None if self.evaluation is None else self.evaluation.judged_by,
            "per_class": [{"class": name, **count.to_json()} for name, count in self.per_class],
            "data": None if self.data is None else data_json(self.data),
            "split": self.split,
            "looks_at_test": self.looks_at_test,
            "runs_as": self.runs_as,
            "layers": layer_rows(self.plan),
            "findings": [asdict(finding) for finding in self.findings],
            "notes": list(self.notes),
            "repairs": list(self.model.repairs),
        }
        return {name: finite(value) for name, value in {**content, **self._on_request()}.items()}

    def _on_request(self) -> JsonDict:
        content = {} if self.costs is None else self.costs.to_json()
        if self.measured_sizes is not None:
            content["measured_sizes"] = {kind: int(m.value) for kind, m in self.measured_sizes.items()}
        if self.against is not None:
            outcome = self.against
            content["against"] = outcome.to_json() if isinstance(outcome, Against) else {"why_not": str(outcome)}
        return content

    @property
    def transfer(self) -> Mapping[int, Measurement]:
        """Seconds for the smallest file by megabits a second, estimated."""
        return transfer(self.sizes)

    @property
    def dense_accuracy(self) -> Measurement | None:
        """Accuracy of the model before pruning, on the same samples; None without labels."""
        judged = self.evaluation
        if judged is None or judged.judged_by != "labels":
            return None
        n_right = round((judged.accuracy.value + judged.drop.value) * judged.n)
        low, high = wilson(n_right, judged.n)
        return replace(judged.accuracy, name="dense_accuracy", value=n_right / judged.n, low=low, high=high)

    @property
    def per_class(self) -> tuple[tuple[str, ClassCount], ...]:
        """Each class's name with its samples, right answers and choices; empty without labelled classes."""
        judged, data, split = self.evaluation, self.data, self.split
        y = None if data is None or split is None or split not in data.splits else data.splits[split].y
        if judged is None or data is None or y is None or judged.judged_by != "labels" or len(y) < judged.n:
            return ()
        n_classes = max(len(data.classes), self.model.n_classes or 0, int(judged.predictions.max()) + 1)
        counts = class_counts(judged.predictions, y[: judged.n], n_classes)
        return tuple((data.class_name(c.index), c) for c in counts)

    def _metrics(self) -> JsonDict:
        if self.evaluation is None:
            return {}
        judged = self.evaluation
        metrics = {
            "accuracy": None if judged.judged_by in ("numbers", "metric") else judged.accuracy,
            "token_accuracy": judged.accuracy if judged.judged_by == "tokens" else None,
            "dense_accuracy": self.dense_accuracy,
            "drop": self.evaluation.drop,
            "agreement": self.evaluation.agreement,
            "loss": None if judged.judged_by == "numbers" else judged.loss,
            **judged.metrics,
        }
        if self.evaluation.judged_by == "agreement":
            # Without labels there is no accuracy, and nothing may look as if there were.
            own = {key: m for key, m in judged.metrics.items() if key not in METRICS.members}
            metrics = {"agreement": self.evaluation.agreement, **own}
        return {name: asdict(m) for name, m in metrics.items() if m is not None}

    @property
    def _zeros_in_words(self) -> str:
        return f"zero ({percent(self.plan.pruned_share)} pruned here)" if self.n_already_zero else "pruned"

    def __repr__(self) -> str:
        return f"<Report of {str(self)[:LONGEST]}>"

    def __str__(self) -> str:
        judged = self.evaluation
        measured = "not run"
        if judged is not None:
            is_chosen = judged.judged_by == "metric"
            name = judged.accuracy.name if is_chosen else JUDGED_NAMES[judged.judged_by]
            measured = f"{name} {level(judged.accuracy)} on {judged.n} {self.split or ''} samples".rstrip()
        counted = f"{percent(self.sparsity)} {self._zeros_in_words}, compression ratio {times(self.compression_ratio)}"
        return f"{self.model.address}: {counted}, {measured}"


@options_from(About)
def report(
    model: LoadedModel,
    plan: Plan,
    evaluation: Evaluation | None = None,
    *,
    table: MacTable | None = None,
    compress: bool = False,
    **about: Unpack[AboutKeywords],
) -> Report:
    """Put together what is counted about ``plan`` and what ``evaluation`` measured.

    Args:
        model: The dense model.
        plan: The masks.
        evaluation: What was measured; None where nothing was run.
        table: Counted multiplications, to reuse them.
        compress: Also pack the dense file to see how small it gets (30 MB/s).
        data: What it was measured on.
        split: Which of its splits.
        looks_at_test: How often this model has been measured on the test split, this time included.
        costs: Latency, memory and energy, where they were measured.
        measured_sizes: Files that were really written, in bytes.
        runs_as: How the model was taken apart to be measured.
        against: The same against the dense parent of a file, or why that cannot be told.

    Returns:
        A :class:`Report`.

    Examples:
        >>> import explorer as ex
        >>> model = ex.load("digits-mlp")
        >>> print(ex.report(model, ex.plan(model, ex.PruneSpec(allocation="global:sparsity=0.5"))))
        digits-mlp: 50.0% pruned, compression ratio 1.98×, not run
    """
    data, split = about.get("data"), about.get("split")
    of_split = data.splits.get(split) if data is not None and split is not None else None
    labels = None if of_split is None else of_split.y
    return Report(
        model=model,
        plan=plan,
        evaluation=evaluation,
        sizes=file_sizes(model, plan, compress=compress),
        macs=macs(model, plan, table),
        parameters=parameters(model, plan),
        compression=compression_ratio(model, plan),
        speedup=theoretical_speedup(model, plan, table),
        findings=tuple(
            dict.fromkeys(worst_first([*_findings(model, plan, evaluation, labels), *(data.findings if data else ())]))
        ),
        notes=tuple(dict.fromkeys(_notes(model, plan, evaluation))),
        **about,
    )


def _findings(
    model: LoadedModel, plan: Plan, evaluation: Evaluation | None, labels: Tensor | None
) -> Iterator[Finding]:
    yield from model.findings
    yield from collapse.before(model, plan)
    if evaluation is not None:
        yield from evaluation.findings
        yield from collapse.after(evaluation, model.n_classes, plan, labels)


def _notes(model: LoadedModel, plan: Plan, evaluation: Evaluation | None) -> Iterator[str]:
    yield from plan.notes
    no_macs = why_no_macs(model)
    if no_macs:
        yield str(no_macs)
    if evaluation is not None and evaluation.judged_by == "agreement":
        yield "Evaluated by agreement with the dense model, not by labels: it does not say who is right."


def data_json(data: Dataset) -> JsonDict:
    """What a report says of its data: enough to load it again the same way."""
    return {"address": data.address, "digest": data.digest, **data.meta}


def layer_rows(plan: Plan) -> list[JsonDict]:
    """One JSON-able row for each parameter tensor, in the model's order.

    ``threshold`` is the lowest score kept by the line that moves this layer, None where none does.
    """
    lines = {name: group for group in plan.groups if group.group.why_not is None for name in group.group.layers}
    return [_row(plan, layer, lines[layer.name].threshold if layer.name in lines else None) for layer in plan.layers]


def _row(plan: Plan, layer: LayerInfo, threshold: float | None) -> JsonDict:
    return {
        "name": layer.name,
        "kind": layer.kind,
        "shape": list(layer.shape),
        "n_weights": layer.n_weights,
        "n_pruned": plan.n_pruned_in(layer),
        "threshold": threshold,
        "prunable": layer.prunable,
        "why_not": layer.why_not,
    }


def finite(value: object) -> Any:
    """The same value with None for every number inside that JSON cannot hold."""
    if isinstance(value, Mapping):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
