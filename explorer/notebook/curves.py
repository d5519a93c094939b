"""The curves behind the widget's chart: measured in a thread of their own while nothing else is asked."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

from explorer.analysis.tradeoff import sweep
from explorer.notebook.work import Work
from explorer.pruning import allocation, criteria
from explorer.pruning.spec import PruneSpec
from explorer.types import TradeOff, TradeOffPoint

RATIOS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)
_FINER = (1.1, 1.25, 1.75, 2.5)  # whole units often end at a small ratio


class WidgetCurves:
    """The newest request's curve and that of its control; another unit, criterion or limit begins new ones."""

    def __init__(self, work: Work, grown: Callable[[], None]) -> None:
        self._work, self._grown = work, grown
        self._key: PruneSpec | None = None
        self._stop = threading.Event()
        self._quiet = threading.Event()
        self._thread: threading.Thread | None = None
        self.shown: tuple[TradeOff, ...] = ()

    def follow(self, spec: PruneSpec) -> None:
        """Measure the curves that belong to this request, unless they are under way."""
        key = replace(spec, allocation=allocation.get("global"))
        if key == self._key or self._work.why_not is not None:
            return
        self.stop()
        self._key, self._stop, self.shown = key, threading.Event(), ()
        arguments = (_requests(key), self._stop)
        self._thread = threading.Thread(target=self._measure, args=arguments, name="notebook-curves", daemon=True)
        self._thread.start()

    def rest(self, is_quiet: bool) -> None:
        """Whether there is time for the next point: a drag goes first."""
        (self._quiet.set if is_quiet else self._quiet.clear)()

    def stop(self) -> None:
        """Measure no further point; those that are there stay."""
        self._stop.set()
        self._quiet.set()
        self._key = None

    def join(self, timeout: float) -> None:
        """Wait until the point under way is measured, at most so many seconds."""
        if self._thread is not None:
            self._thread.join(timeout)

    def _measure(self, requests: dict[str, PruneSpec], stop: threading.Event) -> None:
        try:
            for label, spec in requests.items():
                points: list[TradeOffPoint] = []
                others = self.shown
                for point in self._points(spec):
                    points.append(point)
                    if stop.is_set():
                        return
                    self.shown = (*others, TradeOff(label, tuple(points), label == "random, the control"))
                    self._grown()
                    self._quiet.wait()
                    if stop.is_set():
                        return
        except Exception:  # without curves the rest still works
            logging.getLogger(__name__).exception("The curves could not be measured.")

    def _points(self, spec: PruneSpec) -> Iterator[TradeOffPoint]:
        ratios = RATIOS if spec.granularity.key == "weight" else tuple(sorted({*RATIOS, *_FINER}))
        return sweep(self._work.model, spec, self._work.dataset, ratios=ratios, evaluator=self._work.evaluator)


def _requests(key: PruneSpec) -> dict[str, PruneSpec]:
    requests = {f"{key.criterion.label.lower()}, global": key}
    if key.criterion.key != "random":
        requests["random, the control"] = replace(key, criterion=criteria.get("random"))
    return requests
