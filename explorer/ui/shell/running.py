"""The background work of this visitor, in the header while it runs."""

from __future__ import annotations

import time

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.engine.jobs import Job
from explorer.text.names import clean_markdown
from explorer.ui.shell import cache, session, tasks, ticker

_EVERY_MS = 700
_SHOWN, _SINCE = "_running_shown", "_drawn_since"


def reserve() -> DeltaGenerator:
    """The place in the header that :func:`show` fills in the same run, once the page has begun its work."""
    st.session_state[_SHOWN] = None
    return st.container(width="content")


def show(place: DeltaGenerator) -> None:
    """Draw the header's chip, at the end of a whole run."""
    with place:
        _chip()


def is_stale() -> bool:
    """Whether work began in a fragment that the header, drawn before, does not show."""
    shown = st.session_state.get(_SHOWN)
    return shown is False and bool(_active())


def drawing() -> None:
    """A page begins to draw, perhaps alone: the link says what was chosen, and what ends from now on is drawn anew."""
    st.session_state[_SINCE] = time.monotonic()
    session.write_link(session.workspace())


def unfinished(job: Job | None) -> bool:
    """Whether the page must draw this work again: it runs, or it ended after :func:`drawing`.

    A page looks at a job several times. One that ended in between would stay on the screen as it was before.
    """
    if job is None:
        return False
    return job.active or not job.finished or job.finished >= float(st.session_state.get(_SINCE, 0.0))


def _active() -> list[Job]:
    # Who only follows a job must not stop it for the one who began it.
    me = session.owner()
    return [job for job in cache.jobs().of(me) if job.active and job.owner == me]


@st.fragment
def _chip() -> None:
    """How many jobs run; opens to their progress, each with a button that stops it."""
    active = _active()
    st.session_state[_SHOWN] = bool(active)
    if not active:
        return
    n_waiting = sum(job.state == "queued" for job in active)
    counts = [f"{n} {word}" for n, word in ((len(active) - n_waiting, "running"), (n_waiting, "waiting")) if n]
    with st.popover(", ".join(counts), icon=":material/hourglass_top:"):
        for job in active:
            _row(job)
    ticker.tick("running", _EVERY_MS)


def _row(job: Job) -> None:
    left = job.seconds_left
    waits = tasks.waiting_behind(job) if job.state == "queued" else f"{job.n_done} of {job.total}"
    ends = f", about {left:.0f} s left" if left is not None and left >= 1 else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(job.progress, f"{clean_markdown(job.title, 90)} · {clean_markdown(waits, 200)}{ends}")
        st.button("Stop", key=f"stop_{job.id}", on_click=job.cancel, help="What is measured so far is kept.")
