"""Two models on the same pictures as a worse camera gives them: one kind of corruption, one severity."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from explorer.analysis.check.answers import AnswerPair, answered
from explorer.analysis.corrupting import FOR_SMALL, corrupted, inputs_from, pictures_in
from explorer.types import Dataset, LoadedModel, Split
from explorer.types.inputs import one_tensor

KINDS = tuple(FOR_SMALL)
FEW = 64
"""So many pictures both models answer while a hand is on a slider."""


@dataclass(frozen=True, eq=False)
class WorsePictures:
    """The first pictures of a split under ``kind`` at ``severity`` (0: as they are) and both models' answers to them.

    ``x`` (n, channels, height, width) is what the models were given.
    """

    kind: str
    severity: int
    x: Tensor
    pair: AnswerPair

    @property
    def n_right(self) -> tuple[int, int] | None:
        """How many each has right; None without labels."""
        if self.pair.labels is None:
            return None
        first, other = (int(self.pair.right(side).sum()) for side in (self.pair.dense, self.pair.candidate))
        return first, other


def why_no_pictures(dataset: Dataset, split: Split) -> str:
    """Why the samples cannot be made worse; empty where they can."""
    if not dataset.images:
        return "The samples are no pictures."
    if pictures_in(split.x[:1], dataset.meta) is None:
        return "Where black and white are is not known of these pictures."
    return ""


def worse_pictures(
    models: tuple[LoadedModel, LoadedModel], dataset: Dataset, split: Split, kind: str, severity: int
) -> WorsePictures:
    """The first :data:`FEW` of the split, corrupted as a check does; the same noise every time."""
    x = one_tensor(split.x[:FEW], "A picture")
    if severity:
        pictures = pictures_in(x, dataset.meta)
        if pictures is None:
            raise ValueError(why_no_pictures(dataset, split))
        x = inputs_from(corrupted(pictures, kind, severity, 0), x, dataset.meta)
    labels = None if split.y is None else split.y[:FEW]
    return WorsePictures(kind, severity, x, answered(*models, x, labels))
