"""What a scan measured, in cards: heat map, curves, kind by depth, one level across layers, layers together."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from explorer import charts as printed
from explorer.analysis.sensitivity.by_block import BlockGrid, by_block
from explorer.analysis.sensitivity.scan import Sensitivity, joint, scan_json
from explorer.charts import sensitivity as charts
from explorer.export.naming import export_name
from explorer.pruning.allocation import PerLayer
from explorer.pruning.plan import plan as make_plan
from explorer.tasks.scan import ScanRequest
from explorer.text.delta import delta_text, named, unit_words, worse_is_up
from explorer.text.names import clean_markdown
from explorer.text.numbers import percent
from explorer.text.spreadsheet import csv_text
from explorer.types import Dataset, LoadedModel
from explorer.ui.shell import cache, live, session, ticker
from explorer.ui.shell.theme import chart_theme
from explorer.ui.widgets import chart

_BUDGET = 0.01
_SHOWN = 4  # curves, unless others are chosen
_LATER_MS = 500


def draw(model: LoadedModel, dataset: Dataset, request: ScanRequest, measured: Sensitivity, *, is_whole: bool) -> None:
    """All of them; ``is_whole`` where nothing more comes."""
    # What is chosen for the visitor is chosen anew while there is less to choose from than is shown, and at the end.
    part = "all" if is_whole else f"{min(_SHOWN, len(measured.groups))}_so_far"
    left, right = st.columns([1.1, 1])
    with left, st.container(border=True, key="heat_card", height="stretch"):
        _heat(model, dataset, request, measured)
    with right, st.container(border=True, key="curve_card", height="stretch"):
        _curves(measured, part, is_whole=is_whole)
    if (table := by_block(_scannable(model, dataset, request))) is not None:
        with st.container(border=True, key="block_card"):
            _by_block(measured, table, request.levels)
    below_left, below_right = st.columns([1.1, 1])
    with below_left, st.container(border=True, key="rank_card", height="stretch"):
        _ranking(measured, request.levels)
    with below_right, st.container(border=True, key="joint_card", height="stretch"):
        _joint(model, dataset, measured)


def _heat(model: LoadedModel, dataset: Dataset, request: ScanRequest, measured: Sensitivity) -> None:
    scores, names = cache.scores(model, request.spec, dataset), _scannable(model, dataset, request)
    with st.container(horizontal=True, vertical_alignment="center", key="heat_head"):
        st.header("What each layer costs alone", anchor=False, width="stretch")
        files: dict[str, Callable[[], str | bytes]] = {
            "CSV": lambda: csv_text(measured.table()),
            "JSON": lambda: json.dumps(
                scan_json(model, dataset, request.spec, scores, measured, mode=request.mode), indent=1
            ),
            "PNG": lambda: printed.sensitivity_png(measured, names, request.levels),
        }
        for kind, content in files.items():
            spec = request.spec
            stem = export_name(model.address, request.mode, "sensitivity", settings=[spec])
            name = f"{stem}.{kind.lower()}"
            st.download_button(kind, content, name, key=f"scan_{kind.lower()}", on_click="ignore")
    figure = charts.heatmap(measured, names, request.levels, theme=chart_theme())
    chosen = chart.draw(figure, "scan_heat", on_select="rerun", selection_mode="points")
    open_cell(chosen)
    some, finished = measured.cells[0], [cell.n for cell in measured.cells if cell.complete]
    n = min(finished, default=0)
    samples = f"{n:,}" if n == some.total else f"{n:,} or more of {some.total:,}"
    partial = "" if measured.complete else " ≈: of some of them so far."
    st.caption(
        f"{_of_what(measured)}, {some.drop.origin} on {samples} samples of the tune split.{partial} "
        f"{_one(measured)}; no colour: the 95 % interval covers zero. Empty: not measured. "
        "Click a number to open that setting on Explore."
    )


def _scannable(model: LoadedModel, dataset: Dataset, request: ScanRequest) -> list[str]:
    return [group.name for group in cache.scores(model, request.spec, dataset).groups if group.why_not is None]


def _by_block(measured: Sensitivity, table: BlockGrid, levels: tuple[float, ...]) -> None:
    level = _level("By kind and depth", "scan_block_level", levels)
    chosen = chart.draw(
        charts.by_block_map(measured, table, level, theme=chart_theme()),
        "scan_block",
        on_select="rerun",
        selection_mode="points",
    )
    open_cell(chosen)
    st.caption(
        f"The cells at {percent(level, 0)} of each layer: kinds of layer down, blocks across. A dark row is a kind of "
        "layer that suffers at every depth; a dark column, a block that suffers in every part."
    )


def _level(title: str, key: str, levels: tuple[float, ...]) -> float:
    """The head of a card of one level, and the level that is chosen there."""
    with st.container(horizontal=True, vertical_alignment="center", key=f"{key}_head"):
        st.header(title, anchor=False, width="stretch")
        return st.selectbox(
            title, levels, len(levels) // 2, format_func=lambda v: percent(v, 0),
            label_visibility="collapsed", width=110, key=f"{key}_{len(levels)}",
        )  # fmt: skip


def _of_what(measured: Sensitivity) -> str:
    return clean_markdown(named(measured.judged)) + unit_words(measured.as_drop(0.0, ""))


def _one(measured: Sensitivity) -> str:
    if worse_is_up(measured.as_drop(0.0, "")):
        return "Pruned minus dense: positive is worse"
    return "−1 is one point below the dense model" if measured.is_fraction else "Pruned minus dense: negative is worse"


def open_cell(chosen: object) -> None:
    """Take the setting of a number that was clicked to the explore page; undo there brings the old one back."""
    points = getattr(getattr(chosen, "selection", None), "points", None) or []
    if not points or not points[0].get("customdata"):
        return
    group, level = points[0]["customdata"]
    work = session.workspace()
    work.set(replace(work.spec, allocation=PerLayer(0.0, ((str(group), float(level)),))))
    st.switch_page("pages/explore.py")


def _curves(measured: Sensitivity, part: str, *, is_whole: bool) -> None:
    st.header("Layer by layer", anchor=False)
    chosen = st.multiselect(
        "Layers",
        measured.groups,
        default=list(dict.fromkeys([*measured.fragility(), *measured.groups]))[:_SHOWN],
        key=f"scan_layers_{part}",
        label_visibility="collapsed",
    )
    figure = charts.curves(measured, chosen, budget=_BUDGET if measured.is_fraction else None, theme=chart_theme())
    chart.draw(figure, "scan_curves")
    # Of a scan that goes on, or was stopped, what is most fragile so far may be what came first.
    fragile = measured.fragile_words if is_whole else "Which layer is the most fragile is said once all is scanned."
    st.caption(f"{clean_markdown(fragile, 400)} Dotted: 1 point below dense. Bands: paired 95 % intervals.")


def _ranking(measured: Sensitivity, levels: tuple[float, ...]) -> None:
    level = _level("One level across layers", "scan_level", levels)
    figure = charts.ranked(measured, level, theme=chart_theme())
    chart.draw(figure, "scan_rank")


def _joint(model: LoadedModel, dataset: Dataset, measured: Sensitivity) -> None:
    st.header("Layers together", anchor=False)
    work = session.workspace()
    plan = make_plan(model, work.spec, cache.scores(model, work.spec, dataset))
    if not plan.n_pruned:
        st.caption(
            "What the setting on Explore costs, measured, beside the sum of what its layers cost alone. "
            "Nothing is pruned there yet: move some lines first."
        )
        return
    answer = live.measure(model, dataset, plan)
    if answer.stale or answer.evaluation is None or not answer.evaluation.complete:
        st.caption("Measuring the present setting …")
        ticker.tick("joint", _LATER_MS)
        return
    both = joint(measured, plan, answer.evaluation)
    figure = charts.interaction(both, judged=measured.judged, theme=chart_theme())
    chart.draw(figure, "scan_joint")
    st.caption(
        f"Predicted {delta_text(both.predicted)} (estimated: {clean_markdown(both.predicted.note, 200)}) "
        f"Measured {delta_text(both.measured)}: {both.words}."
    )
