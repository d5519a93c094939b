"""The trade-off page: ways of pruning measured at rising compression, on one chart and in one table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from explorer import charts
from explorer.charts import CONFIG, clicked, tradeoff
from explorer.charts.scale import XName
from explorer.engine.jobs import Job
from explorer.pruning.spec import PruneSpec
from explorer.types import Dataset, LoadedModel, TradeOff, TradeOffPoint
from explorer.ui import cache, choices, compare_tables, curves, kept, live, session, ticker
from explorer.ui.choices import Way
from explorer.ui.tables import file_stem
from explorer.ui.text import plain
from explorer.ui.theme import chart_theme

_AXES: dict[XName, str] = {
    "compression_ratio": "Compression",
    "macs": "MACs",
    "size_bytes": "File size",
    "sparsity": "Sparsity",
}
_CHART, _AXIS, _BUDGET, _STOPPED = "compare_chart", "compare_axis", "compare_budget", "_compare_stopped"
_HEIGHT = 430
_LATER_MS = 400


@dataclass(frozen=True)
class Measured:
    """The ways compared with what is known of each at one moment; ``jobs`` are those that were begun.

    ``curves``: one for each way, also for those without a point yet, so that positions are those of ``ways``.
    """

    model: LoadedModel
    dataset: Dataset
    ways: list[Way]
    jobs: list[Job | None]
    curves: list[TradeOff]

    @property
    def running(self) -> list[Job]:
        return [job for job in self.jobs if job is not None and job.active]


@st.fragment
def page(model: LoadedModel, dataset: Dataset | None) -> None:
    """Controls, chart and tables; reruns by itself while something is being measured."""
    session.show_notices()
    why = live.why_not(model, dataset)
    if why is not None or dataset is None:
        _nothing("" if model.module is None else why or "There is no data to judge the model on.")
        return
    with st.container(border=True, key="choices_card"):
        found = choices.draw(model, dataset, session.workspace().spec)
        if not found:
            return
        measured = _measured(model, dataset, found)
        _progress(measured)
    left, right = st.columns([2.1, 1], gap="medium")
    with left, st.container(border=True, key="compare_card", height="stretch"):
        _chart(measured)
    with right, st.container(border=True, key="budget_card", height="stretch"):
        _budget(measured)
    with st.container(border=True, key="points_card"):
        chosen = compare_tables.points(measured.ways, measured.curves, file_stem(model.address))
    if chosen is not None:
        _open(chosen)
    _earlier(model, dataset)
    if measured.running:
        ticker.tick("compare", _LATER_MS)


def _earlier(model: LoadedModel, dataset: Dataset) -> None:
    """What was measured of this model on this data before, by any run on this machine."""
    records = kept.earlier(model, dataset)
    if not records:
        return
    with st.container(border=True, key="earlier_card"):
        with st.container(horizontal=True, vertical_alignment="center", key="earlier_head"):
            st.markdown(f"**Measured before** ({len(records)})", width="stretch")
            opens = st.empty()
        record = kept.table(records, "earlier_points")
        pressed = opens.button("Open on Explore", icon=":material/tune:", key="earlier_open", disabled=record is None)
        if pressed and record is not None:
            _open(record.point())


def _nothing(why: str) -> None:
    """What is missing and how to get it; ``why`` is empty where the frame has said it already."""
    with st.container(border=True, key="nothing_card"):
        st.markdown("**No curve without a measurement**")
        if why:
            st.markdown(plain(why, 400))
        st.caption(
            "A trade-off curve prunes the model step by step and measures each step on labelled samples. "
            "For that the file needs its architecture: choose it under Model at the top, or open a bundled model."
        )
        st.page_link(
            "pages/weights.py", label="Look at the weights instead", icon=":material/grid_on:", width="content"
        )


def _measured(model: LoadedModel, dataset: Dataset, found: list[Way]) -> Measured:
    """The jobs of these ways: begun by this call, unless the visitor stopped exactly this comparison."""
    signature = (model.identity, dataset.digest, *(way.spec.digest for way in found))
    if st.session_state.get(_STOPPED) == signature:
        jobs: list[Job | None] = [cache.jobs().find(curves.key(model, dataset, way.spec)) for way in found]
    else:
        st.session_state.pop(_STOPPED, None)
        jobs = [curves.job(model, dataset, way.label, way.spec) for way in found]
    if all(job is not None and job.state == "done" for job in jobs):
        st.session_state.pop(_STOPPED, None)
    known = [TradeOff(way.label, tuple(job.results) if job else ()) for way, job in zip(found, jobs, strict=True)]
    return Measured(model, dataset, found, jobs, known)


def _progress(measured: Measured) -> None:
    """How far it is, with Stop; what failed, in a sentence."""
    stopped = _STOPPED in st.session_state
    if measured.running and not stopped:
        done = sum(len(job.results) for job in measured.jobs if job)
        total = sum(job.total if job.active else len(job.results) for job in measured.jobs if job)
        with st.container(horizontal=True, vertical_alignment="center", key="compare_progress"):
            st.progress(min(1.0, done / total) if total else 0.0, f"Measuring: {done} of {total} points")
            st.button("Stop", icon=":material/stop:", on_click=_stop, args=(measured,), width="content")
    elif stopped:
        with st.container(horizontal=True, vertical_alignment="center", key="compare_progress"):
            st.caption("Stopped. What was measured stays.", width="content")
            st.button("Go on", icon=":material/play_arrow:", on_click=lambda: st.session_state.pop(_STOPPED, None))
    why = curves.failure([job for job in measured.jobs if job])
    if why:
        st.caption(f":material/error: {plain(why, 400)}")


def _stop(measured: Measured) -> None:
    """End this visitor's own jobs; one that another visitor began goes on for them."""
    signature = (measured.model.identity, measured.dataset.digest, *(way.spec.digest for way in measured.ways))
    st.session_state[_STOPPED] = signature
    for job in measured.running:
        if job.owner == session.owner():
            job.cancel()


def _chart(measured: Measured) -> None:
    axis: XName = st.session_state.get(f"_{_AXIS}", "compression_ratio")
    with st.container(horizontal=True, vertical_alignment="center", key="compare_head"):
        st.markdown("**Accuracy against size**", width="stretch")
        _axis(axis)
    known = measured.curves
    figure = tradeoff(
        known,
        now=_now(),
        budget=_points() / 100,
        x=axis,
        theme=chart_theme(),
        height=_HEIGHT,
    )
    chosen: Any = st.plotly_chart(
        figure, key=_CHART, on_select="rerun", selection_mode="points", theme=None, config=CONFIG
    )
    points = chosen.selection.points if chosen else []
    point = clicked(points[0].get("customdata"), known, ()) if points else None
    if point is not None:
        _open(point)
    with st.container(horizontal=True, vertical_alignment="center", key="compare_foot"):
        st.caption("Click a point to open its setting on Explore.", width="stretch")
        _pictures(known, axis, file_stem(measured.model.address))


def _axis(axis: XName) -> None:
    st.session_state[_AXIS] = axis
    st.segmented_control(
        "Against",
        list(_AXES),
        key=_AXIS,
        format_func=lambda name: _AXES[name],
        label_visibility="collapsed",
        wrap=True,
        help="MACs are theoretical: no dense kernel skips zeros. File size: of the smallest kind of file.",
        on_change=lambda: st.session_state.update({f"_{_AXIS}": st.session_state[_AXIS] or axis}),
    )


def _now() -> TradeOffPoint | None:
    """Where Explore stands, if that is measured."""
    work = session.workspace()
    present = work.spec.to_json()
    return next((p for p in reversed(work.tried) if p.spec == present), None)


def _pictures(known: list[TradeOff], axis: XName, stem: str) -> None:
    measured = [curve for curve in known if curve.points]
    for kind in ("PNG", "SVG"):
        st.download_button(
            kind,
            partial(_picture, kind, measured, axis),
            f"{stem}-tradeoff.{kind.lower()}",
            "image/png" if kind == "PNG" else "image/svg+xml",
            key=f"compare_{kind}",
            icon=":material/download:",
            on_click="ignore",
            disabled=not measured,
            help=f"For print, on white{', 300 dpi' if kind == 'PNG' else ', sharp at any size'}.",
        )


def _picture(kind: str, measured: list[TradeOff], axis: XName) -> bytes:
    """Made when the button is pressed: Matplotlib is not loaded before."""
    return charts.tradeoff_png(measured, x=axis) if kind == "PNG" else charts.tradeoff_svg(measured, x=axis)


def _points() -> float:
    """How many points of accuracy one would give up."""
    return float(st.session_state.get(f"_{_BUDGET}", 1.0))


def _budget(measured: Measured) -> None:
    """The question behind the chart: how small for how much accuracy."""
    st.markdown("**How far within a budget**")
    st.session_state[_BUDGET] = _points()
    st.number_input(
        "Points of accuracy one would give up",
        0.0,
        50.0,
        step=0.5,
        format="%.1f",
        key=_BUDGET,
        on_change=lambda: st.session_state.update({f"_{_BUDGET}": st.session_state[_BUDGET]}),
    )
    compare_tables.within(measured.ways, measured.curves, _points() / 100)
    n = len(measured.dataset.splits["tune"])
    st.caption(
        f"Every point prunes the dense model anew, without retraining, and is measured on the {n:,} samples of the "
        "tune split; the locked test split is not looked at. Bands are 95 % intervals."
    )
    st.caption(
        "Grey is pruning by chance: a criterion is worth something only where it lies above. Rings mark points that no "
        "other is both smaller and more accurate than."
    )


def _open(point: TradeOffPoint) -> None:
    """Take a point's setting to the explore page; undo there brings the old one back."""
    session.workspace().set(PruneSpec.from_json(point.spec))
    st.switch_page("pages/explore.py")
