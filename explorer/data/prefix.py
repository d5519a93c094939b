"""A part of the samples: the first ones of each split that models are evaluated on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from explorer.errors import ExplorerError
from explorer.params.numerals import short, whole
from explorer.types import Dataset, Finding

EVALUATED_ON = ("tune", "test")


def how_many(value: object) -> int | None:
    """A number of samples, also as text; nothing asked for is None."""
    if value is None or value == "":
        return None
    try:
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise ValueError
        return whole(value, 1)
    except ValueError:
        what = f"samples = {short(value)} is no number of samples."
        raise ExplorerError(what, fix="Give a whole number of at least 1.") from None


def first_samples(dataset: Dataset, n: int) -> Dataset:
    """At most ``n`` samples of tune and of test, a stratified prefix; fit stays whole, for training and calibration.

    Another part has another digest, so that nothing measured on it is taken for something measured on all.
    """
    splits = {name: split.first(n) if name in EVALUATED_ON else split for name, split in dataset.splits.items()}
    cut = {name: len(of) for name, of in dataset.splits.items() if len(splits[name]) < len(of)}
    if not cut:
        return dataset
    parts = " and ".join(f"{n:,} of the {whole:,} samples of {name}" for name, whole in cut.items())
    finding = Finding("ok", f"Evaluated on the first {parts}: a stratified part, as was asked for.")
    counts = dataset.meta.get("n")
    meta = dict(dataset.meta)
    if isinstance(counts, Mapping):
        meta["n"] = {name: len(splits[name]) if name in splits else count for name, count in counts.items()}
    digest = hashlib.sha256(f"{dataset.digest} first {n}".encode()).hexdigest()[: len(dataset.digest)]
    return replace(
        dataset, splits=splits, digest=digest, meta=cast(dict[str, object], meta), findings=(*dataset.findings, finding)
    )
