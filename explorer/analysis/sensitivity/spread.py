"""A scan in pieces: some levels of one group each, which a back end may have measured anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from explorer.analysis.pieces.handing import about_work, handed
from explorer.analysis.sensitivity.cell import Cell
from explorer.analysis.sensitivity.options import ScanOptions
from explorer.analysis.sensitivity.places import Place, Stops
from explorer.engine.backends.base import Backend, Piece, PieceJob, Result
from explorer.errors import ExplorerError
from explorer.pruning.spec import PruneSpec
from explorer.text.names import model_name
from explorer.types import Dataset, LoadedModel
from explorer.types.aliases import JsonDict

_TOGETHER = 5  # levels of a group in a piece: what comes before the group is computed once for all of them


def about_scan(
    model: LoadedModel, data: Dataset, spec: PruneSpec, asked: ScanOptions, *, n: int, metric: str | None
) -> JsonDict:
    """What all pieces of a scan have in common; ``n``: how many samples of the split, from the first."""
    return {
        **about_work("scan", model, data, device=asked.device, metric=metric),
        "spec": PruneSpec(spec.granularity, spec.criterion).to_json(),
        "mode": asked.mode,
        "split": asked.split,
        "n": n,
        "seed": asked.seed,
        "max_drop": asked.max_drop,
    }


def spread(
    backend: Backend,
    about: JsonDict,
    places: Sequence[Place],
    here: Callable[[Sequence[Place]], Iterator[Cell]],
    stops: Stops,
) -> Iterator[Cell]:
    """The cells of these places, measured by a back end; ``here`` measures some in this process."""
    allowed = [place for place in places if stops.allows(place)]
    pieces: list[Piece] = []
    home: dict[tuple[str, float], tuple[Piece, Place]] = {}
    for name, of_group in groupby(allowed, key=lambda place: place.group.name):
        # A group that may be left early is one piece: its levels follow one another.
        size = len(allowed) if about["max_drop"] is not None else _TOGETHER
        in_group = list(of_group)
        for together in (in_group[at : at + size] for at in range(0, len(in_group), size)):
            work = {"group": name, "levels": [p.level for p in together], "n_pruned": [p.n_pruned for p in together]}
            pieces.append(Piece.of(about, work))
            home |= {(name, place.level): (pieces[-1], place) for place in together}

    def results(_: Sequence[Piece]) -> Iterator[Result]:
        for cell in here(allowed):
            yield Result(home[cell.group, cell.level][0].key, cell.to_json())

    title = f"sensitivity of {model_name(about['model']['address'])}"
    for result in handed(backend, pieces, PieceJob(title, about, results)):
        cell = _cell(result)
        piece, place = home.get((cell.group, cell.level), (None, None))
        if piece is None or place is None or piece.key != result.key or cell.n_pruned != place.n_pruned:
            why = f"It gave {cell.group} at {cell.level:g}, {cell.n_pruned} units pruned."
            raise ExplorerError("A worker gave a cell that was not asked for.", why=why, fix="Start other workers.")
        if stops.allows(place):
            stops.note(cell)
            yield cell


def _cell(result: Result) -> Cell:
    try:
        return replace(Cell.from_json(result.value), from_store=False)
    except (ValueError, TypeError, KeyError):
        what = "A worker gave what is no cell."
        raise ExplorerError(what, fix="Install the same version on all machines.") from None
