"""What the checks look at: both models, the samples, and what was measured of them once for all."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from torch import Tensor

from explorer.analysis.check.answers import AnswerPair, answered, task
from explorer.engine.evaluator import Evaluator
from explorer.errors import Refusal
from explorer.metrics.interval import Interval
from explorer.metrics.origin import machine, today
from explorer.models.sample import FOLDER
from explorer.pruning.running import runnable
from explorer.recovery.state import measured_module
from explorer.types import Dataset, Evaluation, LoadedModel, Measurement, Origin, Plan, Split, Task

_CHUNK = 1 << 20


@dataclass(eq=False)
class CheckEvidence:
    """A candidate and the dense model that it would replace, on the same samples of ``split``.

    ``plan``: what was pruned from the dense model, where the candidate was made so here. ``times``: pairs of passes to
    time; 0 measures no time. ``slices`` are columns beside the samples, one value each, by name.
    """

    dense: LoadedModel
    candidate: LoadedModel
    dataset: Dataset
    split: Split
    plan: Plan | None = None
    times: int = 0
    seed: int = 0
    device: str = "cpu"
    slices: Mapping[str, tuple[object, ...]] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """How many samples there are."""
        return len(self.split)

    @property
    def labels(self) -> Tensor | None:
        """What is right; None without labels."""
        return self.split.y

    @cached_property
    def task(self) -> Task:
        """What the dense model answers with."""
        return self.split.task or task(self.dense, self.split.x, self.labels)

    @property
    def why_no_classes(self) -> str | None:
        """Why there is no choice among classes to look at; None where there is."""
        names = {"labels": "several labels", "numbers": "numbers", "tokens": "tokens"}
        names |= {"mask": "a class for each place", "embedding": "a vector"}
        return None if self.task == "classes" else f"The model answers with {names[self.task]}, not with one class."

    @property
    def why_not_right(self) -> Refusal | None:
        """Why nothing says which class is right; None where labels do."""
        reason = self.why_no_classes or ("The data has no labels." if self.labels is None else "")
        return Refusal(reason) if reason else None

    @cached_property
    def pair(self) -> AnswerPair:
        """Both models' answers to the samples, where they choose among classes."""
        return answered(self.dense, self.candidate, self.split.x, self.labels)

    @cached_property
    def evaluator(self) -> Evaluator:
        """What measures against the dense model, whose answers it knows."""
        return Evaluator(self.dense, self.split, device=self.device)

    @cached_property
    def evaluation(self) -> Evaluation:
        """The candidate against the dense model as everywhere in the explorer, whatever the task is."""
        return measured_module(runnable(self.candidate), self.evaluator)

    def measured(
        self, name: str, value: float, unit: str, ends: Interval | None = None, *, n: int | None = None
    ) -> Measurement:
        """A number measured on the samples here and today."""
        low, high = (None, None) if ends is None else ends
        count = self.n if n is None else n
        return Measurement(name, value, unit, "measured", low, high, count, machine=machine(self.device), date=today())

    @staticmethod
    def counted(name: str, value: float, unit: str, origin: Origin = "counted") -> Measurement:
        """A number that was counted, with no doubt about it."""
        return Measurement(name, value, unit, origin)


def file_of(model: LoadedModel) -> Path | None:
    """The file that a model was read from, where it is one that is still there."""
    if model.meta.get("source") in ("request", "run"):
        return None
    if model.meta.get("source") == "sample":
        path = FOLDER / f"{model.address}.safetensors"
    elif isinstance(model.meta.get("path"), str):
        path = Path(str(model.meta["path"]))
    else:
        return None
    return path if path.is_file() else None


def file_digest(path: Path) -> str:
    """The sha256 of a file's bytes."""
    total = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            total.update(piece)
    return total.hexdigest()
