"""Findings about what pruning did to the answers: accuracy beyond the budget, collapsed, or measured on too little."""

from __future__ import annotations

import torch
from torch import Tensor

from explorer.metrics.base import JUDGED_NAMES
from explorer.text.delta import delta_with_ends, direction, named
from explorer.text.numbers import percent, points_spelled
from explorer.types import Evaluation, Finding

BUDGET = 0.01
"""The drop (a fraction) that is allowed where nothing else is asked."""
_COLLAPSED = 0.5  # of the dense accuracy is lost
_ONE_SIDED, _MOSTLY, _MORE_OFTEN = 0.95, 0.5, 2.0


def lost(evaluation: Evaluation, budget: float = BUDGET) -> Finding | None:
    """Accuracy that fell by more than ``budget`` (a fraction), as far as its interval tells; worst: it collapsed."""
    drop = evaluation.drop
    if evaluation.judged_by not in ("labels", "tokens") or drop.value <= budget or direction(drop) != "worse":
        return None
    name, dense = JUDGED_NAMES[evaluation.judged_by], evaluation.accuracy.value + drop.value
    evidence = f"{named(name)} {delta_with_ends(drop)}, {drop.origin} on {evaluation.n:,} samples."
    if drop.value >= _COLLAPSED * dense:
        what = (
            f"The {name} collapsed: {percent(evaluation.accuracy.value)}, where the dense model has {percent(dense)}."
        )
        return Finding("fail", what, evidence, "Prune less.")
    certain = "is" if drop.low is None or drop.low > budget else "may be"
    what = f"The {name} {certain} beyond the budget: more than {points_spelled(budget)} below the dense model."
    return Finding("warn", what, evidence, "Prune less, or train the pruned network on Recover.")


def one_sided(evaluation: Evaluation) -> Finding | None:
    """Answers that are one class, nearly or mostly, where the dense model's are not."""
    if not evaluation.chooses_classes:
        return None
    class_, share = _most_common(evaluation.predictions)
    dense_class, dense_share = _most_common(evaluation.dense_predictions)
    is_mostly = share >= max(_MOSTLY, _MORE_OFTEN * dense_share)
    if not is_mostly and (share < _ONE_SIDED or dense_share >= share):
        return None
    answered, before = _n_classes(evaluation.predictions), _n_classes(evaluation.dense_predictions)
    evidence = (
        f"{round(share * evaluation.n):,} of {evaluation.n:,} samples, {answered} of {before} classes are still "
        f"answered; the dense model's commonest class, {dense_class}, has {percent(dense_share)}."
    )
    if share == 1.0:
        what = f"The pruned model answers class {class_} whatever it sees: its output is constant."
        return Finding("fail", what, evidence, "Prune less.")
    often = "nearly always" if share >= _ONE_SIDED else "mostly"
    return Finding("warn", f"The pruned model {often} answers class {class_}.", evidence, "Prune less.")


def little_excited(evaluation: Evaluation, n_classes: int | None) -> Finding | None:
    """Agreement on inputs that make the dense model answer with few of its classes: there is little to disagree on."""
    if evaluation.judged_by != "agreement" or not evaluation.chooses_classes or not n_classes:
        return None
    n = classes_answered(evaluation)
    if n >= max(2, n_classes):
        return None
    return Finding(
        "warn",
        f"These inputs make the dense model answer only {n} of {n_classes} classes: agreement on them says little.",
        "Agreement counts equal answers. It is no accuracy, and it can rise while the model gets worse.",
        "Give real data to evaluate on.",
    )


def classes_answered(evaluation: Evaluation) -> int:
    """How many different classes the dense model answers on the samples looked at."""
    return _n_classes(evaluation.dense_predictions)


def _n_classes(predictions: Tensor) -> int:
    return len(torch.unique(predictions))


def _most_common(predictions: Tensor) -> tuple[int, float]:
    classes, counts = torch.unique(predictions, return_counts=True)
    top = int(counts.argmax())
    return int(classes[top]), float(counts[top]) / max(1, predictions.numel())
