"""What a comparison is about, and so how far its claims reach."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from explorer.analysis.parent import looks_at_test
from explorer.data.given import split_of
from explorer.errors import ExplorerError
from explorer.pruning.classifier import classifier_of
from explorer.text.names import model_name
from explorer.types import Dataset, LoadedModel


@dataclass(frozen=True)
class Subject:
    """The model and the data by name, ``n`` samples of the tune split, and what is known of looks at the test split."""

    model: str
    data: str
    n: int
    is_labelled: bool
    classifier: str | None
    looks: str

    @classmethod
    def of(cls, model: LoadedModel, data: Dataset, folder: Path | str | None = None) -> Self:
        """What there is to say of both; looks are counted in ``folder``, else in the user's data folder."""
        tune = split_of(data, "tune")
        return cls(
            model=model_name(model.address),
            data=model_name(data.address),
            n=len(tune),
            is_labelled=tune.y is not None,
            classifier=classifier_of(model),
            looks=_looks(model, data, folder),
        )

    def data_in_words(self) -> str:
        """ "On digits-cnn, 450 tune samples of digits, and on no other model or data."."""
        samples = f"tune samples of {self.data}" if self.is_labelled else "generated inputs"
        return f"On {self.model}, {self.n:,} {samples}, and on no other model or data."


def _looks(model: LoadedModel, data: Dataset, folder: Path | str | None) -> str:
    if "test" not in data.splits:
        return "There is no test split."
    try:
        n = looks_at_test(model, data, folder)
    except ExplorerError:
        logging.getLogger(__name__).exception("the count of looks at the test split could not be read")
        return "How often the test split was looked at cannot be read."
    times = "once" if n == 1 else f"{n:,} times"
    return f"The locked test split was looked at {times} so far; a comparison never looks at it."
