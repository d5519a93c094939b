"""What a pruned network costs: bytes of files that are really written, and time on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from explorer.analysis.costs import costs
from explorer.errors import ExplorerError
from explorer.export.measured_sizes import measure_sizes
from explorer.lessons.measures.base import OfSetting
from explorer.lessons.readings import Reading
from explorer.metrics.macs import theoretical_speedup
from explorer.params import param
from explorer.pruning.spec import PruneSpec
from explorer.tasks.context import Context

KINDS = {
    "dense_file": "every zero written out",
    "dense_file_compressed": "zeros written out, then compressed",
    "csr": "values with their columns (CSR)",
    "bitmask": "values with one bit for each weight",
    "n_of_m": "values with their places among m",
    "removed": "smaller tensors, units cut out",
}
"""What a lesson calls the kinds of file."""


@dataclass(frozen=True)
class Files(OfSetting):
    """The size of each kind of file, as a share of the file of the dense network; all of them are written."""

    key: ClassVar[str] = "files"

    kind: str = param("", "kind of file", choices=("", *KINDS))

    def readings(self, context: Context) -> Iterator[Reading]:
        """One for each kind that applies, or the one of ``kind``."""
        whole = measure_sizes(context.model, self.plan(context, PruneSpec()))["dense_file"].value
        for kind, size in measure_sizes(context.model, self.plan(context)).items():
            if self.kind in ("", kind):
                yield Reading(KINDS[kind], replace(size, value=size.value / whole, unit="fraction"))


@dataclass(frozen=True)
class Speed(OfSetting):
    """How many times faster one pass is on this machine than the dense network, measured in turns."""

    key: ClassVar[str] = "speed"

    batch: int = param(64, "inputs at a time", low=1, high=4096)
    pairs: int = param(30, "turns", low=6, high=500)

    def readings(self, context: Context) -> Iterator[Reading]:
        """One, with its 95 % interval."""
        measured = costs(context.model, self.plan(context), batch=self.batch, pairs=self.pairs, table=context.macs)
        yield Reading("", replace(measured.latency.ratio, unit="x"))


@dataclass(frozen=True)
class TheoreticalSpeed(OfSetting):
    """How many times fewer multiplications there are."""

    key: ClassVar[str] = "fewer_multiplications"

    def readings(self, context: Context) -> Iterator[Reading]:
        """One."""
        speedup = theoretical_speedup(context.model, self.plan(context), context.macs)
        if speedup is None:
            raise ExplorerError(f"The multiplications of {context.model.address} cannot be counted.")
        yield Reading("", speedup)
