"""How far background work is: one bar, one sentence and one Stop, for every page."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from explorer.engine.jobs import Job
from explorer.text.names import clean_markdown
from explorer.ui.shell import tasks
from explorer.ui.shell.tasks import JobKey


def stop_button(jobs: Sequence[Job | None], key: str) -> None:
    """Stop, where this visitor began one of these jobs that runs or waits."""
    if tasks.own(jobs):
        st.button(
            "Stop",
            icon=":material/stop_circle:",
            key=key,
            on_click=tasks.stop,
            args=(jobs,),
            help="What is measured so far is kept.",
        )


def card(job: Job, name: str, *, text: str = "", stopped: str = "", done: str = "") -> None:
    """A bar while it waits or runs; a sentence where it failed, was stopped or is ``done``.

    ``name`` is what ended early ("scan"). ``text`` says how far it is and ``stopped`` after how much it was stopped,
    where the number of results and the last one of them do not.
    """
    unit = job.key.request.unit if isinstance(job.key, JobKey) else "results"
    if job.active:
        st.progress(job.progress, _running(job, unit, text))
    elif job.state == "failed":
        st.error(f"The {name} ended early: {clean_markdown(job.reason, 300)}", icon=":material/error:")
    elif job.state == "cancelled":
        after = stopped or f"{job.n_done} of {job.total} {unit}"
        st.caption(f"Stopped after {after}; what was measured is kept.")
    elif done:
        st.caption(done)


def several(jobs: Sequence[Job], key: str, go_on: Callable[[], None]) -> None:
    """The same of jobs that are one piece of work to the visitor: one bar and one Stop, or Go on after it."""
    active = [job for job in jobs if job.active]
    if active:
        done, total = counted(jobs)
        st.progress(min(1.0, done / total) if total else 0.0, f"Measuring: {done} of {total} points")
        stop_button(active, f"{key}_stop")
    elif any(tasks.is_stopped(job) for job in jobs):
        st.caption("Stopped. What was measured stays.", width="content")
        st.button("Go on", icon=":material/play_arrow:", key=f"{key}_go_on", on_click=go_on)


def why_missing(jobs: Sequence[Job]) -> None:
    """Why a result is missing, in a sentence, where one of the jobs failed."""
    why = tasks.failure(jobs)
    if why:
        st.caption(f":material/error: {clean_markdown(why, 400)}")


def counted(jobs: Sequence[Job]) -> tuple[int, int]:
    """How many results there are, and how many there will be: a job that has ended has all of its."""
    done = sum(len(job.results) for job in jobs)
    return done, sum(job.total if job.active else len(job.results) for job in jobs)


def _running(job: Job, unit: str, text: str) -> str:
    """ "12 of 30 cells, conv1 at 50%: 97.2%, about 8 s left"."""
    if job.state == "queued":
        words = clean_markdown(tasks.waiting_behind(job), 200)
        return words[:1].upper() + words[1:]
    seconds, doing = job.seconds_left, tasks.doing(job)
    left = f", about {seconds:.0f} s left" if seconds is not None and seconds >= 1 else ""
    how_far = text or f"{job.n_done} of {job.total} {unit}" + (f", {doing}" if doing else "")
    return clean_markdown(how_far, 200) + left
