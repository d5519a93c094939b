"""How far background work is, as every page says it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explorer.engine.jobs import Job
from explorer.errors import ExplorerError
from explorer.tasks.activations import ActivationRequest
from explorer.ui.shell import session
from explorer.ui.shell.tasks import JobKey


def page() -> None:
    """Draws the card of a job, and its Stop."""
    import streamlit as st

    from explorer.ui.widgets import progress

    job = st.session_state["job"]
    progress.stop_button([job], "stop")
    progress.card(job, "measurement", done="All there.")


def drawn(job: Job) -> AppTest:
    at = AppTest.from_function(page)
    at.session_state["job"] = job
    return at.run()


def job_of(owner: str, results: list[Any] | None = None, error: Exception | None = None) -> Job:
    def run() -> Iterator[Any]:
        yield from results or []
        if error is not None:
            raise error

    return Job(JobKey("a digest", ActivationRequest(), "m", "d"), owner, "skipped activations", run, 5)


@pytest.fixture(autouse=True)
def me(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "owner", lambda: "ann")


def test_what_waits_says_so_and_only_its_owner_may_stop_it() -> None:
    mine, another = drawn(job_of("ann")), drawn(job_of("bob"))
    assert [mine.get("progress")[0].proto.text, len(mine.button)] == ["Waiting for its turn", 1]
    assert [another.get("progress")[0].proto.text, len(another.button)] == ["Waiting for its turn", 0]


def test_stop_ends_the_job_and_says_after_how_much() -> None:
    at = drawn(job_of("ann"))
    at.button(key="stop").click().run()
    assert at.session_state["job"].state == "cancelled"
    assert at.caption[0].value == "Stopped after 0 of 5 points; what was measured is kept."
    assert not at.button


def test_what_ended_says_how() -> None:
    done, failed = job_of("ann"), job_of("ann", error=ExplorerError("Nothing is here."))
    done._run()
    failed._run()
    assert drawn(done).caption[0].value == "All there."
    assert drawn(failed).error[0].value == "The measurement ended early: Nothing is here\\."
