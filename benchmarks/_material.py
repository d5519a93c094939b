"""Models and samples that several benchmarks use."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from explorer import data, models
from explorer.types import Dataset, LoadedModel, Split

MATERIAL = Path(__file__).resolve().parents[2] / "shared" / "data"


def cifar(n: int) -> tuple[LoadedModel, Dataset] | None:
    """ResNet-20 and its first n images, where they are."""
    weights, images = MATERIAL / "resnet20-12fca82f.th", MATERIAL / "cifar10-test-2000"
    if not weights.exists() or not images.exists():
        return None
    model = models.load(str(weights), arch="cifar-resnet20")
    return model, first_images(data.load(f"folder:{images}", model=model), n)


def all_digits(model: LoadedModel) -> Dataset:
    """Every digit, those the model was trained on too: for contests about time and equality."""
    dataset = data.load("digits", model=model)
    splits = list(dataset.splits.values())
    whole = Split("tune", torch.cat([s.x for s in splits]), torch.cat([s.y for s in splits if s.y is not None]))
    return Dataset(dataset.address, {"tune": whole}, dataset.classes, f"{dataset.digest}, all")


def first_images(dataset: Dataset, n: int) -> Dataset:
    """The first n of the tune split."""
    split = dataset.splits["tune"]
    part = Split("tune", split.x[:n], split.y[:n])  # type: ignore[index]
    return replace(dataset, splits={"tune": part}, digest=f"{dataset.digest}, first {n}")
