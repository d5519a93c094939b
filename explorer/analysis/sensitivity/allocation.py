"""From a scan's cells to the allocation that follows from them."""

from __future__ import annotations

from explorer.analysis.sensitivity.result import Sensitivity
from explorer.errors import ExplorerError
from explorer.pruning.allocation import BySensitivity
from explorer.pruning.allocation.curves import named_point


def from_scan(sensitivity: Sensitivity, sparsity: float = 0.0) -> BySensitivity:
    """The allocation whose shares follow from a scan, at an overall sparsity (0 to 1).

    It carries the measured drops itself, so that a request made of it is complete. Raises ExplorerError when
    nothing was scanned.
    """
    # An allocation knows shares: drops of another metric are parts of twice the worst one.
    worst = 1.0 if sensitivity.scale == 1.0 else 2 * sensitivity.scale
    curves = {
        named_point(cell.group, cell.share): max(-1.0, cell.drop.value / worst)
        for cell in sensitivity.cells
        if cell.n_pruned
    }
    if not curves:
        raise ExplorerError("The scan has no cells.", fix="Scan the model first, at levels above 0.")
    return BySensitivity(sparsity, tuple(sorted(curves.items())))
