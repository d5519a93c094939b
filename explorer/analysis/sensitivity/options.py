"""What a scan takes beside the model, the data and the setting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from explorer.analysis.sensitivity.cell import LEVELS, Keep, Mode
from explorer.engine.backends.base import Backend
from explorer.engine.evaluator import Evaluator
from explorer.metrics.own import Given
from explorer.types import Scores, SplitName


@dataclass(frozen=True, eq=False)
class ScanOptions:
    """The options of a scan with their defaults; :func:`explorer.scan` says what each is."""

    levels: Sequence[float] = LEVELS
    layers: Sequence[str] | None = None
    mode: Mode = "exact"
    split: SplitName = "tune"
    max_drop: float | None = None
    n_samples: int | None = None
    keep: Keep | None = None
    evaluator: Evaluator | None = None
    metric: Given | None = None
    device: str = "cpu"
    seed: int = 0
    scores: Scores | None = None
    progress: bool | None = None
    backend: Backend | str | None = None


class ScanKeywords(TypedDict, total=False):
    """The same as keywords of a call, for type checkers."""

    levels: Sequence[float]
    layers: Sequence[str] | None
    mode: Mode
    split: SplitName
    max_drop: float | None
    n_samples: int | None
    keep: Keep | None
    evaluator: Evaluator | None
    metric: Given | None
    device: str
    seed: int
    scores: Scores | None
    progress: bool | None
    backend: Backend | str | None
