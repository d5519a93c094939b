"""What is kept of a scan, and under which key: cells of one key are of the very same measurement."""

from __future__ import annotations

import hashlib
import json

from explorer.analysis.sensitivity.cell import Cell, Keep
from explorer.analysis.sensitivity.options import ScanOptions
from explorer.pruning.spec import PruneSpec
from explorer.store.records import versions
from explorer.types import Dataset, LoadedModel
from explorer.types.aliases import JsonDict, JsonObject


def scan_about(
    model: LoadedModel, data: Dataset, spec: PruneSpec, asked: ScanOptions, *, n: int, metric: str | None = None
) -> JsonDict:
    """All that the cells of a scan depend on beside their group and level, JSON-able; and the addresses.

    ``n``: how many samples of the split, from the first; ``metric``: the key of one that was chosen.
    """
    request = spec.to_json()
    return {
        "model_address": model.address,
        "model_digest": model.digest,
        "model_identity": model.identity,
        "data_address": data.address,
        "data_digest": data.digest,
        "split": asked.split,
        "n": n,
        "granularity": request["granularity"],
        "criterion": request["criterion"],
        "mode": asked.mode,
        "seed": asked.seed if asked.mode == "estimate" else 0,
        "device": asked.device,
        **({} if metric is None else {"metric": metric}),
        **versions(),
    }


def scan_key(about: JsonObject) -> str:
    """What cells are kept under: equal key = equal cells, whatever other groups and levels were asked for."""
    # The same file may lie elsewhere, and no number depends on which Python it was.
    parts = {name: value for name, value in about.items() if name not in _NO_MATTER}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:24]


_NO_MATTER = ("model_address", "data_address", "python_version")


class ScanRecording:
    """One scan's cells among all that are kept: read at its start, added as they are finished."""

    def __init__(self, keep: Keep | None, about: JsonObject) -> None:
        self._keep, self._about, self._key = keep, about, scan_key(about)
        self._is_new = True

    def cells(self) -> dict[tuple[str, float], Cell]:
        """By group and level; those that cannot be read are left out, as not measured."""
        cells: dict[tuple[str, float], Cell] = {}
        for place, content in ({} if self._keep is None else self._keep.cells(self._key)).items():
            try:
                cell = Cell.from_json({"group": place[0], **content})  # older stores wrote the name elsewhere
            except (ValueError, TypeError, KeyError):
                continue
            if (cell.group, cell.level) == place:
                cells[place] = cell
        return cells

    def add(self, cell: Cell) -> None:
        """Record a finished cell; before the first one, what they are of."""
        if self._keep is None or not cell.complete:
            return
        if self._is_new:
            self._keep.record_scan(self._key, self._about)
            self._is_new = False
        self._keep.record_cell(self._key, cell.group, cell.level, cell.to_json())
