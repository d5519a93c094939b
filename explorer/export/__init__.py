"""Files out: pruned weights that were read back and compared before anyone is told they are there."""

from __future__ import annotations

from explorer.export.weights import Written, write_pruned

__all__ = ["Written", "write_pruned"]
