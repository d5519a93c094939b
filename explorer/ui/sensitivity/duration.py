"""How long a scan will take, said before it is begun."""

from __future__ import annotations

from explorer.analysis.sensitivity.cell import Mode
from explorer.tasks.scan import ScanRequest
from explorer.text.numbers import duration
from explorer.types import Dataset, LoadedModel
from explorer.ui.shell import cache

# A cell costs so many passes of the whole network over all samples, and something of its own: fitted to scans of the
# bundled models, rounded up.
PASSES: dict[Mode, float] = {"exact": 1.4, "verified": 1.4, "estimate": 1.0}
_OWN_S = 0.007


def words(model: LoadedModel, dataset: Dataset, request: ScanRequest, n_missing: int) -> str:
    """ "About 3 min for 80 cells, estimated from one pass of the dense model." """
    seconds = n_missing * (cache.pass_seconds(model, dataset) * PASSES[request.mode] + _OWN_S)
    return f"{duration(seconds)} for {n_missing:,} cells, estimated from the time of a pass through the dense model."
