"""The side of a worker: what each kind of piece does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from explorer.analysis.pieces.opened import OpenedJob, number, part, split_name, text
from explorer.analysis.sensitivity.cell import MODES
from explorer.analysis.sensitivity.scan import scan
from explorer.analysis.tradeoff import measure
from explorer.engine.backends.base import Allowed, digest_of
from explorer.errors import ExplorerError
from explorer.params.numerals import real, whole
from explorer.pruning.spec import PruneSpec
from explorer.types.aliases import JsonDict, JsonObject


def scan_cells(opened: OpenedJob, about: JsonObject, work: JsonObject) -> list[JsonDict]:
    """The cells of one group at some levels."""
    spec, name = PruneSpec.from_json(part(about, "spec")), split_name(about)
    n = number(lambda value: whole(value, 1), about.get("n"))
    mode = next((mode for mode in MODES if mode == about.get("mode")), None)
    drop = about.get("max_drop")
    levels = work.get("levels")
    if mode is None or not isinstance(levels, list):
        raise ExplorerError("This piece of a scan says no mode, or no levels.", fix="Submit the work again.")
    cells = scan(
        opened.model,
        opened.data,
        spec,
        levels=[number(real, level) for level in levels],
        layers=(text(work, "group"),),
        mode=mode,
        split=name,
        max_drop=None if drop is None else number(real, drop),
        n_samples=n,
        seed=number(whole, about.get("seed")),
        evaluator=opened.evaluator(name, n),
        device=opened.device,
        scores=opened.scores(spec),
        progress=False,
    )
    return [cell.to_json() for cell in cells if cell.complete]


def curve_points(opened: OpenedJob, about: JsonObject, work: JsonObject) -> list[JsonDict]:
    """The point of one setting."""
    spec, name = PruneSpec.from_json(part(work, "spec")), split_name(about)
    scores, evaluator = opened.scores(spec), opened.evaluator(name)
    points = measure(opened.model, [spec], opened.data, scores=scores, evaluator=evaluator, split=name)
    return [asdict(point) for point in points]


KINDS: dict[str, Callable[[OpenedJob, JsonObject, JsonObject], list[JsonDict]]] = {
    "scan": scan_cells,
    "points": curve_points,
}


class PiecesOfWork:
    """Does pieces of any kind; the model and the data of the last job stay open."""

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed
        self._last: tuple[str, OpenedJob] | None = None

    def open(self, about: JsonObject) -> None:
        """Open and verify model and data; raises ExplorerError where they are others."""
        self._opened(about)

    def perform(self, about: JsonObject, work: JsonObject) -> list[JsonDict]:
        """The values that a piece gives."""
        opened = self._opened(about)
        return KINDS[text(about, "kind")](opened, about, work)

    def _opened(self, about: JsonObject) -> OpenedJob:
        if text(about, "kind") not in KINDS:
            raise ExplorerError("This worker does not know this kind of work.", fix="Install the same versions.")
        key = digest_of([about.get(name) for name in ("model", "data", "device", "metric", "versions")])
        if self._last is None or self._last[0] != key:
            self._last = None  # two at once might not fit
            self._last = key, OpenedJob(about, self._allowed)
        return self._last[1]
