"""Two settings in turns: one is held as A while the thresholds move on; and everything put back at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from explorer.analysis.two_settings import drop_between
from explorer.engine.jobs import Job
from explorer.errors import ExplorerError
from explorer.export.sizes import file_sizes
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.text.delta import DELTA, delta_with_ends
from explorer.text.names import clean_markdown
from explorer.text.numbers import bytes_text, level, percent
from explorer.types import Evaluation, Plan
from explorer.ui.explore.view import View
from explorer.ui.shell import cache, running, session, tasks
from explorer.workbench.workspace import Workspace

_HELD = "_setting_a"


@dataclass(frozen=True, eq=False)
class Held:
    """A setting that is held, of which model and data, and what was measured of it."""

    subject: tuple[str, str]
    spec: PruneSpec
    plan: Plan
    evaluation: Evaluation | None
    n_bytes: int


def line(view: View) -> bool:
    """Hold, swap and let go of A; reset all. With A held, what the present setting is against it.

    Returns whether A, come back with the link, is still being measured.
    """
    held, job = _held(view)
    with st.container(horizontal=True, vertical_alignment="center", key="ab_head"):
        ready = view.work.settled and not view.answer.pending
        st.button(
            "Hold as A", key="ab_hold", icon=":material/push_pin:", type="tertiary", on_click=_hold, args=(view,),
            disabled=not ready, help="Keeps this setting beside the ones that follow, to compare them and to go back.",
        )  # fmt: skip
        if held is not None:
            st.button(
                "Swap A and now", key="ab_swap", icon=":material/swap_horiz:", type="tertiary", on_click=_swap,
                args=(view, held), disabled=not ready,
            )  # fmt: skip
            st.button("Let go of A", key="ab_drop", type="tertiary", on_click=_let_go, args=(view.work,))
        st.button(
            "Reset all", key="reset_all", icon=":material/restart_alt:", type="tertiary", on_click=_reset,
            args=(view.work,), help="Nothing pruned, no locks, no limits. Undo brings the setting back.",
        )  # fmt: skip
    if held is not None:
        st.caption(_words(view, held))
    if job is not None and not job.active and not job.results:
        st.caption(f":material/error: A could not be measured: {clean_markdown(job.reason, 300)}")
    return job is not None and running.unfinished(job)


def _held(view: View) -> tuple[Held | None, Job | None]:
    """A, and the job that measures it anew where this session does not know it: it came with the link."""
    spec, held = view.work.setting_a, st.session_state.get(_HELD)
    if spec is None:
        return None, None
    if isinstance(held, Held) and held.subject == _subject(view) and held.spec == spec:
        return held, None
    try:
        plan = make_plan(view.model, spec, cache.scores(view.model, spec, view.dataset))
    except ExplorerError as error:
        session.notify(error)
        _let_go(view.work)
        return None, None
    n_bytes = min(int(m.value) for m in file_sizes(view.model, plan).values())
    restored = Held(_subject(view), spec, plan, None, n_bytes)
    if view.dataset is None or view.why_not is not None:
        return restored, None
    evaluator = tasks.context(view.model, view.dataset).evaluator
    key = ("setting A", *restored.subject, plan.digest)
    job = tasks.measured_once(key, "setting A", lambda: iter([evaluator.final(plan)]))
    if job.results:
        st.session_state[_HELD] = restored = replace(restored, evaluation=job.results[-1])
    return restored, job


def _subject(view: View) -> tuple[str, str]:
    metric = view.work.source.metric or ""
    return view.model.identity, f"{view.dataset.digest if view.dataset is not None else ''}/{metric}"


def _smallest(view: View) -> int:
    return min(int(m.value) for m in file_sizes(view.model, view.plan).values())


def _now(view: View) -> Held:
    return Held(_subject(view), view.work.spec, view.plan, view.evaluation, _smallest(view))


def _hold(view: View) -> None:
    st.session_state[_HELD] = _now(view)
    view.work.setting_a = view.work.spec


def _swap(view: View, held: Held) -> None:
    _hold(view)
    view.work.set(held.spec)


def _let_go(work: Workspace) -> None:
    work.setting_a = None
    st.session_state.pop(_HELD, None)


def _reset(work: Workspace) -> None:
    work.set(PruneSpec(work.spec.granularity, work.spec.criterion))


def _words(view: View, held: Held) -> str:
    """A in a line, and the change from A to now on the same samples."""
    spec = held.spec
    how = f"{spec.granularity.label.lower()} by {spec.criterion.label.lower()}, {spec.allocation.label.lower()}"
    how += "" if spec.then is None else ", then single weights"
    of_a = "" if held.evaluation is None else f", {level(held.evaluation.accuracy)}"
    text = f"**A** {how}: {percent(held.plan.pruned_share)} pruned{of_a}, {bytes_text(held.n_bytes)}."
    if held.plan.digest == view.plan.digest:
        return f"{text} Move a line: what changes is told against A."
    now, sizes = view.evaluation, f"file {bytes_text(held.n_bytes)} → {bytes_text(_smallest(view))}"
    labels = None if view.dataset is None else view.dataset.splits["tune"].y
    drop = None if now is None or held.evaluation is None else drop_between(held.evaluation, now, labels)
    if drop is None:
        return f"{text} **Now against A** {sizes}."
    change = clean_markdown(delta_with_ends(drop), 80)
    return f"{text} **Now against A** {DELTA} {change}, measured on the same {drop.n:,} samples; {sizes}."
