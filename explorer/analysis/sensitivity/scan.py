"""How much each layer suffers when it alone is pruned: a scan of every group at every level."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Unpack

import torch
from torch import Tensor

from explorer.analysis.arguments import given_data, given_model, given_spec, headline_of, split_of
from explorer.analysis.sensitivity.cell import (
    LEVELS,
    MODES,
    Cell,
    ForgivingStore,
    Keep,
    Mode,
    groups_for,
    n_for,
    rising,
)
from explorer.analysis.sensitivity.options import ScanKeywords, ScanOptions
from explorer.analysis.sensitivity.places import Place, Stops
from explorer.analysis.sensitivity.recording import ScanRecording, scan_about
from explorer.analysis.sensitivity.result import Joint, Sensitivity, joint, scan_json
from explorer.analysis.sensitivity.spread import about_scan, spread
from explorer.analysis.sensitivity.weight_energy import Energy, energy
from explorer.engine.backends import backend_of
from explorer.engine.cells import evaluate_edits
from explorer.engine.edits import Edit, Walk
from explorer.engine.estimates import Estimate, estimate_edits
from explorer.engine.evaluator import Evaluator
from explorer.engine.low import low_precision
from explorer.engine.prepared import PreparedModel
from explorer.engine.verified import Audit, QuickWalk, VerifiedWalk
from explorer.errors import ExplorerError
from explorer.metrics import METRICS
from explorer.params.options import options_from
from explorer.pruning.plan import group_masks
from explorer.pruning.scoring import score
from explorer.pruning.select import keep_mask
from explorer.pruning.spec import PruneSpec
from explorer.text.bar import BarSteps, tracked
from explorer.types import Dataset, Evaluation, JudgedBy, LoadedModel, PruningGroup, Scores
from explorer.types.aliases import JsonDict, JsonObject
from explorer.types.stopping import result

__all__ = [
    "LEVELS",
    "MODES",
    "Cell",
    "Energy",
    "ForgivingStore",
    "Joint",
    "Keep",
    "Mode",
    "Sensitivity",
    "energy",
    "joint",
    "scan",
    "scan_json",
    "scan_size",
]

_MEMORY = 512 << 20  # bytes for the batches' places in the model; the evaluator's own cache is not needed
_ARGSORT_UP_TO = 1 << 22  # above it one order of a whole layer would cost more memory than it saves time


@options_from(ScanOptions)
def scan(
    model: LoadedModel | str,
    data: Dataset | str | None = None,
    spec: PruneSpec | JsonObject | str | None = None,
    **keywords: Unpack[ScanKeywords],
) -> Iterator[Cell]:
    """Measure every group at every level, one alone at a time; each cell comes as it is finished.

    Where a cell takes long it comes unfinished first (``complete`` is False) and again when more is known. Stop any
    time.

    Args:
        model: A model or its address.
        data: None: what the model was made for.
        spec: Of it the granularity and the criterion count; limits do not.
        levels: Shares (0 to 1) of the units of a group that go.
        layers: Names of groups, or of layers in them; None: every one that can be pruned.
        mode: "exact", "verified" or "estimate".
        split: What it is measured on.
        max_drop: A fraction; a group's higher levels are left out after the first one that costs more.
        n_samples: Takes the first samples of the split only.
        keep: Where finished cells are kept; those found there are not measured again.
        evaluator: One for this model and these samples.
        metric: As for :func:`evaluate`, in the place of accuracy.
        device: Where the passes run.
        seed: Draws the samples of estimates.
        scores: Those of ``spec``.
        progress: A bar; None: where somebody types.
        backend: Where the cells are measured: "threads" (here), "processes", "folder:PATH"; None: here.

    Returns:
        An iterator of cells; ``drop`` is a fraction, dense minus pruned. ``Sensitivity.of(...)`` holds them together.

    Raises:
        ExplorerError: The model cannot run, a layer or a level is not possible, or the split is absent.

    Examples:
        >>> import explorer as ex
        >>> result = ex.Sensitivity.of(ex.scan("digits-mlp", levels=(0.5, 0.9)))
        >>> len(result.groups), result.levels
        (3, (0.5, 0.9))
    """
    asked, backend = ScanOptions(**keywords), backend_of(keywords.get("backend"))
    loaded, request = given_model(model), given_spec(spec)
    _check(loaded, asked.mode)
    dataset = given_data(data, loaded)
    samples = split_of(dataset, asked.split).first(asked.n_samples)
    scores = score(loaded, request, dataset) if asked.scores is None else asked.scores
    places = _places(scores, asked.levels, asked.layers)
    headline = headline_of(asked.metric, asked.evaluator)
    judge = asked.evaluator or Evaluator(loaded, samples, device=asked.device, memory_limit=0, asked=headline)
    metric = None if judge.asked.headline is None else judge.asked.headline.key
    about = scan_about(loaded, dataset, request, asked, n=len(samples), metric=metric)
    how = _How(asked.mode, asked.max_drop, asked.seed)
    keep = asked.keep if metric is None or metric in METRICS.members else None  # one's own code may have changed since
    masks = _Masks(loaded, request, scores)

    def measured(missing: Sequence[Place], stops: Stops) -> Iterator[Cell]:
        if backend is None:
            return _measured(masks, missing, judge, how, stops)

        def here(allowed: Sequence[Place]) -> Iterator[Cell]:
            return _measured(masks, allowed, judge, how, Stops(asked.max_drop))

        work = about_scan(loaded, dataset, request, asked, n=len(samples), metric=metric)
        return spread(backend, work, missing, here, stops)

    cells = _scanned(places, measured, Stops(asked.max_drop), ScanRecording(keep, about))
    return tracked(cells, BarSteps("scan", len(places), lambda cell: cell.complete), asked.progress)


def scan_size(
    model: LoadedModel,
    spec: PruneSpec | None = None,
    data: Dataset | None = None,
    *,
    levels: Sequence[float] = LEVELS,
    layers: Sequence[str] | None = None,
    scores: Scores | None = None,
) -> int:
    """How many cells a scan has; ``data`` is for criteria that look at it, ``scores`` where they are known."""
    scored = score(model, given_spec(spec), data) if scores is None else scores
    return len(_places(scored, levels, layers))


@dataclass(frozen=True)
class _How:
    """How a scan goes about its cells."""

    mode: Mode
    max_drop: float | None
    seed: int


class _Masks:
    """What cells change; a group's units are put in order once for all its levels."""

    def __init__(self, model: LoadedModel, spec: PruneSpec, scores: Scores) -> None:
        self._model, self._spec, self._scores = model, spec, scores
        self._order: tuple[str, Tensor] | None = None

    def edit(self, ready: PreparedModel, place: Place) -> Edit:
        """What this cell masks, with what the criterion makes up for it."""
        kept = self._kept(place.group, place.n_pruned)
        masks = group_masks(self._model, self._spec, self._scores, place.group, kept)
        return Edit(ready, masks, partial(self._spec.criterion.updates, self._model, masks, self._scores.evidence))

    def _kept(self, group: PruningGroup, n: int) -> Tensor:
        values = self._scores.values[group.name]
        if values.numel() > _ARGSORT_UP_TO:
            return keep_mask(values, n)
        if self._order is None or self._order[0] != group.name:
            # Lowest first, ties in index order: the choice of keep_mask, for every n at once.
            self._order = (group.name, torch.argsort(values, stable=True))
        kept = torch.ones(len(values), dtype=torch.bool)
        kept[self._order[1][:n]] = False
        return kept


def _scanned(
    places: Sequence[Place],
    measured: Callable[[Sequence[Place], Stops], Iterator[Cell]],
    stops: Stops,
    kept: ScanRecording,
) -> Iterator[Cell]:
    missing = []
    stored = kept.cells()
    for place in places:
        cell = stored.get((place.group.name, place.level))
        if cell is None or cell.n_pruned != place.n_pruned:
            missing.append(place)
        elif stops.allows(place):
            stops.note(cell)
            yield cell
    for cell in measured(missing, stops):
        kept.add(cell)
        yield cell


def _measured(masks: _Masks, places: Sequence[Place], evaluator: Evaluator, how: _How, stops: Stops) -> Iterator[Cell]:
    edits: list[Edit] = []
    asking: list[list[Place]] = []  # the cells that each edit answers: equal counts are one edit
    index: dict[tuple[str, int], int] = {}
    for place in places:
        same = (place.group.name if place.n_pruned else "", place.n_pruned)
        if same not in index:
            index[same] = len(edits)
            edits.append(masks.edit(evaluator.ready, place))
            asking.append([])
        asking[index[same]].append(place)
    run = _Runner(evaluator, edits, how, lambda i: any(map(stops.allows, asking[i])))
    for i, make in run.updates():
        for place in filter(stops.allows, asking[i]):
            cell = make(place)
            stops.note(cell)
            yield cell


class _Runner:
    """Edits run in one of the modes; each update says how to make a cell of it."""

    def __init__(
        self,
        evaluator: Evaluator,
        edits: Sequence[Edit],
        how: _How,
        may_start: Callable[[int], bool],
    ) -> None:
        self._evaluator, self._edits, self._mode, self._seed = evaluator, edits, how.mode, how.seed
        # Few levels at a time where a group may be left early, all of them otherwise.
        self._options: JsonDict = {"may_start": may_start, "per_place": None if how.max_drop is None else 2}

    def updates(self) -> Iterator[tuple[int, Callable[[Place], Cell]]]:
        """(which edit, how a cell is made of what is known now)."""
        walk, how = self._walk()
        is_accuracy = self._evaluator.ready.task == "classes" and self._evaluator.asked.headline is None
        if self._mode == "estimate" and is_accuracy:
            judged_by: JudgedBy = "agreement" if self._evaluator.split.y is None else "labels"
            for i, estimate in estimate_edits(self._evaluator, self._edits, walk, seed=self._seed, **self._options):
                yield i, partial(_estimated, estimate, judged_by)
            return
        for i, evaluation in evaluate_edits(self._evaluator, self._edits, walk=walk, **self._options):
            audit = walk.audit(self._edits[i]) if isinstance(walk, VerifiedWalk) else Audit()
            yield i, partial(_measured_cell, evaluation, self._mode, audit, how)

    def _walk(self) -> tuple[Walk, str]:
        """What runs the edits, and in words how, where that is not just what the mode promises."""
        judge = self._evaluator
        limit = judge.cache.limit or _MEMORY
        whole = _untraced(judge.path)
        if self._mode == "exact":
            return Walk(judge.ready, limit), whole
        if judge.ready.task != "classes":
            return Walk(judge.ready, limit), "Every sample in float32: only choices among classes can be had sooner."
        low, why_not = result(judge.submit(low_precision, judge.ready, judge.split))
        if low is None:
            return Walk(judge.ready, limit), whole or f"Every sample in float32: {why_not}"
        kind = QuickWalk if self._mode == "estimate" else VerifiedWalk
        return kind(judge.ready, limit, low), whole


def _untraced(path: str) -> str:
    """What of the model runs anew as a whole for each cell, in words; empty where all of it could be taken apart."""
    _, _, what = path.partition("whole: ")
    if not what:
        return ""
    return f"The whole model for each cell: {what}" if path.startswith("whole") else f"As one piece: {what.rstrip(')')}"


def _estimated(estimate: Estimate, judged_by: JudgedBy, place: Place) -> Cell:
    group = place.group
    return Cell.estimated(group.name, place.level, place.n_pruned, group.n_units, estimate, judged_by)


def _measured_cell(evaluation: Evaluation, mode: Mode, audit: Audit, how: str, place: Place) -> Cell:
    group = place.group
    cell = Cell.measured(group.name, place.level, place.n_pruned, group.n_units, evaluation, mode)
    return replace(cell, n_audited=audit.n, n_equal=audit.n_equal, how=how)


def _places(scores: Scores, levels: Sequence[float], layers: Sequence[str] | None) -> list[Place]:
    return [
        Place(group, level, n_for(group, level)) for group in groups_for(scores, layers) for level in rising(levels)
    ]


def _check(model: LoadedModel, mode: Mode) -> None:
    if model.module is None:
        why = model.why_not_runnable or "Its architecture is not known."
        raise ExplorerError(f"{model.address} cannot be run.", why=why, fix="Load it with arch=NAME.")
    if mode not in MODES:
        raise ExplorerError(f"There is no mode {mode!r}.", fix="Choose one of: " + ", ".join(MODES) + ".")
