"""The sensitivity page: what each layer costs if it alone is pruned."""

from __future__ import annotations

import json
from typing import get_args

import streamlit as st

from explorer import charts as printed
from explorer.analysis.sensitivity import LEVELS, Mode, Sensitivity, energy, joint
from explorer.charts import CONFIG
from explorer.charts import sensitivity as charts
from explorer.charts.text import percent, points
from explorer.engine.jobs import Job
from explorer.pruning.plan import plan as make_plan
from explorer.types import Dataset, LoadedModel, Scores
from explorer.ui import cache, live, running, scans, session, ticker
from explorer.ui.tables import file_stem
from explorer.ui.text import plain
from explorer.ui.theme import chart_theme

_GRIDS: dict[str, tuple[float, ...]] = {
    "coarse": (0.25, 0.5, 0.75, 0.9),
    "usual": LEVELS,
    "fine": (*(round(0.05 * i, 2) for i in range(1, 20)), 0.97, 0.99),
}
_MODES = {
    "exact": "every sample in float32, with the same counts as a plain loop",
    "verified": "bfloat16 where it is faster; close calls and audited cells again in float32",
    "estimate": "samples until each drop is known to ±1 point",
}
_BUDGET = 0.01
_LATER_MS = 500


@st.fragment
def page(model: LoadedModel, dataset: Dataset | None) -> None:
    """Controls, heat map, curves, ranking, interaction; reruns by itself while a scan runs."""
    session.show_notices()
    why = live.why_not(model, dataset)
    session.scores(model, dataset if why is None else None)  # a criterion that cannot be computed is replaced here
    if why is not None or dataset is None:
        _without_data(model, why or "There is no data to judge the model on.")
        return
    with st.container(border=True, key="scan_card"):
        wanted, job = _controls(model, dataset)
    found = scans.result(job)
    names = [k.name for k in cache.scores(model, wanted.spec, dataset).knobs if k.why_not is None]
    if found.cells:
        # What is chosen for the visitor is chosen anew once all cells are there to choose from.
        part = "all" if job is not None and job.state == "done" else "so_far"
        _results(model, dataset, found, names, wanted.levels, part)
    else:
        with st.container(border=True, key="look_card"):
            st.markdown("**What each layer costs alone**")
            st.caption(
                "Scan prunes one layer at a time and measures what it costs: as a heat map, one curve for each layer, "
                "and a ranking. Until then, what the weights alone say:"
            )
            _quick_look(model, cache.scores(model, wanted.spec, dataset), names, wanted.levels)
    if running.is_stale():
        st.rerun()
    if job is not None and job.active:
        ticker.tick("scan", _LATER_MS)


def _results(
    model: LoadedModel, dataset: Dataset, found: Sensitivity, names: list[str], levels: tuple[float, ...], part: str
) -> None:
    left, right = st.columns([1.1, 1])
    with left, st.container(border=True, key="heat_card", height="stretch"):
        _heat(model, dataset, found, names, levels)
    with right, st.container(border=True, key="curve_card", height="stretch"):
        _curves(found, part)
    below_left, below_right = st.columns([1.1, 1])
    with below_left, st.container(border=True, key="rank_card", height="stretch"):
        _ranking(found, part)
    with below_right, st.container(border=True, key="joint_card", height="stretch"):
        _joint(model, dataset, found)


def _without_data(model: LoadedModel, why: str) -> None:
    with st.container(border=True, key="scan_nothing_card"):
        st.markdown("**No scan without a measurement**")
        if not model.why_not_runnable:  # else it is said right above
            st.markdown(plain(why, 400))
        known = session.scores(model, None)
        names = [k.name for k in known.knobs if k.why_not is None]
        _quick_look(model, known, names, LEVELS)


def _controls(model: LoadedModel, dataset: Dataset) -> tuple[scans.Wanted, Job | None]:
    spec = session.workspace().spec
    with st.container(horizontal=True, vertical_alignment="bottom", key="scan_controls"):
        grid = st.segmented_control("Levels", list(_GRIDS), default="usual", key="scan_grid") or "usual"
        chosen = st.segmented_control("Mode", get_args(Mode), default="exact", key="scan_mode") or "exact"
        mode: Mode = next(m for m in get_args(Mode) if m == chosen)
        wanted = scans.Wanted(spec, _GRIDS[grid], mode)
        job = scans.find(model, dataset, wanted)
        if job is not None and job.active:
            st.button("Stop", icon=":material/stop_circle:", on_click=job.cancel, key="scan_stop")
        elif job is None or job.state != "done":
            label = "Go on" if job is not None and job.results else "Scan"
            if st.button(label, icon=":material/play_arrow:", type="primary", key="scan_start"):
                job = scans.start(model, dataset, wanted)
                st.rerun(scope="fragment")
    unit, by = spec.granularity.label, spec.criterion.label.lower()
    st.caption(
        f"{unit} by {by}, as on Explore. {mode.capitalize()}: {_MODES[mode]}. Every cell prunes the dense model."
    )
    if job is not None:
        _progress(job)
    return wanted, job


def _progress(job: Job) -> None:
    found = scans.result(job)
    if job.active:
        left = f", about {job.seconds_left:.0f} s left" if job.seconds_left else ""
        st.progress(job.progress, f"{job.n_done} of {job.total} cells{left}")
    elif job.state == "failed":
        st.error(f"The scan ended early: {plain(job.reason, 300)}", icon=":material/error:")
    elif job.state == "cancelled":
        st.caption(f"Stopped after {job.n_done} of {job.total} cells; they are kept. {plain(found.audit, 200)}")
    else:
        st.caption(f"{job.total} cells measured. {plain(found.audit, 200)}")


def _heat(
    model: LoadedModel, dataset: Dataset, found: Sensitivity, names: list[str], levels: tuple[float, ...]
) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="heat_head"):
        st.markdown("**What each layer costs alone**", width="stretch")
        _downloads(model, found, names, levels)
    figure = charts.heatmap(found, names, levels, theme=chart_theme())
    st.plotly_chart(figure, key="scan_heat", theme=None, config=CONFIG)
    what = "accuracy" if dataset.splits["tune"].y is not None else "agreement with the dense model"
    st.caption(f"Points of {what} lost on the tune split, measured. Empty: not measured yet.")


def _downloads(model: LoadedModel, found: Sensitivity, names: list[str], levels: tuple[float, ...]) -> None:
    stem = f"{file_stem(model.address)}-sensitivity"
    st.download_button("CSV", found.to_csv, f"{stem}.csv", "text/csv", key="scan_csv", on_click="ignore")
    st.download_button(
        "JSON", lambda: json.dumps(found.to_json(), indent=1), f"{stem}.json", key="scan_json", on_click="ignore"
    )
    st.download_button(
        "PNG", lambda: printed.sensitivity_png(found, names, levels), f"{stem}.png", key="scan_png", on_click="ignore"
    )


def _quick_look(model: LoadedModel, scores: Scores, names: list[str], levels: tuple[float, ...]) -> None:
    """Before a scan: what the weights alone say, labelled as no measurement."""
    if not names:
        st.caption("Nothing of this model can be pruned in these units; Explore says why for each layer.")
        return
    spec = session.workspace().spec
    rows: dict[str, dict[str, str]] = {name: {"Layer": name} for name in names}
    for e in energy(model, spec, levels, scores=scores):
        rows[e.knob][percent(e.level, 0)] = percent(e.removed.value)
    st.dataframe(list(rows.values()), hide_index=True)
    st.caption("Share of the squared weights that goes with so much of the layer: counted, no measure of accuracy.")


def _curves(found: Sensitivity, part: str) -> None:
    st.markdown("**Layer by layer**")
    fragile = list(found.fragility())
    chosen = st.multiselect(
        "Layers", found.knobs, default=fragile[:4], key=f"scan_layers_{part}", label_visibility="collapsed"
    )
    figure = charts.curves(found, chosen, budget=_BUDGET, theme=chart_theme())
    st.plotly_chart(figure, key="scan_curves", theme=None, config=CONFIG)
    names = ", ".join(plain(name) for name in found.most_fragile())
    st.caption(f"Most fragile 5 %: **{names}**. Dotted: 1 point below dense. Bands: paired 95 % intervals.")


def _ranking(found: Sensitivity, part: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="rank_head"):
        st.markdown("**One level across layers**", width="stretch")
        levels = list(found.levels)
        middle = levels[len(levels) // 2]
        level = st.selectbox(
            "Level", levels, levels.index(middle), format_func=lambda v: percent(v, 0), label_visibility="collapsed",
            width=110, key=f"scan_level_{part}",
        )  # fmt: skip
    figure = charts.ranked(found, level, theme=chart_theme())
    st.plotly_chart(figure, key="scan_rank", theme=None, config=CONFIG)


def _joint(model: LoadedModel, dataset: Dataset, found: Sensitivity) -> None:
    st.markdown("**Layers together**")
    work = session.workspace()
    plan = make_plan(model, work.spec, cache.scores(model, work.spec, dataset))
    if not plan.n_pruned:
        st.caption(
            "The drop of the setting on Explore, measured, beside the sum of the single drops of its layers. "
            "Nothing is pruned there yet: move some lines first."
        )
        return
    answer = live.measure(model, dataset, plan)
    if answer.stale or answer.evaluation is None or not answer.evaluation.complete:
        st.caption("Measuring the present setting …")
        ticker.tick("joint", _LATER_MS)
        return
    both = joint(found, plan, answer.evaluation)
    st.plotly_chart(charts.interaction(both, theme=chart_theme()), key="scan_joint", theme=None, config=CONFIG)
    gap = both.interaction
    words = "make each other worse" if gap > 0 else "hurt less together than one by one"
    st.caption(
        f"Predicted {points(-both.predicted.value)} (estimated: {plain(both.predicted.note, 200)}) "
        f"Measured together {points(-both.measured.value)}: the layers {words}."
    )
