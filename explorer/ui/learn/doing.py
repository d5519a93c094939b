"""Something to do: the real histograms with only the controls that the lesson names."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import streamlit as st

from explorer import component
from explorer.errors import ExplorerError
from explorer.lessons.lesson import Do
from explorer.pruning import allocation
from explorer.pruning.plan import plan as make_plan
from explorer.text.numbers import percent_asked
from explorer.types import Plan, PruningGroup, Scores
from explorer.ui.learn.view import LessonView
from explorer.ui.shell import cache, live, session
from explorer.ui.widgets import histogram, summary
from explorer.workbench.apply import apply
from explorer.workbench.events import DragEvent
from explorer.workbench.lines import common_lines
from explorer.workbench.workspace import Workspace

KEY = "lesson_lines"
_PRESETS = (0.0, 0.3, 0.5, 0.9)
_ALWAYS = ("threshold", "share", "reset", "undo", "redo")


def draw(view: LessonView, block: Do) -> bool:
    """The instruction, the facts and the lines; True while the setting is not measured on all samples yet."""
    work, hidden = view.work, view.hide
    controls = tuple(control for control in block.controls if control not in hidden)
    st.markdown(f":material/touch_app: {view.t(block.text)}")
    scores = session.scores(view.model, view.dataset)
    _listen(view, controls)
    plan = _plan(view, scores)
    answer, why_not = live.answer(view.model, view.dataset, plan)
    summary.draw(summary.facts(view.model, plan, answer, why_not, view.dataset))
    if "presets" in controls:
        _presets(work, is_off=view.is_frozen)
    if "lines" in controls:
        _lines(view, scores, plan, controls, _shown(block, scores))
    return answer.pending


def _listen(view: LessonView, controls: tuple[str, ...]) -> None:
    """Take what the hand did; what the lesson hides does not come through, wherever it was sent from."""
    kinds = (*_ALWAYS, *(("mode",) if "mode" in controls else ()))
    events = [event for event in histogram.new_events(KEY, session.notify) if event.kind in kinds]
    if view.is_frozen and events:
        view.work.touch()  # so that the browser's lines go back to where they are
        return
    if "mode" not in controls:
        events = [_alone(event) for event in events]
    for refusal in apply(view.work, events, view.model, lambda spec: cache.scores(view.model, spec, view.dataset)):
        session.notify(refusal)


def _alone(event: DragEvent) -> DragEvent:
    return replace(event, mode="alone")


def _plan(view: LessonView, scores: Scores) -> Plan:
    work = view.work
    try:
        return make_plan(view.model, work.spec, scores)
    except ExplorerError as error:
        session.notify(error)
        work.set(replace(work.spec, allocation=type(work.spec.allocation)(), limits=(), then=None))
        return make_plan(view.model, work.spec, scores)


def _presets(work: Workspace, *, is_off: bool) -> None:
    with st.container(horizontal=True, key="learn_presets"):
        for share in _PRESETS:
            label = "Dense" if share == 0 else percent_asked(share)
            st.button(label, key=f"learn_preset_{share}", disabled=is_off, on_click=partial(_preset, work, share))


def _preset(work: Workspace, share: float) -> None:
    work.set(replace(work.spec, allocation=allocation.get("uniform", sparsity=share)))


def _shown(block: Do, scores: Scores) -> tuple[PruningGroup, ...]:
    groups = cache.listed(scores.groups)
    if not block.layers:
        return tuple(groups)
    return tuple(group for group in groups if group.name in block.layers or set(group.layers) & set(block.layers))


def _lines(
    view: LessonView, scores: Scores, plan: Plan, controls: tuple[str, ...], shown: tuple[PruningGroup, ...]
) -> None:
    work = view.work
    hide = ("scale", "search", "tools", *(() if "mode" in controls else ("mode",)))
    fixed = component.static_part(
        shown, {g.name: scores.values[g.name] for g in shown if g.name in scores.values}, hide=hide
    )
    state = component.ListState(
        revision=work.revision,
        scale="linear",
        mode=work.mode if "mode" in controls else "alone",
        lines=common_lines(work.spec, scores, plan),
        can_undo=work.can_undo,
        can_redo=work.can_redo,
    )
    listen = partial(_listen, view, controls)
    histogram.draw(fixed, component.dynamic_part(fixed, plan, state), key=KEY, on_commit=listen)
