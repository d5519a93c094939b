"""One cell of a sensitivity scan: one group at one level, everything else as it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Literal, Protocol, TypeVar

from explorer.engine.estimates import Estimate
from explorer.errors import ExplorerError
from explorer.metrics.base import dense_value
from explorer.metrics.origin import machine, today
from explorer.types import Evaluation, JudgedBy, Measurement, PruningGroup, Scores
from explorer.types.aliases import JsonDict, JsonObject
from explorer.types.brief import Brief

T = TypeVar("T")
Mode = Literal["exact", "verified", "estimate"]
MODES: tuple[Mode, ...] = ("exact", "verified", "estimate")
LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


class Keep(Protocol):
    """Where finished cells are kept, so that a second start goes on where the first one ended."""

    def cells(self, scan_key: str) -> Mapping[tuple[str, float], JsonObject]:
        """What is kept under a key, by group and level."""
        ...

    def record_scan(self, scan_key: str, about: JsonObject) -> None:
        """Record what the cells under a key are of (JSON-able)."""
        ...

    def record_cell(self, scan_key: str, group: str, level: float, cell: JsonDict) -> None:
        """Record one finished cell (JSON-able), at once and for good."""
        ...


class ForgivingStore:
    """A place to keep cells that is given up once it fails: what was measured must not get lost for that.

    ``tell`` hears why, once.
    """

    def __init__(self, keep: Keep, tell: Callable[[ExplorerError], object] = lambda error: None) -> None:
        self._keep: Keep | None = keep
        self._tell = tell

    def cells(self, scan_key: str) -> Mapping[tuple[str, float], JsonObject]:
        """What is kept under a key, by group and level; nothing where it cannot be read."""
        return self._tried(lambda keep: keep.cells(scan_key)) or {}

    def record_scan(self, scan_key: str, about: JsonObject) -> None:
        """Record what the cells are of, if that works."""
        self._tried(lambda keep: keep.record_scan(scan_key, about))

    def record_cell(self, scan_key: str, group: str, level: float, cell: JsonDict) -> None:
        """Record one finished cell, if that works."""
        self._tried(lambda keep: keep.record_cell(scan_key, group, level, cell))

    def _tried(self, work: Callable[[Keep], T]) -> T | None:
        try:
            return None if self._keep is None else work(self._keep)
        except ExplorerError as error:
            self._keep = None
            self._tell(error)
            return None


@dataclass(frozen=True, repr=False)
class Cell(Brief):
    """What pruning one group alone to one level costs.

    ``level`` is the share that was asked for, ``share`` the one that ``n_pruned`` of ``n_units``
    make. ``drop`` is dense minus pruned accuracy on the same samples, with its paired 95 %
    interval. ``n`` of ``total`` samples are behind it; it is ``complete`` when nothing more
    follows. ``how`` says how it was computed where that is not just what ``mode`` says.
    ``n_equal`` of ``n_audited`` samples got the float32 model's prediction in the audit.
    """

    group: str
    level: float
    n_pruned: int
    n_units: int
    accuracy: Measurement
    drop: Measurement
    loss: Measurement | None
    n: int
    total: int
    mode: Mode
    judged_by: JudgedBy
    complete: bool = True
    from_store: bool = False
    n_audited: int = 0
    n_equal: int = 0
    how: str = ""

    @property
    def share(self) -> float:
        """The share of the group's units that really goes."""
        return self.n_pruned / self.n_units if self.n_units else 0.0

    @property
    def dense_accuracy(self) -> float:
        """What the dense model reaches on the same samples."""
        return dense_value(self.accuracy, self.drop)

    @classmethod
    def measured(
        cls, group: str, level: float, n_pruned: int, n_units: int, evaluation: Evaluation, mode: Mode
    ) -> Cell:
        """The cell that an evaluation of its samples makes."""
        return cls(
            group=group,
            level=level,
            n_pruned=n_pruned,
            n_units=n_units,
            accuracy=evaluation.accuracy,
            drop=evaluation.drop,
            loss=evaluation.loss,
            n=evaluation.n,
            total=evaluation.total,
            mode=mode,
            judged_by=evaluation.judged_by,
            complete=evaluation.complete,
        )

    @classmethod
    def estimated(
        cls, group: str, level: float, n_pruned: int, n_units: int, estimate: Estimate, judged_by: JudgedBy
    ) -> Cell:
        """The cell that an estimate makes; its intervals are about the value of the whole split."""
        note = (
            f"From {estimate.n:,} of {estimate.total:,} samples; the interval is about the value that all of them give."
        )
        low, high = estimate.drop - estimate.half_width, estimate.drop + estimate.half_width

        def measurement(name: str, value: float, unit: str, ends: tuple[float, float]) -> Measurement:
            where = machine(), today()
            return Measurement(
                name, value, unit, "estimated", *ends, estimate.n, machine=where[0], date=where[1], note=note
            )

        loss = None
        if estimate.loss is not None:
            value, half = estimate.loss
            loss = measurement("loss", value, "nats", (value - half, value + half))
        name = "accuracy" if judged_by == "labels" else "agreement"
        return cls(
            group=group,
            level=level,
            n_pruned=n_pruned,
            n_units=n_units,
            accuracy=measurement(
                name, estimate.dense - estimate.drop, "fraction", (estimate.dense - high, estimate.dense - low)
            ),
            drop=measurement("drop", estimate.drop, "fraction", (low, high)),
            loss=loss,
            n=estimate.n,
            total=estimate.total,
            mode="estimate",
            judged_by=judged_by,
            complete=estimate.complete,
        )

    def to_json(self) -> JsonDict:
        """A JSON-able object from which :meth:`from_json` makes an equal cell."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: JsonObject) -> Cell:
        """The inverse of :meth:`to_json`, marked as coming from the store. What a newer version added is left out.

        Raises ValueError, TypeError or KeyError for what is no cell.
        """
        values = {f.name: data[f.name] for f in fields(cls) if f.name in data}
        for name in ("accuracy", "drop", "loss"):
            values[name] = None if name == "loss" and data[name] is None else _measurement(data[name])
        return replace(cls(**values), from_store=True)

    def _in_brief(self) -> JsonObject:
        about = {"group": self.group, "level": self.level, "n_pruned": self.n_pruned, "n_units": self.n_units}
        quality = {"accuracy": self.accuracy.value, "drop": self.drop.value, "n": self.n}
        return {**about, **quality, "complete": self.complete}


def _measurement(data: JsonObject) -> Measurement:
    measurement = Measurement(**{f.name: data[f.name] for f in fields(Measurement) if f.name in data})
    if not isinstance(measurement.value, int | float):
        raise ValueError(f"{measurement.name} is {type(measurement.value).__name__}")
    return measurement


def rising(levels: Sequence[float]) -> list[float]:
    """Each level once, to six digits. Raises ExplorerError for what is no share."""
    if not levels or not all(0.0 <= level <= 1.0 for level in levels):
        raise ExplorerError("A level is a share from 0 to 1.", fix="Give levels such as 0.1, 0.5, 0.9.")
    return sorted({round(level, 6) for level in levels})


def groups_for(scores: Scores, layers: Sequence[str] | None) -> list[PruningGroup]:
    """The groups that can be moved; with ``layers`` those of these names, or with one of these layers in them.

    Raises ExplorerError where one of the names is not there, or cannot be moved.
    """
    groups = [group for group in scores.groups if group.why_not is None]
    if layers is None:
        return groups
    named = set(layers)
    unknown = named - {name for group in groups for name in (group.name, *group.layers)}
    if unknown or not named:
        what = f"{min(unknown)!r} cannot be scanned." if unknown else "No layer was named."
        why = next((k.why_not or "" for k in scores.groups if k.name in unknown), "")
        few = ", ".join(group.name for group in groups[:8])
        raise ExplorerError(what, why=why, fix=f"Choose among: {few}." if few else "Choose other units.")
    return [group for group in groups if named & {group.name, *group.layers}]


def n_for(group: PruningGroup, level: float) -> int:
    """How many of a group's units a level takes; one channel always stays."""
    return min(round(level * group.n_units), group.n_may_go)
