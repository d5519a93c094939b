"""What a sensitivity scan found: curves, rankings, expectations, tables."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from statistics import fmean
from typing import Any

from explorer.analysis.report import data_json
from explorer.analysis.sensitivity.cell import Cell
from explorer.metrics.base import JUDGED_NAMES, evaluated_by
from explorer.pruning.spec import PruneSpec
from explorer.text.delta import direction, worse_is_up
from explorer.types import Dataset, Evaluation, LoadedModel, Measurement, Plan, Scores, SplitName
from explorer.types.aliases import JsonDict, JsonObject
from explorer.types.brief import Shown

N_STRIP = 33  # colours in the strip below a histogram
_COLUMNS = (
    *("group", "level", "n_pruned", "n_units", "share", "judged_by", "accuracy", "accuracy_low", "accuracy_high"),
    *("drop", "drop_low", "drop_high", "loss", "loss_low", "loss_high", "n", "total", "mode", "origin", "complete"),
    *("n_audited", "n_equal", "how", "machine", "date", "from_store"),
)
# A spreadsheet would run what begins like this as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_MANY = 20  # from so many layers on the most fragile 5 % are at least one whole layer


@dataclass(frozen=True, repr=False)
class Sensitivity(Shown):
    """The cells of a scan, also of one that is still running or was stopped.

    Of several cells for one group and level the last one counts: refinements take the place of
    what came before. ``max_drop`` is the drop (a fraction) after which a group's higher levels were left out.

    Examples:
        >>> import explorer as ex
        >>> result = ex.Sensitivity.of(ex.scan("digits-mlp", levels=(0.5, 0.95)))
        >>> result.cell("fc1", 0.5).drop.value <= result.cell("fc1", 0.95).drop.value
        True
    """

    cells: tuple[Cell, ...]
    max_drop: float | None = None

    @classmethod
    def of(cls, cells: Iterable[Cell], max_drop: float | None = None) -> Sensitivity:
        """The newest cell of each group and level, in the order in which they first came."""
        newest: dict[tuple[str, float], Cell] = {}
        for cell in cells:
            newest[cell.group, cell.level] = cell
        return cls(tuple(newest.values()), max_drop)

    @property
    def groups(self) -> tuple[str, ...]:
        """The names of the groups, in the order in which they came."""
        return tuple(dict.fromkeys(cell.group for cell in self.cells))

    @property
    def levels(self) -> tuple[float, ...]:
        """All levels, rising."""
        return tuple(sorted({cell.level for cell in self.cells}))

    @property
    def dense_accuracy(self) -> float:
        """What the dense model reaches (agreement: 1); NaN without cells."""
        most = max(self.cells, key=lambda cell: cell.n, default=None)
        return math.nan if most is None else most.dense_accuracy

    def cell(self, group: str, level: float) -> Cell | None:
        """One cell, or None where it was not measured."""
        return self._by_group.get(group, {}).get(level)

    def curve(self, group: str) -> tuple[Cell, ...]:
        """One group's cells by rising level."""
        return tuple(cell for _, cell in sorted(self._by_group.get(group, {}).items()))

    def expected_drop(self, group: str, share: float) -> float:
        """The drop if this group alone went to ``share``, between the measured points; estimated.

        NaN where it is not known: for a group without cells, and beyond its highest measured share.
        """
        return _between(self._points.get(group, ()), share)

    def expected(self, group: str, share: float) -> Measurement | None:
        """:meth:`expected_drop` as a number that says where it comes from; None where it is not known."""
        value = self.expected_drop(group, share)
        if math.isnan(value):
            return None
        return self.as_drop(value, "Interpolated between measured levels.")

    def as_drop(self, value: float, note: str) -> Measurement:
        """An estimated drop in the unit of the measured ones."""
        like = self.cells[0].drop if self.cells else None
        unit, best = ("fraction", None) if like is None else (like.unit, like.best)
        return Measurement("drop", value, unit, "estimated", note=note, best=best)

    def ranking(self, level: float) -> tuple[Cell, ...]:
        """The cells of one level, the most fragile group first."""
        return tuple(sorted((c for c in self.cells if c.level == level), key=lambda c: -c.drop.value))

    def fragility(self) -> dict[str, float]:
        """Each group's mean drop over the levels of the scan, the most fragile first.

        Groups that are not scanned to the end are not there yet. Of a scan with ``max_drop`` no drop counts
        more than that, so that a group that was left at its second level is not taken for a sturdy one.
        """
        means = {group: mean for group in self.groups if (mean := self._mean_drop(group)) is not None}
        return dict(sorted(means.items(), key=lambda item: -item[1]))

    def most_fragile(self, share: float = 0.05) -> tuple[str, ...]:
        """The groups among the ``share`` most fragile ones, at least one; none where none costs anything."""
        ranked = self.fragility()
        return tuple(group for group in [*ranked][: max(1, round(share * len(ranked)))] if ranked[group] > 0)

    @property
    def fragile_words(self) -> str:
        """The most fragile layers in a sentence that says how many they are of how many."""
        fragile, n = self.most_fragile(), len(self.fragility())
        if not n:
            return "No layer is scanned to its end yet."
        if not fragile:
            return "No layer costs anything at these levels, in the mean."
        which = "Most fragile 5 %" if n >= _MANY else "Most fragile"
        return (
            f"{which}: {', '.join(fragile)} ({len(fragile)} of {n} scanned layers, by the mean drop over these levels)."
        )

    def strips(self, n: int = N_STRIP) -> dict[str, list[float | None]]:
        """What each group costs at ``n`` shares from 0 to 1: 0 nothing, 1 :attr:`scale`; None where it is not known.

        What a level costs counts as nothing where its interval covers zero.
        """
        scale = self.dense_accuracy if self._is_share else self.scale
        scale = scale or 1.0
        return {group: [self._cost(group, i / (n - 1), scale) for i in range(n)] for group in self.groups}

    @property
    def _is_share(self) -> bool:
        """Whether drops are parts of a share of which more is better: all of it is the most there is to lose."""
        return not self.cells or (self.cells[0].drop.unit == "fraction" and self.cells[0].drop.best != "lowest")

    @property
    def is_fraction(self) -> bool:
        """Whether what was measured is a share, from 0 to 1."""
        return not self.cells or self.cells[0].accuracy.unit == "fraction"

    def at_drop(self, drop: float) -> float:
        """What a model has that is so much worse than the dense one; of less is better, it lies above."""
        return self.dense_accuracy + (drop if worse_is_up(self.as_drop(drop, "")) else -drop)

    @property
    def scale(self) -> float:
        """The drop that is drawn the darkest: 1 of shares, else the largest that was measured."""
        if self._is_share:
            return 1.0
        return max((cell.drop.value for cell in self.cells if math.isfinite(cell.drop.value)), default=1.0) or 1.0

    @property
    def judged(self) -> str:
        """What was measured, in words: "accuracy", "agreement with the dense model", a metric that was chosen, ..."""
        first = self.cells[0] if self.cells else None
        return JUDGED_NAMES["labels"] if first is None else evaluated_by(first.judged_by, first.accuracy)

    @property
    def complete(self) -> bool:
        """Whether every cell that is there is final; cells may be missing still."""
        return all(cell.complete for cell in self.cells)

    @property
    def audit(self) -> str:
        """One sentence on how far the numbers can be trusted."""
        if not self.cells:
            return "Nothing has been measured."
        audited = [cell for cell in self.cells if cell.n_audited]
        if audited:
            n_equal = sum(cell.n_equal == cell.n_audited for cell in audited)
            n_samples = sum(cell.n_audited for cell in audited)
            return f"Equal to float32 in {n_equal} of {len(audited)} audited cells ({n_samples:,} samples run twice)."
        if all(cell.mode != "estimate" for cell in self.cells):
            how = next((cell.how for cell in self.cells if cell.how), "Every sample in float32")
            return f"{how.rstrip('.')}; close calls decided by the plain model."
        n = fmean(cell.n for cell in self.cells)
        return f"Estimated from {n:,.0f} of {self.cells[0].total:,} samples a cell; each interval is 95 %."

    def table(self) -> list[JsonDict]:
        """One flat row for each cell, JSON-able."""
        return [_row(cell) for cell in self.cells]

    def to_csv(self) -> str:
        """The table as text, with a head."""
        out = io.StringIO()
        writer = csv.DictWriter(out, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        for row in self.table():
            name = row["group"]
            writer.writerow(row | {"group": f"'{name}" if name.startswith(_FORMULA) else name})
        return out.getvalue()

    def to_json(self) -> JsonDict:
        """Everything, JSON-able."""
        fragility = self.fragility()
        return {
            "dense_accuracy": _finite(self.dense_accuracy),
            "complete": self.complete,
            "max_drop": self.max_drop,
            "audit": self.audit,
            "fragility": {group: _finite(value) for group, value in fragility.items()},
            "most_fragile": list(self.most_fragile()),
            "cells": [_without_nan(cell.to_json()) for cell in self.cells],
        }

    @cached_property
    def _by_group(self) -> dict[str, dict[float, Cell]]:
        cells: dict[str, dict[float, Cell]] = {}
        for cell in self.cells:
            cells.setdefault(cell.group, {})[cell.level] = cell
        return cells

    @cached_property
    def _points(self) -> dict[str, list[tuple[float, float]]]:
        """Shares and drops of each group; pruning nothing costs nothing."""
        return {
            group: [(0.0, 0.0), *((cell.share, cell.drop.value) for cell in self.curve(group) if cell.n_pruned)]
            for group in self._by_group
        }

    @cached_property
    def _certain(self) -> dict[str, list[tuple[float, float]]]:
        """The same with no drop where the interval covers zero."""
        return {
            group: [(0.0, 0.0), *((c.share, c.drop.value if direction(c.drop) else 0.0) for c in curve if c.n_pruned)]
            for group in self._by_group
            for curve in [self.curve(group)]
        }

    def _mean_drop(self, group: str) -> float | None:
        """Over all levels of the scan; None for a group of which some are still to come."""
        most = math.inf if self.max_drop is None else self.max_drop
        drops = [min(cell.drop.value, most) for cell in self.curve(group)]
        if most in drops:
            first = drops.index(most)
            drops[first:] = [most] * (len(self.levels) - first)
        return fmean(drops) if len(drops) == len(self.levels) else None

    def _cost(self, group: str, share: float, scale: float) -> float | None:
        drop = _between(self._certain.get(group, ()), share)
        return None if math.isnan(drop) else min(1.0, max(0.0, drop / scale))

    def _in_brief(self) -> JsonObject:
        about = {"groups": len(self.groups), "levels": len(self.levels), "cells": len(self.cells)}
        return {**about, "dense_accuracy": self.dense_accuracy, "complete": self.complete}


@dataclass(frozen=True)
class Joint:
    """The sum of single drops against what pruning all groups together costs.

    ``singles`` are the expected drops of each group of the plan alone. Where ``measured`` is
    larger than ``predicted`` the groups make each other worse.
    """

    predicted: Measurement
    measured: Measurement
    singles: Mapping[str, float]

    @property
    def interaction(self) -> float:
        """Measured minus predicted drop."""
        return self.measured.value - self.predicted.value

    @property
    def words(self) -> str:
        """What the layers do to one another, as far as the measured interval tells."""
        low, high = self.measured.low, self.measured.high
        if low is not None and high is not None and low <= self.predicted.value <= high:
            return "together they cost what they cost one by one, as far as the interval tells"
        return "together they make each other worse" if self.interaction > 0 else "together they cost less"


def joint(sensitivity: Sensitivity, plan: Plan, evaluation: Evaluation) -> Joint:
    """Predicted drop of a whole plan (the sum of its groups' single drops) beside the measured one.

    Groups that were not scanned so far add nothing; the prediction's note names them.
    """
    moved = [k for k in plan.groups if k.n_pruned]
    singles = {k.group.name: sensitivity.expected_drop(k.group.name, k.sparsity) for k in moved}
    unknown = [name for name, drop in singles.items() if math.isnan(drop)]
    measured = {name: drop for name, drop in singles.items() if name not in unknown}
    note = "Sum of the single drops" + (f"; not scanned so far: {', '.join(unknown)}." if unknown else ".")
    predicted = sensitivity.as_drop(sum(measured.values()), note)
    return Joint(predicted, evaluation.drop, measured)


def scan_json(
    model: LoadedModel,
    data: Dataset,
    spec: PruneSpec,
    scores: Scores,
    sensitivity: Sensitivity,
    *,
    mode: str,
    split: SplitName = "tune",
) -> JsonDict:
    """A scan with what it is of, JSON-able; ``not_scanned`` says of each other group why nothing of it can go."""
    request = spec.to_json()
    first = sensitivity.cells[0] if sensitivity.cells else None
    chosen = {} if first is None or first.judged_by != "metric" else {"metric": first.accuracy.name}
    return {
        **chosen,
        "model": {"address": model.address, "digest": model.digest},
        "data": data_json(data),
        "split": split,
        "mode": mode,
        "granularity": request["granularity"],
        "criterion": request["criterion"],
        "not_scanned": {group.name: group.why_not for group in scores.groups if group.why_not is not None},
        **sensitivity.to_json(),
    }


def _between(points: Sequence[tuple[float, float]], share: float) -> float:
    """The height at ``share`` of straight lines through ``points``; NaN beyond the last one."""
    if not points or share > points[-1][0] + 1e-9:
        return math.nan
    for (x0, y0), (x1, y1) in pairwise(points):
        if share <= x1:
            return y0 if x1 == x0 else y0 + (y1 - y0) * (max(share, x0) - x0) / (x1 - x0)
    return points[-1][1]


def _row(cell: Cell) -> JsonDict:
    loss = (None, None, None) if cell.loss is None else (cell.loss.value, cell.loss.low, cell.loss.high)
    values = (
        *(cell.group, cell.level, cell.n_pruned, cell.n_units, cell.share, cell.judged_by),
        *(cell.accuracy.value, cell.accuracy.low, cell.accuracy.high),
        *(cell.drop.value, cell.drop.low, cell.drop.high, *loss),
        *(cell.n, cell.total, cell.mode, cell.drop.origin, cell.complete, cell.n_audited, cell.n_equal, cell.how),
        *(cell.drop.machine, cell.drop.date, cell.from_store),
    )
    return {name: _without_nan(value) for name, value in zip(_COLUMNS, values, strict=True)}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _without_nan(value: object) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nan(inner) for key, inner in value.items()}
    return _finite(value) if isinstance(value, float) else value
