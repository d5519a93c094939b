"""The four facts of a setting, each with its origin: what every face says of it, in the same words."""

from __future__ import annotations

from dataclasses import dataclass, replace

from explorer.analysis.accuracy_findings import classes_answered
from explorer.errors import Refusal
from explorer.export.sizes import file_sizes
from explorer.metrics.base import evaluated_by
from explorer.text.delta import DELTA, NOTHING_REMOVED, delta_ends, delta_text, direction, named
from explorer.text.numbers import bytes_text, interval, level, percent
from explorer.types import Dataset, Evaluation, LoadedModel, Plan

ACCURACY, AGREEMENT = "Accuracy", "Agreement with dense"
REMOVED, ZERO = "Weights removed", "Zero weights"
NO_DATA = Refusal("There is no data to evaluate the model on.")
NAMES = {
    **{"labels": ACCURACY, "agreement": AGREEMENT, "tokens": "Accuracy of tokens", "numbers": "R2"},
    **{"several": "Accuracy of labels"},
}
_FILES = {"bitmask": "as bitmask", "csr": "as CSR", "removed": "units removed", "n_of_m": "packed n:m"}


@dataclass(frozen=True)
class Fact:
    """One cell: a name, its origin, a value and what stands beside it. Plain text: the face escapes it."""

    name: str
    origin: str
    value: str
    note: str
    tone: str = ""
    progress: float | None = None


def why_not(model: LoadedModel, dataset: Dataset | None) -> Refusal | None:
    """Why nothing can be measured; None when it can."""
    if model.module is None:
        return Refusal(model.why_not_runnable or "The model cannot be run.")
    if dataset is None:
        return NO_DATA
    if "tune" in dataset.splits:
        return None
    return Refusal(dataset.why_no_split.get("tune") or f"{dataset.address} has no tune split.")


def judged(evaluation: Evaluation | None, why_not: str | None, *, stale: bool) -> list[Fact]:
    """Accuracy and its change, as far as they are known; dimmed while they are of an older line."""
    if why_not is not None:
        return [Fact(ACCURACY, "", "not available", why_not), Fact(DELTA, "", "–", "")]
    if evaluation is None:
        return [Fact(ACCURACY, "", "…", "measuring", progress=0.0), Fact(DELTA, "", "…", "")]
    facts = [_level(evaluation), _change(evaluation)]
    if stale:
        return [replace(fact, origin="", note="measuring …", tone="stale", progress=None) for fact in facts]
    return facts


def _level(evaluation: Evaluation) -> Fact:
    so_far = "" if evaluation.complete else f" · {evaluation.n:,} of {evaluation.total:,}"
    return Fact(
        _name(evaluation),
        evaluation.accuracy.origin,
        level(evaluation.accuracy),
        f"{interval(evaluation.accuracy).removesuffix('%')}{so_far}",
        progress=None if evaluation.complete else evaluation.n / evaluation.total,
    )


def _name(evaluation: Evaluation) -> str:
    if evaluation.judged_by != "metric":
        return NAMES[evaluation.judged_by]
    name = evaluated_by(evaluation.judged_by, evaluation.accuracy)
    return name[0].upper() + name[1:]


def _on_noise(fact: Fact, evaluation: Evaluation, n_classes: int | None) -> Fact:
    """Agreement on generated inputs does not look like a measurement of the model: it says how little it rests on."""
    n = f"{classes_answered(evaluation)} of {n_classes}" if n_classes and evaluation.chooses_classes else "few"
    note = f"on noise, which excites {n} classes: no accuracy"
    return replace(fact, origin="generated inputs", note=fact.note if fact.tone == "stale" else note, tone="unsure")


def _change(evaluation: Evaluation) -> Fact:
    drop = evaluation.drop
    if evaluation.judged_by == "agreement":
        return Fact(ACCURACY, "", "–", "no labels, generated inputs")
    judged_by = evaluated_by(evaluation.judged_by, evaluation.accuracy)
    name = DELTA if evaluation.judged_by == "labels" else named(judged_by)
    origin = "" if drop.note == NOTHING_REMOVED else drop.origin
    return Fact(name, origin, delta_text(drop), delta_ends(drop).removesuffix(" pt"), direction(drop))


def counted(plan: Plan, best: tuple[str, int], dense: int) -> list[Fact]:
    """What goes, and the file one would get: never the dense format pretending to shrink."""
    kind, n_bytes = best
    name = ZERO if plan.n_already_zero else REMOVED
    removed = Fact(name, "counted", percent(plan.sparsity), _how_many(plan))
    note = "dense file" if kind == "dense_file" else f"{_FILES.get(kind, kind)} · dense stays {bytes_text(dense)}"
    return [removed, Fact("File you would get", "counted", bytes_text(n_bytes), note)]


def _how_many(plan: Plan) -> str:
    """Weights out of weights; under whole units, units out of units too."""
    weights = f"{plan.n_pruned:,} of {plan.layers.n_prunable:,}"
    before = f"{plan.n_already_zero:,} already zero · " if plan.n_already_zero else ""
    if plan.unit == "weight":
        if plan.n_already_zero:
            weights = f"{before}{plan.n_pruned:,} pruned here" if plan.n_pruned else f"{before}none pruned here"
        as_asked = percent(plan.asked) == percent(plan.pruned_share)
        return weights + ("" if as_asked else f" · asked {percent(plan.asked)}")
    n_pruned, n_all = plan.units
    asked = "" if percent(plan.asked) == percent(n_pruned / max(1, n_all)) else f" (asked {percent(plan.asked)})"
    return f"{before}{n_pruned:,} of {n_all:,} {plan.unit}s{asked} · {plan.n_pruned:,} weights"


def facts(
    model: LoadedModel,
    plan: Plan,
    evaluation: Evaluation | None,
    why_not: str | None,
    dataset: Dataset | None = None,
    *,
    stale: bool = False,
) -> list[Fact]:
    """The four facts of a setting: two measured, two counted. ``stale``: the evaluation is of an older setting."""
    n_bytes = {kind: int(m.value) for kind, m in file_sizes(model, plan).items()}
    best = min(n_bytes, key=lambda kind: n_bytes[kind])
    why = "weights only" if model.why_not_runnable else why_not  # the header says why
    measured = judged(evaluation, why, stale=stale)
    if dataset is not None and "generated" in dataset.meta and evaluation is not None and why is None:
        measured[0] = _on_noise(measured[0], evaluation, model.n_classes)
    return [*measured, *counted(plan, (best, n_bytes[best]), n_bytes["dense_file"])]
