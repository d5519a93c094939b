"""Small scans to test with: models with few samples."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from explorer import data, models
from explorer.analysis.sensitivity.scan import Cell, scan
from explorer.store.database import Store
from explorer.types import Dataset, LoadedModel, Split


def dataset_of(split: Split) -> Dataset:
    return Dataset("tiny", {"tune": split}, tuple("abcde"), "digest of tiny")


def small(name: str, n: int = 150) -> tuple[LoadedModel, Dataset]:
    model = models.load(name)
    whole = data.load(model.data, model=model).splits["tune"]
    return model, dataset_of(Split("tune", whole.x[:n], whole.y[:n]))


def finished(*what: Any, **how: Any) -> list[Cell]:
    """The cells of a scan without those that a busy machine gives before they are complete."""
    return [cell for cell in scan(*what, **how) if cell.complete]


def without_origin(cell: Cell) -> Cell:
    return replace(cell, from_store=False)


def all_digits(name: str) -> tuple[LoadedModel, Dataset]:
    model = models.load(name)
    splits = data.load("digits", model=model).splits.values()
    x, y = torch.cat([s.x for s in splits]), torch.cat([s.y for s in splits])
    return model, dataset_of(Split("tune", x, y))


class Counting(Store):
    """Counts the cells that were finished."""

    n_cells = 0

    def record_cell(self, *cell: Any) -> None:
        super().record_cell(*cell)
        self.n_cells += 1
