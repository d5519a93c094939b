"""The explore page as a widget: drag a line in a cell, and the numbers follow."""

from __future__ import annotations

import atexit
import contextlib
import weakref
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from explorer import component
from explorer.analysis.arguments import given_spec
from explorer.analysis.report import Report
from explorer.engine import live
from explorer.engine.live import LiveWorker
from explorer.errors import ExplorerError
from explorer.export.weights import write_pruned
from explorer.notebook.chart_data import chart_data
from explorer.notebook.curves import WidgetCurves
from explorer.notebook.offers import offers
from explorer.notebook.page import StaticPage, facts_table, page
from explorer.notebook.pump import Pump
from explorer.notebook.work import Work
from explorer.pruning.spec import PruneSpec
from explorer.types import Dataset, Evaluation, LoadedModel, Plan
from explorer.types.aliases import JsonDict, JsonObject
from explorer.workbench.code import python_lines
from explorer.workbench.events import read_events

_MOMENT_S = 2.0


class SpecTrait(traitlets.TraitType[PruneSpec, PruneSpec]):
    """A request; JSON and text are taken, too, and every value is checked."""

    info_text = "a PruneSpec, or its JSON"

    def validate(self, obj: Any, value: Any) -> PruneSpec:
        """The request itself. Raises ExplorerError for what is none."""
        return given_spec(value)


class Explorer(anywidget.AnyWidget):
    """The explore page in a cell: facts with their origin, draggable thresholds, the trade-off chart, warnings.

    ``spec`` is the request, both ways: a drag changes it, and setting it (a ``PruneSpec`` or its JSON) moves the lines;
    one that does not fit the model raises ExplorerError and changes nothing. ``report`` is read-only: the newest
    complete measurement, None before the first. ``selection`` names the group that was moved last. Observe them as any
    trait; callbacks run in the widget's own thread. Nothing here blocks the kernel, and of several requests the newest
    is measured. :meth:`close` ends the work.
    """

    _esm = component.anywidget_js()
    _static = traitlets.Dict().tag(sync=True)
    _strips = traitlets.Any(None).tag(sync=True)
    _dynamic = traitlets.Dict().tag(sync=True)
    _around = traitlets.Dict().tag(sync=True)
    _chart = traitlets.Dict().tag(sync=True)
    _commit = traitlets.Dict().tag(sync=True)
    _choice = traitlets.Dict().tag(sync=True)
    _views = traitlets.Int(0).tag(sync=True)
    spec = SpecTrait(PruneSpec()).tag(sync=True, to_json=lambda spec, widget: spec.to_json())
    selection = traitlets.Unicode("").tag(sync=True)
    report = traitlets.Instance(Report, allow_none=True, read_only=True)

    def __init__(self, model: LoadedModel, dataset: Dataset | None, spec: PruneSpec) -> None:
        self._work = Work(model, dataset, spec)
        self._worker = None if self._work.why_not else LiveWorker(self._work.evaluator)
        self._curves = WidgetCurves(self._work, lambda: self._pump.post(self._draw_chart))
        self._evaluation: Evaluation | None = None
        self._measured = ""  # the digest of the plan that the evaluation is of
        self._ack = 0
        self._is_ready = False
        self._pump = Pump(self._look)
        _OPEN.add(self)
        super().__init__(spec=spec, **self._all_parts())
        self._is_ready = True
        self._pump.post(self._ask)

    # -- for whoever writes in the notebook ------------------------------------------------

    @property
    def plan(self) -> Plan:
        """The exact masks of the present request: True keeps."""
        return self._work.plan

    @property
    def model(self) -> LoadedModel:
        """The dense model; nothing here writes to it."""
        return self._work.model

    @property
    def data(self) -> Dataset | None:
        """What is measured on; None where there is nothing."""
        return self._work.dataset

    def evaluate(self) -> Report:
        """Measure the present request on the whole tune split, now. Raises ExplorerError where nothing can be."""
        return self._work.report(self._work.evaluator.final(self.plan))

    def code(self) -> str:
        """The lines of Python that give the same numbers without the widget."""
        data = self._work.dataset
        return python_lines(self.model, "none" if data is None else data.address, self.spec)

    def save(self, path: Path | str = "pruned.safetensors", *, force: bool = False) -> Path:
        """Write the pruned weights, and the request beside them; see :func:`explorer.save`."""
        write_pruned(self.model, self.plan, path, force=force)
        return Path(path)

    def to_html(self, path: Path | str) -> Path:
        """Write one file that needs no network: lines can be dragged in it; the facts stay those of this setting."""
        Path(path).write_text(self.static().text, encoding="utf-8")
        return Path(path)

    def static(self) -> StaticPage:
        """The same page as an output of its own, which stays in the notebook and in what is made of it."""
        parts = self._all_parts()
        payload = {"static": parts["_static"], "strips": None, "dynamic": parts["_dynamic"]}
        return StaticPage(page({"payload": payload, "around": parts["_around"], "chart": parts["_chart"]}))

    def close(self) -> None:
        """End the measuring and take the widget from the page."""
        self._stop()
        super().close()

    def _stop(self) -> None:
        self._pump.close()
        self._curves.stop()
        if self._worker is not None:
            self._worker.close()

    def _wait(self) -> None:
        self._pump.join(_MOMENT_S)
        self._curves.join(_MOMENT_S)

    def _repr_mimebundle_(self, **asked: Any) -> tuple[JsonDict, JsonDict] | None:
        bundle = super()._repr_mimebundle_(**asked)
        if bundle is None:
            return None
        data, metadata = bundle
        facts = self._work.facts(self._evaluation, stale=self._is_stale)
        fallback = {"text/plain": self._line(), "text/html": facts_table(self.model.address, facts)}
        return {**data, **fallback}, metadata

    def __repr__(self) -> str:
        return self._line()

    def _line(self) -> str:
        return f"<Explorer of {self.report if self.report is not None and not self._is_stale else self.model.address}>"

    # -- what the front end says: taken by the pump, so that the kernel goes on --------------

    def set_state(self, sync_data: JsonDict) -> None:
        """Take what the front end sends; it is done in the widget's own thread, in order."""
        self._pump.post(partial(super().set_state, sync_data))

    @traitlets.validate("spec")
    def _check_spec(self, proposal: Mapping[str, Any]) -> PruneSpec:
        spec: PruneSpec = proposal["value"]
        if self._is_ready and spec != self._work.spec:
            self._work.plan_of(spec)  # one that does not fit is refused here, where it was asked for
        return spec

    @traitlets.validate("selection")
    def _check_selection(self, proposal: Mapping[str, Any]) -> str:
        name: str = proposal["value"]
        names = [group.group.name for group in self._work.plan.groups]
        if name and name not in names:
            raise ExplorerError(f"There is no group {name!r} here.", fix=f"Choose one of: {', '.join(names[:20])}.")
        return name

    @traitlets.observe("spec")
    def _spec_changed(self, change: Mapping[str, Any]) -> None:
        if self._is_ready and change["new"] != self._work.spec:
            self._work.set(change["new"])
            self._pump.post(self._ask)

    @traitlets.observe("_commit")
    def _moved(self, change: Mapping[str, Any]) -> None:
        events, refusals = read_events(change["new"].get("events"), after=self._ack)
        if not events and not refusals:
            return
        self._ack = max([self._ack, *(event.seq for event in events)])
        self._work.apply(events, refusals)
        self.selection = next((event.group for event in reversed(events) if event.group), self.selection)
        self._ask()

    @traitlets.observe("_choice")
    def _chosen(self, change: Mapping[str, Any]) -> None:
        choice: JsonObject = change["new"]
        try:
            self._work.choose(str(choice.get("kind")), str(choice.get("value")))
        except ExplorerError as refusal:
            self._work.refusals = (refusal,)
        self._ask()

    @traitlets.observe("_views")
    def _looked_at(self, change: Mapping[str, Any]) -> None:
        if change["new"] == 0 and change["old"] > 0:  # nobody looks any more
            self._curves.stop()
        elif change["new"] > change["old"]:
            self._curves.follow(self._work.spec)

    # -- in the pump's thread ---------------------------------------------------------------

    @property
    def _is_stale(self) -> bool:
        return self._measured != self._work.plan.digest

    def _ask(self) -> None:
        """Draw what is counted, and have the rest measured."""
        if self._worker is not None:
            self._worker.submit(self.plan.digest, self.plan)
            self._curves.rest(False)
        self._curves.follow(self._work.spec)
        self.spec = self._work.spec
        self._draw()

    def _look(self) -> bool:
        """Draw what was measured since; whether more is to come."""
        if self._worker is None:
            return False
        latest = self._worker.latest()
        result = latest.result
        if isinstance(result, Evaluation) and latest.key == self.plan.digest and result is not self._evaluation:
            self._evaluation, self._measured = result, self.plan.digest
            self._draw()
        elif isinstance(result, Exception) and latest.key == self.plan.digest:
            self._refuse(result)
        self._curves.rest(not latest.pending)
        return latest.pending

    def _refuse(self, error: Exception) -> None:
        what = f"The pruned model could not be run ({type(error).__name__})."
        refusal = error if isinstance(error, ExplorerError) else ExplorerError(what)
        if self._work.refusals != (refusal,):
            self._work.refusals = (refusal,)
            self._draw()

    def _draw(self) -> None:
        for name, part in self._all_parts().items():
            with contextlib.suppress(traitlets.TraitError):
                setattr(self, name, part)
        evaluation = self._evaluation
        if evaluation is not None and evaluation.complete and not self._is_stale and self._work.settled:
            self.set_trait("report", self._work.report(self._work.finished(evaluation)))

    def _draw_chart(self) -> None:
        self._chart = self._chart_part()

    def _all_parts(self) -> dict[str, JsonDict]:
        work = self._work
        return {
            "_static": work.static(),
            "_dynamic": work.dynamic(self._ack),
            "_around": self._around_part(),
            "_chart": self._chart_part(),
        }

    def _around_part(self) -> JsonDict:
        work, evaluation = self._work, self._evaluation
        current = None if self._is_stale else evaluation
        data = "nothing is measured" if work.dataset is None else f"evaluated on {work.dataset.address}"
        return {
            "model": work.model.address,
            "data": data,
            "facts": [asdict(fact) for fact in work.facts(evaluation, stale=self._is_stale)],
            "warnings": [{"level": f.level, "what": f.what, "action": f.action} for f in work.warnings(current)],
            "refusals": [str(refusal) for refusal in work.refusals],
            "offers": offers(work),
        }

    def _chart_part(self) -> JsonDict:
        evaluation = self._evaluation
        now = None if evaluation is None or self._is_stale else self._work.point(evaluation)
        return chart_data(self._curves.shown, self._work.tried, now)


_OPEN: weakref.WeakSet[Explorer] = weakref.WeakSet()


@atexit.register
def _end_all() -> None:
    # A thread that Python's own end tears out of torch aborts the process.
    for widget in list(_OPEN):
        widget._stop()
    for widget in list(_OPEN):
        widget._wait()
    live.close_all(_MOMENT_S)
