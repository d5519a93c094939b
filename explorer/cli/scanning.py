"""Scans behind a command: shown as they go, kept, and turned into the shares that follow from them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from explorer.cli import printing
from explorer.cli.arguments import Arguments, load_data
from explorer.errors import ExplorerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from explorer.analysis.cell import Cell, Keep, Mode
    from explorer.analysis.sensitivity import Sensitivity
    from explorer.pruning.spec import PruneSpec
    from explorer.store.database import Store
    from explorer.types import Dataset, LoadedModel

T = TypeVar("T")


class Kept:
    """The store, as long as it works: one that fails is told once, and the scan goes on."""

    def __init__(self, store: Store) -> None:
        self._store: Store | None = store

    def cells(self, scan_key: str) -> Mapping[tuple[str, float], Mapping[str, Any]]:
        """What is kept under a key, by knob and level."""
        return self._tried(lambda store: store.cells(scan_key)) or {}

    def keep_cell(self, scan_key: str, knob: str, level: float, cell: dict[str, Any]) -> None:
        """Keep one finished cell."""
        self._tried(lambda store: store.keep_cell(scan_key, knob, level, cell))

    def _tried(self, work: Callable[[Store], T]) -> T | None:
        try:
            return None if self._store is None else work(self._store)
        except ExplorerError as error:
            printing.note(printing.plain(f"What is measured is not kept. {error}"))
            self._store = None
            return None


def keep(args: Arguments) -> Keep | None:
    """Where the cells of this command are kept; None where they are not."""
    from explorer.store.database import Store

    return None if getattr(args, "no_keep", False) else Kept(Store(getattr(args, "data_dir", None)))


def shown(cells: Iterator[Cell], total: int) -> Iterator[Cell]:
    """The same cells, told on standard error as they come."""
    n_done = 0
    with printing.Progress("scanning") as progress:
        for cell in cells:
            n_done += cell.complete
            where = f"{printing.plain(cell.knob)} at {cell.level:.0%}"
            progress.show(f"{n_done} of {total}, {where}: {printing.percent(cell.accuracy.value)}")
            yield cell


def scanned(
    args: Arguments,
    model: LoadedModel,
    data: Dataset,
    spec: PruneSpec,
    levels: Sequence[float] | None = None,
    mode: Mode = "exact",
) -> Sensitivity:
    """A whole scan on the tune split; what was kept of an earlier one is not measured again."""
    from explorer.analysis.sensitivity import LEVELS, Sensitivity, scan, scan_size

    levels = LEVELS if levels is None else levels
    cells = scan(model, data, spec, levels=levels, mode=mode, keep=keep(args), device=args.device)
    return Sensitivity.of(shown(cells, scan_size(model, spec, data, levels=levels)))


def with_curves(args: Arguments, model: LoadedModel, spec: PruneSpec) -> PruneSpec:
    """The same request; shares that follow from a scan get its curves, measured now or found in the store."""
    from explorer.analysis.sensitivity_allocation import from_scan
    from explorer.pruning.allocation import BySensitivity

    if not isinstance(spec.allocation, BySensitivity) or spec.allocation.curves:
        return spec
    if model.module is None:
        why = model.why_not_runnable or "Its architecture is not known."
        fix = "Give --arch, or choose another --allocation."
        raise ExplorerError("Shares by sensitivity need a scan, and this model cannot run.", why=why, fix=fix)
    found = scanned(args, model, load_data(args, model), spec)
    return replace(spec, allocation=from_scan(found, spec.allocation.sparsity))
