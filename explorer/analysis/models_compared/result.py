"""What a comparison of models came to, as one frozen value that every face shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import torch
from torch import Tensor

from explorer.analysis.check.answers import AnswerPair
from explorer.analysis.check.parts import PartOfSamples
from explorer.analysis.check.result import Identity
from explorer.analysis.models_compared.changed import ChangedSample, changed_samples
from explorer.analysis.models_compared.layers import LayerDifference, parts_at
from explorer.analysis.models_compared.lineage_map import LineageNode
from explorer.analysis.models_compared.weights import WeightSets
from explorer.analysis.report import finite
from explorer.metrics.per_class import ClassCount, class_counts
from explorer.types import Measurement
from explorer.types.aliases import JsonDict
from explorer.types.brief import Brief

MOST_CLASSES = 100
"""Of more classes JSON holds no confusion matrix: it would have a million numbers for a thousand."""


@dataclass(frozen=True)
class Difference:
    """A model against the first one, on the same samples.

    ``drop``: what the first is better by (positive = worse), with the paired interval that a check has. ``changed``:
    the share of other answers, of which ``lost`` were right before, ``won`` are right now and ``other`` are neither;
    ``p`` is McNemar's, exact. ``loss``: how much higher the loss is, with a paired interval. ``time``: time over the
    first one's. ``weights`` and ``layers``: what of the weights both hold, and how far the outputs of each layer lie
    apart. None where there is no such number.
    """

    drop: Measurement | None
    changed: Measurement | None = None
    lost: int | None = None
    won: int | None = None
    other: int | None = None
    p: float | None = None
    loss: Measurement | None = None
    time: Measurement | None = None
    weights: tuple[WeightSets, ...] = ()
    layers: tuple[LayerDifference, ...] = ()

    @property
    def parts_at(self) -> str | None:
        """The first layer whose output is another; None where none is."""
        return parts_at(self.layers)


@dataclass(frozen=True)
class ComparedModel:
    """One of the models: ``score`` is what it is evaluated by (accuracy), ``loss`` the mean loss of a sample (NLL).

    ``sparsity`` counts the prunable weights that are zero, ``size`` the bytes of the very file (of what a request
    leaves: of the file that export writes), ``macs`` the multiplications whose weight is not zero. Where no prunable
    weight is seen, ``sparsity`` and ``macs`` are None. ``against`` is None for the first.
    """

    name: str
    identity: Identity
    score: Measurement
    sparsity: Measurement | None
    size: Measurement
    loss: Measurement | None = None
    macs: Measurement | None = None
    against: Difference | None = None


@dataclass(frozen=True, eq=False, repr=False)
class ModelsCompared(Brief):
    """Two to eight models on the same samples, each against the first.

    ``pairs`` hold both models' answers to every sample, for each model but the first; empty where they do not choose
    among classes. ``classes`` are their names. ``command`` is the one line that does the same again.

        >>> import explorer as ex
        >>> compared = ex.compare_models(["digits-mlp", ex.PruneSpec(allocation="global:sparsity=0.5")])
        >>> compared.confusion(1).sum().item() == compared.n
        True
    """

    models: tuple[ComparedModel, ...]
    pairs: tuple[AnswerPair, ...]
    classes: tuple[str, ...]
    lineage: tuple[LineageNode, ...]
    data: JsonDict
    split: str
    n: int
    seed: int
    command: str
    machine: str
    date: str
    versions: Mapping[str, str]
    looks_at_test: int | None = None
    seconds: float = field(default=0.0)

    @property
    def names(self) -> tuple[str, ...]:
        """What the models are called, in order; no two alike."""
        return tuple(model.name for model in self.models)

    @property
    def labels(self) -> Tensor | None:
        """(n,) what is right; None without labels or classes."""
        return self.pairs[0].labels if self.pairs else None

    def choices(self, model: int) -> Tensor:
        """(n,) what a model, by its place, chooses."""
        return self.pairs[0].dense.choice if model == 0 else self.pairs[model - 1].candidate.choice

    def per_class(self, model: int) -> tuple[ClassCount, ...]:
        """How many samples of each class a model has right; empty without labels."""
        labels = self.labels
        return () if labels is None else class_counts(self.choices(model), labels, self.pairs[0].n_classes)

    def drops(self, model: int) -> tuple[PartOfSamples, ...]:
        """The paired drop of every class that has samples, of a model against the first; as in a check."""
        labels = self.labels
        if labels is None or model == 0:
            return ()
        present = torch.unique(labels).tolist()  # type: ignore[no-untyped-call]
        return tuple(PartOfSamples.of(self.class_name(c), self.pairs[model - 1], labels == c) for c in present)

    def confusion(self, model: int) -> Tensor:
        """(classes, classes) int64: how often a sample of the row's class was answered with the column's."""
        labels = self.labels
        if labels is None:
            raise ValueError("without labels nothing can be confused")
        n = self.pairs[0].n_classes
        return torch.bincount(labels * n + self.choices(model), minlength=n * n).view(n, n)

    def changed(self, model: int) -> tuple[ChangedSample, ...]:
        """Every sample that a model answers otherwise than the first, the largest change of probability first."""
        return changed_samples(self.pairs[model - 1]) if model and self.pairs else ()

    def class_name(self, index: int) -> str:
        """What a class is called."""
        return self.classes[index] if 0 <= index < len(self.classes) else str(index)

    def __str__(self) -> str:
        return f"{len(self.models)} models on {self.data['address']}: {', '.join(self.names)}"

    def to_json(self) -> JsonDict:
        """One JSON-able object; numbers that are not finite become None."""
        return dict(
            finite(
                {
                    "models": [self._model_json(i) for i in range(len(self.models))],
                    "lineage": self._lineage_json(),
                    "data": dict(self.data),
                    "split": self.split,
                    "n": self.n,
                    "looks_at_test": self.looks_at_test,
                    "classes": list(self.classes),
                    "seed": self.seed,
                    "command": self.command,
                    "machine": self.machine,
                    "date": self.date,
                    "versions": dict(self.versions),
                    "seconds": round(self.seconds, 3),
                }
            )
        )

    def _model_json(self, i: int) -> JsonDict:
        model = self.models[i]
        document: JsonDict = asdict(model)
        if model.against is not None:
            document["against"]["parts_at"] = model.against.parts_at
            document["against"]["samples"] = _columns(self.changed(i))
            document["against"]["classes"] = [_drop_json(part) for part in self.drops(i)]
        if self.labels is not None:
            document["per_class"] = [{"name": self.class_name(c.index), **c.to_json()} for c in self.per_class(i)]
            is_small = self.pairs[0].n_classes <= MOST_CLASSES
            document["confusion"] = self.confusion(i).tolist() if is_small else None
        return document

    def _lineage_json(self) -> list[JsonDict]:
        place = {node.key: i for i, node in enumerate(self.lineage)}
        return [
            {"kind": n.kind, "title": n.title, "models": list(n.models), "parent": place.get(n.parent or "")}
            for n in self.lineage
        ]

    def _in_brief(self) -> JsonDict:
        return {"models": self.names, "data": self.data["address"], "n": self.n}


def _columns(samples: tuple[ChangedSample, ...]) -> JsonDict:
    """All of them in a form that stays small: a list for each part."""
    names = ("index", "label", "before", "after", "p_before", "p_after", "direction")
    return {name: [getattr(sample, name) for sample in samples] for name in names}


def _drop_json(part: PartOfSamples) -> JsonDict:
    low, high = part.interval
    counts = {"n": part.n, "right": part.right, "lost": part.lost, "won": part.won}
    return {"name": part.name, "drop": part.drop, "low": low, "high": high, **counts}
