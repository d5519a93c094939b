"""Two settings in turns: one is held as A while the thresholds move on; and everything put back at once."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from explorer.analysis.two_settings import drop_between
from explorer.export.sizes import file_sizes
from explorer.pruning.spec import PruneSpec
from explorer.text.delta import DELTA, delta_with_ends
from explorer.text.names import clean_markdown
from explorer.text.numbers import bytes_text, level, percent
from explorer.types import Evaluation, Plan
from explorer.ui.explore.view import View
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


def line(view: View) -> None:
    """Hold, swap and let go of A; reset all. With A held, what the present setting is against it."""
    held = _held(view)
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
            st.button("Let go of A", key="ab_drop", type="tertiary", on_click=_let_go)
        st.button(
            "Reset all", key="reset_all", icon=":material/restart_alt:", type="tertiary", on_click=_reset,
            args=(view.work,), help="Nothing pruned, no locks, no limits. Undo brings the setting back.",
        )  # fmt: skip
    if held is not None:
        st.caption(_words(view, held))


def _held(view: View) -> Held | None:
    held = st.session_state.get(_HELD)
    return held if isinstance(held, Held) and held.subject == _subject(view) else None


def _subject(view: View) -> tuple[str, str]:
    metric = view.work.source.metric or ""
    return view.model.identity, f"{view.dataset.digest if view.dataset is not None else ''}/{metric}"


def _smallest(view: View) -> int:
    return min(int(m.value) for m in file_sizes(view.model, view.plan).values())


def _now(view: View) -> Held:
    return Held(_subject(view), view.work.spec, view.plan, view.evaluation, _smallest(view))


def _hold(view: View) -> None:
    st.session_state[_HELD] = _now(view)


def _swap(view: View, held: Held) -> None:
    st.session_state[_HELD] = _now(view)
    view.work.set(held.spec)


def _let_go() -> None:
    st.session_state.pop(_HELD, None)


def _reset(work: Workspace) -> None:
    work.set(PruneSpec(work.spec.granularity, work.spec.criterion))


def _words(view: View, held: Held) -> str:
    """A in a line, and the change from A to now on the same samples."""
    spec = held.spec
    how = f"{spec.granularity.label.lower()} by {spec.criterion.label.lower()}, {spec.allocation.label.lower()}"
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
