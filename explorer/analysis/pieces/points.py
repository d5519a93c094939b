"""Points of curves in pieces: one setting each, which a back end may have measured anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace

from explorer.analysis.pieces.handing import SetAsideError, handed
from explorer.engine.backends.base import Backend, Piece, PieceJob, Result
from explorer.errors import ExplorerError
from explorer.pruning.spec import PruneSpec
from explorer.store.records import point_from
from explorer.text.names import model_name
from explorer.types import TradeOffPoint
from explorer.types.aliases import JsonDict


def spread_points(
    backend: Backend,
    about: JsonDict,
    specs: Sequence[PruneSpec],
    before: Callable[[PruneSpec], TradeOffPoint | None],
    here: Callable[[PruneSpec], TradeOffPoint],
) -> Iterator[TradeOffPoint]:
    """The points of these settings, in their order; ``before`` gives one that is there already.

    A point comes as soon as all before it are there. ``here`` measures one in this process.
    """
    points = {at: point for at, spec in enumerate(specs) if (point := before(spec)) is not None}
    pieces = {at: Piece.of(about, {"spec": spec.to_json()}) for at, spec in enumerate(specs) if at not in points}
    homes: dict[str, list[int]] = {}
    for at, piece in pieces.items():
        homes.setdefault(piece.key, []).append(at)

    def results(_: Sequence[Piece]) -> Iterator[Result]:
        yield from (Result(key, asdict(here(specs[places[0]]))) for key, places in homes.items())

    title = f"curve of {model_name(about['model']['address'])}"
    once = [pieces[places[0]] for places in homes.values()]
    n_given = 0
    try:
        for result in handed(backend, once, PieceJob(title, about, results)):
            points |= {at: _point(result, specs[at]) for at in homes.get(result.key, ())}
            while n_given in points:
                yield points[n_given]
                n_given += 1
    except SetAsideError:  # the others are there, with gaps between them
        yield from (points[at] for at in range(n_given, len(specs)) if at in points)
        raise
    yield from (points[at] for at in range(n_given, len(specs)))


def _point(result: Result, spec: PruneSpec) -> TradeOffPoint:
    try:
        return replace(point_from(result.value), spec=spec.to_json())
    except (ValueError, TypeError, KeyError):
        what = "A worker gave what is no point of a curve."
        raise ExplorerError(what, fix="Install the same version on all machines.") from None
