"""One visitor's work: what is open, the request, its history. No Streamlit, so that it can be tested plainly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from explorer.pruning.spec import PruneSpec
from explorer.types import TradeOffPoint
from explorer.types.aliases import JsonDict

DEFAULT_MODEL = "digits-resnet"
MOST_STEPS = 200
MOST_TRIED = 300


@dataclass(frozen=True)
class Source:
    """Which model and which data are open, as addresses and options; ``metric``: the key of one that was chosen."""

    model: str = DEFAULT_MODEL
    arch: str | None = None
    data: str | None = None
    size: int | None = None
    mean: str | None = None
    std: str | None = None
    splits: str | None = None
    task: str | None = None
    metric: str | None = None
    samples: int | None = None


@dataclass
class LessonPlace:
    """Where a learner is: the lesson (empty: in none), its step from 0, what was answered by the key of its block,
    and the controls that whoever made the link has hidden, here and on all pages."""

    lesson: str = ""
    step: int = 0
    answers: JsonDict = field(default_factory=dict)
    hide: tuple[str, ...] = ()


@dataclass
class Workspace:
    """The single source of truth that presets, undo, links and the histogram share.

    ``revision`` rises with every change of the request, so that a browser knows news from echo. ``layer`` is the
    one that was chosen on the weights page, empty before a choice. ``place`` is that in a lesson, ``seat`` what a class
    knows this student by, and ``invitation`` its code, as long as there is no seat. ``setting_a`` is held to be
    compared with the present one.
    """

    source: Source = field(default_factory=Source)
    spec: PruneSpec = field(default_factory=PruneSpec)
    mode: str = "together"
    scale: str = "linear"
    layer: str = ""
    revision: int = 1
    place: LessonPlace = field(default_factory=LessonPlace)
    seat: str = ""
    invitation: str = ""
    setting_a: PruneSpec | None = None
    tried: list[TradeOffPoint] = field(default_factory=list)
    _past: list[PruneSpec] = field(default_factory=list)
    _future: list[PruneSpec] = field(default_factory=list)
    _dragging_from: PruneSpec | None = None

    def open(self, source: Source) -> None:
        """Another model or other data: history and tried settings belong to the old ones."""
        spec = replace(PruneSpec(), granularity=self.spec.granularity, criterion=self.spec.criterion)
        fresh = Workspace(source=source, spec=spec, mode=self.mode, scale=self.scale, revision=self.revision + 1)
        fresh.place, fresh.seat, fresh.invitation = self.place, self.seat, self.invitation
        self.__dict__.update(fresh.__dict__)

    def by_metric(self, metric: str | None) -> None:
        """Another metric in the place of accuracy: what was tried was measured by the old one."""
        self.source = replace(self.source, metric=metric)
        self.tried = []
        self.revision += 1

    def set(self, spec: PruneSpec, *, final: bool = True) -> None:
        """Take a new request. A drag is one step of history, however many moves it had."""
        if spec == self.spec and not (final and self._dragging_from is not None):
            return
        before = self._dragging_from if self._dragging_from is not None else self.spec
        self.spec = spec
        self.revision += 1
        self._dragging_from = None if final else before
        if final and before != spec:
            self._past = [*self._past, before][-MOST_STEPS:]
            self._future = []

    @property
    def settled(self) -> bool:
        """Whether no line is being dragged."""
        return self._dragging_from is None

    @property
    def can_undo(self) -> bool:
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        return bool(self._future)

    @property
    def history(self) -> tuple[tuple[PruneSpec, ...], tuple[PruneSpec, ...]]:
        """What undo and redo would bring back, the nearest last."""
        return tuple(self._past), tuple(self._future)

    def take_history(self, past: Iterable[PruneSpec], future: Iterable[PruneSpec]) -> None:
        """Go on with an earlier :attr:`history` of the same work."""
        self._past, self._future = list(past)[-MOST_STEPS:], list(future)[-MOST_STEPS:]
        self.revision += 1

    def undo(self) -> None:
        self._step(self._past, self._future)

    def redo(self) -> None:
        self._step(self._future, self._past)

    def _step(self, source: list[PruneSpec], target: list[PruneSpec]) -> None:
        if source:
            target.append(self.spec)
            self.spec = source.pop()
            self._dragging_from = None
            self.revision += 1

    def touch(self) -> None:
        """Something beside the request changed that the histogram must show."""
        self.revision += 1

    def remember(self, point: TradeOffPoint) -> None:
        """Keep a measured setting for the chart; the same setting is kept once."""
        others = [p for p in self.tried if p.spec != point.spec]
        self.tried = [*others[1 - MOST_TRIED :], point]
