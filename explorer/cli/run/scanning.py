"""Scans behind a command: shown as they go, kept, and turned into the shares that follow from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from explorer.analysis.sensitivity.allocation import from_scan
from explorer.analysis.sensitivity.cell import Cell, Keep, Lenient, Mode
from explorer.analysis.sensitivity.scan import LEVELS, Sensitivity, scan, scan_size
from explorer.cli import printing
from explorer.cli.arguments import Arguments
from explorer.cli.run.loading import load_data
from explorer.errors import ExplorerError
from explorer.pruning.allocation import BySensitivity
from explorer.pruning.spec import PruneSpec
from explorer.store.database import Store
from explorer.types import Dataset, LoadedModel


def keep(args: Arguments) -> Keep | None:
    """Where the cells of this command are kept; None where they are not. A store that fails is told once."""

    def tell(error: ExplorerError) -> None:
        printing.note(printing.plain(f"What is measured is not kept. {error}"))

    return None if getattr(args, "no_keep", False) else Lenient(Store(getattr(args, "data_dir", None)), tell)


def shown(cells: Iterator[Cell], total: int) -> Iterator[Cell]:
    """The same cells, told on standard error as they come."""
    n_done = 0
    with printing.Progress("scanning") as progress:
        for cell in cells:
            n_done += cell.complete
            where = f"{printing.plain(cell.group)} at {cell.level:.0%}"
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
    levels = LEVELS if levels is None else levels
    cells = scan(model, data, spec, levels=levels, mode=mode, keep=keep(args), device=args.device)
    return Sensitivity.of(shown(cells, scan_size(model, spec, data, levels=levels)))


def with_curves(args: Arguments, model: LoadedModel, spec: PruneSpec) -> PruneSpec:
    """The same request; shares that follow from a scan get its curves, measured now or found in the store."""
    if not isinstance(spec.allocation, BySensitivity) or spec.allocation.curves:
        return spec
    if model.module is None:
        why = model.why_not_runnable or "Its architecture is not known."
        fix = "Give --arch, or choose another --allocation."
        raise ExplorerError("Shares by sensitivity need a scan, and this model cannot run.", why=why, fix=fix)
    found = scanned(args, model, load_data(args, model), spec)
    return replace(spec, allocation=from_scan(found, spec.allocation.sparsity))
