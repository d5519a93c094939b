"""Scikit-learn's handwritten digits: 1,797 real pictures of 8 x 8 pixels, no download."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from explorer.data.request import DataRequest, normalise, refuse_task
from explorer.data.splitting import counts, divide, tensors
from explorer.errors import ExplorerError
from explorer.types import Dataset, Split, tensors_digest

# Fixed for ever: the bundled models were trained on this fit split, so a sample must never move
# from one split to another, whatever seed is asked for.
SPLIT_SEED = 20160808
SHARES = (0.5, 0.25, 0.25)
MEAN, STD = (0.3053,), (0.3761,)


@dataclass(frozen=True)
class Digits:
    """fit 897, tune 450 and test 450 pictures, stratified; pixels 0 to 1, then normalised.

    Source: Alpaydin & Kaynak 1998, UCI Optical Recognition of Handwritten Digits (CC BY 4.0).
    """

    key: ClassVar[str] = "digits"
    form: ClassVar[str] = "digits"

    def load(self, request: DataRequest) -> Dataset:
        """x: (n, 1, 8, 8) float32, y: (n,) int64 digits 0 to 9."""
        refuse_task(request, but="classes", what="Each picture is of one digit.")
        self._refuse_options(request)
        from sklearn.datasets import load_digits  # takes a second, and only this source needs it

        raw = load_digits()
        y = torch.from_numpy(raw.target).long()
        x = normalise(torch.from_numpy(raw.images).float()[:, None] / 16, MEAN, STD)
        parts = divide(y, len(y), SHARES, SPLIT_SEED)
        splits = {str(name): Split(name, x[i], y[i]) for name, i in parts.items()}
        return Dataset(
            address=request.address,
            splits=splits,
            classes=tuple(str(digit) for digit in range(10)),
            digest=tensors_digest(tensors(splits)),
            meta={
                "size": 8,
                "mean": list(MEAN),
                "std": list(STD),
                "splits": list(SHARES),
                "seed": SPLIT_SEED,
                "n": counts(splits),
                "licence": "CC BY 4.0",
            },
            images=True,
        )

    def _refuse_options(self, request: DataRequest) -> None:
        if request.place:
            raise ExplorerError(f"{request.address!r} is not an address of data.", fix="Write digits, without a colon.")
        asked = {"size": request.size, "mean": request.mean, "std": request.std, "splits": request.splits}
        named = [name for name, value in asked.items() if value is not None and not self._is_own(name, value)]
        if named:
            raise ExplorerError(
                f"The digits take no {named[0]}.",
                why="Their size, normalisation and splits are fixed, so that the bundled models stay comparable.",
                fix=f"Leave {named[0]} out.",
            )

    @staticmethod
    def _is_own(name: str, value: object) -> bool:
        return bool(value == {"size": 8, "mean": MEAN, "std": STD, "splits": SHARES}[name])
