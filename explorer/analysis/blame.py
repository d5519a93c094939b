"""Which threshold is to blame for what one class lost: each pruned layer restored in turn, and measured."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import torch
from torch import Tensor

from explorer.analysis.check.result import Check
from explorer.analysis.check.statistics import paired_score
from explorer.analysis.report import finite
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError
from explorer.metrics.origin import machine, today
from explorer.pruning.layers import layer_table
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.plan import restored
from explorer.pruning.spec import PruneSpec
from explorer.text.names import listed
from explorer.types import Dataset, LoadedModel, Measurement, Plan, Scores, Split
from explorer.types.aliases import JsonDict
from explorer.types.brief import Brief
from explorer.types.inputs import taken

MOST_LAYERS = 60
"""So many layers are restored at most, those first that lost most weights: the cost is one pass each."""


@dataclass(frozen=True)
class LayerBlame:
    """One layer (or coupled group) with its weights given back, all others as they are.

    ``n_weights`` came back; ``right`` of the class's samples are right then. ``gain``: the share of them that comes
    back, with the paired 95 % score interval; positive helps.
    """

    group: str
    n_weights: int
    right: int
    gain: Measurement


@dataclass(frozen=True, repr=False)
class Blame(Brief):
    """What restoring each pruned layer alone gives back to one class, the most first.

    Of its ``n`` samples the dense model has ``right_before`` right and the candidate ``right_after``. ``n_left_out``
    layers that lost the fewest weights were not tried.
    """

    class_index: int
    class_name: str
    n: int
    right_before: int
    right_after: int
    layers: tuple[LayerBlame, ...]
    n_left_out: int = 0
    seconds: float = field(default=0.0, compare=False)

    @property
    def worst(self) -> LayerBlame | None:
        """The layer whose weights give most back; None where none gives anything back."""
        return self.layers[0] if self.layers and self.layers[0].gain.value > 0 else None

    def to_json(self) -> JsonDict:
        """One JSON-able object."""
        return dict(finite({**asdict(self), "worst": None if self.worst is None else self.worst.group}))

    def _in_brief(self) -> JsonDict:
        worst = None if self.worst is None else self.worst.group
        return {"class_name": self.class_name, "worst": worst, "n": self.n}


@dataclass(frozen=True, eq=False)
class Restoring:
    """How the layers of a candidate are given back, one at a time: ``model`` under each of the ``plans``, by layer,
    with how many weights that restores; ``start`` is the candidate itself."""

    model: LoadedModel
    start: Plan | None
    plans: Mapping[str, tuple[int, Plan]]
    n_left_out: int = 0


def of_request(dense: LoadedModel, spec: PruneSpec, scores: Scores, data: Dataset) -> Restoring:
    """Of what a request leaves of the dense model: group by group, as its thresholds cut."""
    plan = make_plan(dense, spec, scores, data)
    names = [each.group.name for each in sorted(plan.groups, key=lambda each: -each.n_pruned) if each.n_pruned]
    total = _n_cut(plan.masks)
    plans = {}
    for name in names[:MOST_LAYERS]:
        without = restored(dense, plan, scores, name)
        plans[name] = (total - _n_cut(without.masks), without)
    return Restoring(dense, plan, plans, max(0, len(names) - MOST_LAYERS))


def of_file(dense: LoadedModel, candidate: LoadedModel) -> Restoring:
    """Of any candidate whose weights have the dense model's shapes: layer by layer, with the dense model's weights."""
    empty, changed = make_plan(candidate, PruneSpec()), dict[str, tuple[str, int]]()
    for layer in layer_table(dense).prunable:
        one, other = dense.weights[layer.parameter], candidate.weights.get(layer.parameter)
        if other is None or other.shape != one.shape:
            what = f"The weights of {layer.name} are not in both models in the same shape."
            raise ExplorerError(what, fix="Blame the request that made the candidate, not its smaller file.")
        n = int((one != other.to(one.device)).sum())
        if n:
            changed[layer.name] = (layer.parameter, n)
    names = sorted(changed, key=lambda name: -changed[name][1])
    plans = {}
    for name in names[:MOST_LAYERS]:
        parameter, n = changed[name]
        weights = dense.weights[parameter]
        masks, updates = {parameter: torch.ones_like(weights, dtype=torch.bool)}, {parameter: weights}
        plans[name] = (n, _with(empty, masks, updates, f"{candidate.digest} with {name}"))
    return Restoring(candidate, None, plans, max(0, len(names) - MOST_LAYERS))


def _with(plan: Plan, masks: Mapping[str, Tensor], updates: Mapping[str, Tensor], digest: str) -> Plan:
    return Plan(plan.spec, plan.groups, masks, plan.layers, 0.0, digest, updates=updates)


def _n_cut(masks: Mapping[str, Tensor]) -> int:
    return sum(int(mask.numel() - mask.sum()) for mask in masks.values())


def blamed(
    dense: LoadedModel, restoring: Restoring, split: Split, of_class: int, names: Sequence[str], device: str = "cpu"
) -> Iterator[LayerBlame | Blame]:
    """Each layer as it is measured, and last the whole, on the samples of the class alone."""
    begin, part = time.perf_counter(), _of_class(split, of_class)
    evaluator = Evaluator(restoring.model, part, device=device)
    after = _right(evaluator.final(restoring.start).predictions, of_class)
    before = _right(Evaluator(dense, part, device=device).dense().predictions, of_class)
    layers = []
    for name, (n_weights, plan) in restoring.plans.items():
        right = _right(evaluator.final(plan).predictions, of_class)
        layers.append(LayerBlame(name, n_weights, int(right.sum()), _gain(after, right, device)))
        yield layers[-1]
    name = names[of_class] if of_class < len(names) else str(of_class)
    ranked = tuple(sorted(layers, key=lambda each: -each.gain.value))
    counts = (len(part), int(before.sum()), int(after.sum()))
    yield Blame(of_class, name, *counts, ranked, restoring.n_left_out, time.perf_counter() - begin)


def _of_class(split: Split, of_class: int) -> Split:
    if split.y is None or split.y.dim() != 1 or split.y.is_floating_point():
        raise ExplorerError("No class can be looked at alone.", why="The data does not give each sample one class.")
    which = torch.nonzero(split.y == of_class)[:, 0]
    if not len(which):
        raise ExplorerError("This class has no sample here.", fix="Choose another class or split.")
    return Split(split.name, taken(split.x, which), split.y[which])


def _right(predictions: Tensor, of_class: int) -> Tensor:
    if predictions.dim() != 1 or predictions.is_floating_point():
        raise ExplorerError("The model does not choose one class.", fix="Blame is for models that choose a class.")
    return predictions == of_class


def _gain(after: Tensor, right: Tensor, device: str) -> Measurement:
    back, gone, n = int((right & ~after).sum()), int((after & ~right).sum()), len(after)
    ends = paired_score(back, gone, n)
    return Measurement(
        "gain", (back - gone) / n, "fraction", "measured", *ends, n, machine=machine(device), date=today()
    )


def hurt_classes(check: Check) -> tuple[str, ...]:
    """The classes that lose, by a check of every class, the one that loses most first."""
    rows = [row for each in check.outcomes if each.key == "classes" for row in each.rows]
    losing = [row for row in rows if row["drop"] > 0]
    return tuple(str(row["name"]) for row in sorted(losing, key=lambda row: -row["drop"]))


def class_index(names: Sequence[str], asked: str, n_classes: int) -> int:
    """The class of that name, or of that number. Raises ExplorerError for what is none."""
    if asked in names:
        return list(names).index(asked)
    if asked.isdecimal() and int(asked) < n_classes:
        return int(asked)
    raise ExplorerError(f"There is no class {asked!r}.", fix=f"The classes: {listed(list(names), 20)}.")
