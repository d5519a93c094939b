"""Pruned to death? What to know before an accuracy is believed, with the setting that did it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from explorer.analysis.accuracy_findings import little_excited, lost, one_sided
from explorer.analysis.dead_paths import cut_off
from explorer.metrics.interval import wilson
from explorer.pruning.coupling.branches import BLOCKS
from explorer.pruning.weight_counts import weight_counts
from explorer.ranking.together import counted
from explorer.text.numbers import between, percent, percent_asked
from explorer.types import Evaluation, Finding, GroupPlan, LayerInfo, Level, LoadedModel, Plan
from explorer.types.aliases import JsonObject

NEARLY_EMPTY = 0.01
_FEW_SAMPLES = 10
_LESS, _OWN = "Prune less.", "Choose another model: pruning did not do this."
_SEVERITY = {"fail": 0, "warn": 1, "ok": 2}


def of_weights(model: LoadedModel, layers: Iterable[LayerInfo]) -> list[Finding]:
    """What is wrong before anything is pruned: :func:`before` of a plan that cuts nothing."""
    return list(_broken(model, tuple(layers)).values())


def before(model: LoadedModel, plan: Plan) -> list[Finding]:
    """What can be known from weights and masks alone, worst first: empty and nearly empty layers
    (under 1 % or fewer than 2 units kept), dead channels, NaN and infinite weights.

    Each names the layer, the setting of the plan that did it, and what to do.
    """
    groups: dict[str, GroupPlan] = {}
    for group in plan.groups:
        for name in group.group.layers:
            groups.setdefault(name, group)
    broken = _broken(model, plan.layers.layers)
    n_kept = counted(plan.left, _itself)
    findings = []
    for layer in plan.layers:
        findings += [broken[layer.name]] if layer.name in broken else []
        mask = plan.left.get(layer.parameter)
        if layer.name not in broken and mask is not None and n_kept[layer.parameter] < mask.numel():
            findings += _of_layer(model, plan, layer, groups.get(layer.name))
    findings += [_cut_off(plan, layer, n, groups.get(layer.name)) for layer, n in cut_off(model, plan)]
    return sorted(findings, key=lambda finding: _SEVERITY[finding.level])


def after(
    evaluation: Evaluation, n_classes: int | None, plan: Plan | None = None, labels: Tensor | None = None
) -> list[Finding]:
    """What only the pruned model's answers show, worst first: not a number, collapsed or beyond the budget, mostly one
    class, no better than chance, or agreement on inputs that say little.

    With the plan each finding names the layer that lost the largest share, and the setting. Nothing is said
    about fewer than 10 samples. ``n_classes`` None: chance is not known and not judged. ``labels`` are the
    split's: with them, always answering the most frequent class is what accuracy has to beat.
    """
    if evaluation.n < _FEW_SAMPLES:
        return []
    no_better = _most_frequent(evaluation, labels) or _chance(evaluation, n_classes)
    findings = (_not_a_number(evaluation), lost(evaluation), one_sided(evaluation), no_better)
    layer, by = (None, "") if plan is None else _hardest_hit(plan)
    blamed = [_blamed(finding, layer, by) for finding in findings if finding is not None]
    if plan is not None and layer is None:
        blamed = [_not_by_pruning(finding) for finding in blamed]
    inputs = little_excited(evaluation, n_classes)
    return worst_first([*blamed, *([inputs] if inputs is not None else [])])


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Failures before warnings before what is fine; those alike stay in their order."""
    return sorted(findings, key=lambda finding: _SEVERITY[finding.level])


def _of_layer(model: LoadedModel, plan: Plan, layer: LayerInfo, group: GroupPlan | None) -> Iterator[Finding]:
    mask = plan.left[layer.parameter]
    # Biases and scales go with their unit: only what holds a layer's weights can empty it.
    if not layer.n_weights or mask.dim() < 2:
        return
    if group is not None and group.group.unit in BLOCKS:
        return  # a block that is left out leaves its shortcut: nothing is empty
    finding = _emptied(plan, layer, mask, group) or _dead_rows(plan, layer, _rows(model, layer, mask), group)
    if finding is not None:
        yield finding


def _broken(model: LoadedModel, layers: Sequence[LayerInfo]) -> dict[str, Finding]:
    """What is wrong with the dense weights of the layers, by the name of those that are broken.

    What the model's findings say of a layer already is not said again.
    """
    reported = {finding.layer for finding in model.findings if finding.level == "fail"}
    layers = [layer for layer in layers if layer.name not in reported]
    counts = weight_counts(model)
    findings: dict[str, Finding] = {}
    for layer in layers:
        if layer.parameter in counts.n_not_finite:
            findings[layer.name] = _not_finite(layer, model.weights[layer.parameter])
        elif layer.prunable and 0 < layer.n_weights == counts.n_zeros[layer.parameter]:
            findings[layer.name] = _all_zero(layer)
    return findings


def _itself(mask: Tensor) -> Tensor:
    return mask


def _not_finite(layer: LayerInfo, weights: Tensor) -> Finding:
    n_nan, n_inf = int(torch.isnan(weights).sum()), int(torch.isinf(weights).sum())
    return Finding(
        level="fail",
        what=f"{layer.name} holds {n_nan + n_inf:,} weights that are not numbers.",
        evidence=f"{n_nan:,} NaN and {n_inf:,} infinite of {layer.n_weights:,}; no pruning setting did this.",
        action="Load an intact file: these values were in it.",
        layer=layer.name,
    )


def _all_zero(layer: LayerInfo) -> Finding:
    return Finding(
        level="warn",
        what=f"{layer.name} is empty: it holds nothing but zeros and passes no signal on.",
        evidence=f"All {layer.n_weights:,} weights; no pruning setting did this.",
        action="Load the weights from before they were lost, unless that is meant.",
        layer=layer.name,
    )


def _emptied(plan: Plan, layer: LayerInfo, mask: Tensor, group: GroupPlan | None) -> Finding | None:
    n_kept = int(mask.sum())
    share = f"{layer.n_weights - n_kept:,} of {layer.n_weights:,} weights are {_cause(plan, layer, group)}."
    if n_kept == 0:
        return _finding("fail", f"{layer.name} is empty: it passes no signal on.", share, plan, layer, group)
    if n_kept < NEARLY_EMPTY * layer.n_weights:
        what = f"{layer.name} is nearly empty: {n_kept:,} weights are left."
        return _finding("warn", what, share, plan, layer, group)
    if (
        group is not None
        and group.group.n_may_go < group.group.n_units  # of a pattern or a block that may go as a whole, much is left
        and group.n_pruned
        and group.group.n_units - group.n_pruned < 2
    ):
        what = f"{layer.name} is nearly empty: one {group.group.unit} is left."
        return _finding("warn", what, share, plan, layer, group)
    return None


def _cut_off(plan: Plan, layer: LayerInfo, n_left: int, group: GroupPlan | None) -> Finding:
    what = f"{layer.name} passes no signal on: what is left of it reads dead channels alone."
    evidence = f"All {n_left:,} weights that it keeps read channels to which no weight leads any more."
    return _finding("fail", what, evidence, plan, layer, group)


def _dead_rows(plan: Plan, layer: LayerInfo, rows: Tensor, group: GroupPlan | None) -> Finding | None:
    if group is None or group.group.unit != "weight" or (layer.kind == "Embedding" and not plan.n_pruned_in(layer)):
        return None  # the row of a word that stands for nothing is meant to be zero
    dead = torch.nonzero(~rows.any(dim=1)).flatten().tolist()
    if not dead:
        return None
    n, unit = len(rows), _unit(layer.kind)
    listed = ", ".join(map(str, dead[:5])) + (" and others" if len(dead) > 5 else "")
    which = f"Numbers {listed}; every weight that leads to them is {_cause(plan, layer, group)}."
    if n - len(dead) < 2 <= n:
        what = f"{layer.name} is nearly empty: one {unit} of {n:,} is left."
    else:
        what = f"{layer.name} has {len(dead):,} dead {unit}{'s' if len(dead) > 1 else ''} of {n:,}."
    return _finding("warn", what, which, plan, layer, group)


def _unit(kind: str) -> str:
    return "output channel" if kind.startswith("Conv") else "output" if kind == "Linear" else "row"


def _rows(model: LoadedModel, layer: LayerInfo, mask: Tensor) -> Tensor:
    """(units, weights of each): what leads to each output. Transposed convolutions keep outputs in dim 1."""
    if not layer.kind.startswith("ConvTranspose") or model.module is None:
        return mask.reshape(len(mask), -1)
    groups = int(getattr(model.module.get_submodule(layer.parameter.rpartition(".")[0]), "groups", 1))
    return (
        mask.reshape(groups, len(mask) // groups, mask.shape[1], -1).transpose(1, 2).reshape(groups * mask.shape[1], -1)
    )


def _cause(plan: Plan, layer: LayerInfo, group: GroupPlan | None) -> str:
    """What made weights of a layer zero: the setting, the file, or both."""
    by = f"pruned by {setting(plan, group)}"
    if layer.parameter not in plan.nonzero:
        return by
    return f"zero already or {by}" if plan.n_pruned_in(layer) else "zero already"


def setting(plan: Plan, group: GroupPlan | None) -> str:
    """The part of the request that decided about a group, in words: "threshold 0.05", "uniform sparsity 90 %"."""
    if plan.of_units is not None:
        return f"{setting(plan.of_units, group)} and the single weights after it"
    if group is None:
        return "units that other layers lost"
    allocation = plan.spec.get("allocation")
    limit = plan.spec.get("limits", {}).get(group.group.name, {})
    if limit.get("floor", 0.0) * group.group.n_units >= group.n_pruned > 0:
        return f"the floor of {percent_asked(limit['floor'])}"
    if not isinstance(allocation, Mapping):
        return "this plan"
    name = group.group.name
    if allocation.get("key") == "threshold":
        return _threshold(allocation, name)
    share = allocation.get("shares", {}).get(name, allocation.get("sparsity"))
    words = f"{allocation.get('key')} sparsity" + (f" {percent_asked(share)}" if share is not None else "")
    shared = group.threshold if allocation.get("key") == "global" and math.isfinite(group.threshold) else None
    return words + (f" (line at {shared:.3g})" if shared else "")


def _threshold(allocation: JsonObject, name: str) -> str:
    own = name in allocation.get("values", {})
    value = allocation["values"][name] if own else allocation.get("value", 0.0)
    unit = {"std": " standard deviations", "percentile": " percentile"}.get(allocation.get("unit", "absolute"), "")
    return f"{'its own' if own else 'the common'} threshold {value:.4g}{unit}"


def _action(plan: Plan, group: GroupPlan | None) -> str:
    if group is None:
        return "Prune less in the layers that feed it."
    key = str((plan.spec.get("allocation") or {}).get("key"))
    move = {"uniform": "Lower the sparsity", "global": "Lower the sparsity", "per_layer": "Lower its share"}
    return f"{move.get(key, 'Move its line to the left')}, or lock {group.group.name} or give it a cap."


def _finding(level: Level, what: str, evidence: str, plan: Plan, layer: LayerInfo, group: GroupPlan | None) -> Finding:
    is_own = layer.parameter in plan.nonzero and not plan.n_pruned_in(layer)
    return Finding(level, what, evidence, _OWN if is_own else _action(plan, group), layer.name)


def _not_a_number(evaluation: Evaluation) -> Finding | None:
    if evaluation.loss is None or math.isfinite(evaluation.loss.value):
        return None
    what = "The pruned model's outputs are not numbers."
    evidence = f"Its loss over {evaluation.n:,} samples is not finite."
    if evaluation.agreement.value == 1.0:
        evidence = f"{evidence} The dense model gives the same answer to each of them."
        return Finding("fail", what, evidence, _OWN)
    return Finding("fail", what, evidence, _LESS)


def _chance(evaluation: Evaluation, n_classes: int | None) -> Finding | None:
    if not n_classes or not evaluation.chooses_classes or evaluation.judged_by == "metric":
        return None
    n_classes = max(2, n_classes)  # one output tells two apart
    chance, reached = 1.0 / n_classes, evaluation.accuracy
    low = reached.low if reached.low is not None else reached.value
    if low > chance:
        return None
    name = "agreement with the dense model" if evaluation.judged_by == "agreement" else "accuracy"
    is_worse = reached.high is not None and reached.high < chance
    verdict = "is below chance" if is_worse else "is no better than chance"
    level: Level = "fail"
    if reached.value > chance:
        level, verdict = "warn", "cannot be told from chance"
    what = f"The {name} {verdict}: guessing among {n_classes} classes does {'better' if is_worse else 'as well'}."
    interval = "" if reached.high is None else f" (95 % interval {between(low, reached.high)})"
    evidence = f"{percent(reached.value)}{interval} against {percent(chance)} by chance, on {evaluation.n:,} samples."
    return Finding(level, what, *_by_whom(evaluation, chance, evidence))


def _by_whom(evaluation: Evaluation, floor: float, evidence: str) -> tuple[str, str]:
    """Evidence and action of an accuracy at a floor: pruning is to blame only where the dense model is above it."""
    dense, n = evaluation.accuracy.value + evaluation.drop.value, evaluation.n
    above = evaluation.judged_by == "agreement" or wilson(round(dense * n), n)[0] > floor
    return (evidence, _LESS) if above else (f"{evidence} So is the dense model's.", _OWN)


def _uneven_share(evaluation: Evaluation, labels: Tensor | None) -> tuple[int, float] | None:
    """The most frequent class of the samples looked at and its share; None where all classes are as frequent."""
    if labels is None or evaluation.judged_by != "labels":
        return None
    classes, counts = torch.unique(labels[: evaluation.n], return_counts=True)
    if len(counts) == 0 or int(counts.max()) == int(counts.min()):
        return None
    top = int(counts.argmax())
    return int(classes[top]), float(counts[top]) / float(counts.sum())


def _most_frequent(evaluation: Evaluation, labels: Tensor | None) -> Finding | None:
    uneven, reached = _uneven_share(evaluation, labels), evaluation.accuracy
    if uneven is None or (reached.value if reached.low is None else reached.low) > uneven[1]:
        return None
    class_, share = uneven
    level: Level = "fail" if reached.value <= share else "warn"
    verdict = "is no better than" if level == "fail" else "cannot be told from"
    balanced = evaluation.metrics.get("balanced_accuracy")
    beside = "" if balanced is None else f"; balanced accuracy is {percent(balanced.value)}"
    evidence = f"{percent(reached.value)} against {percent(share)} by always answering class {class_}{beside}."
    what = f"The accuracy {verdict} always answering the most frequent class."
    return Finding(level, what, *_by_whom(evaluation, share, evidence))


def _hardest_hit(plan: Plan) -> tuple[str | None, str]:
    pruned = [group for group in plan.groups if group.n_pruned]
    if not pruned:
        return None, ""
    worst = max(pruned, key=lambda group: group.sparsity)
    return worst.group.name, f"{percent(worst.sparsity)} went by {setting(plan, worst)}"


def _blamed(finding: Finding, layer: str | None, by: str) -> Finding:
    if layer is None or finding.action != _LESS:
        return finding
    evidence = f"{finding.evidence} {layer} lost the largest share: {by}."
    return Finding(finding.level, finding.what, evidence, f"Prune less, first of all in {layer}.", layer)


def _not_by_pruning(finding: Finding) -> Finding:
    """The same of a plan that prunes nothing, such as that of a smaller dense network trained as a control."""
    action = _OWN if finding.action.startswith("Prune less") else finding.action
    return replace(finding, what=finding.what.replace("The pruned model", "The model"), action=action)
