"""Small scans to test with: models with few samples, a store in a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from explorer import data, models
from explorer.analysis.sensitivity import Cell, scan
from explorer.types import Dataset, LoadedModel, Split


class Kept:
    """Cells in a file, one line each, flushed at once."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def cells(self, scan_key: str) -> dict[tuple[str, float], dict[str, Any]]:
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        rows = [row for line in lines if line.endswith("}") and "cell" in (row := json.loads(line))]
        return {(r["knob"], r["level"]): r["cell"] for r in rows if r["key"] == scan_key}

    def keep_scan(self, scan_key: str, about: Mapping[str, Any]) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps({"key": scan_key, "about": about}) + "\n")

    def keep_cell(self, scan_key: str, knob: str, level: float, cell: dict[str, Any]) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps({"key": scan_key, "knob": knob, "level": level, "cell": cell}) + "\n")


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
