"""What an ended thread of scripts has drawn comes to the page before the next thread begins."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from streamlit.runtime.app_session import AppSession, AppSessionState

from explorer.ui.serving.whole_runs import behind, pass_on_whole_runs


@dataclass
class Runner:
    """A thread of scripts: one that has ended takes no request any more."""

    has_ended: bool = True
    taken: list[str] = field(default_factory=list)

    def request_rerun(self, asked: str) -> bool:
        if not self.has_ended:
            self.taken.append(asked)
        return not self.has_ended


class Session:
    """As much of Streamlit's session as begins threads and hears of them: it ignores all but the present one."""

    def __init__(self) -> None:
        self._event_loop = asyncio.get_running_loop()
        self._state = AppSessionState.APP_IS_RUNNING
        self._scriptrunner: Runner | None = Runner()
        self.drawn: list[str] = []

    def emit(self, runner: Runner, message: str) -> None:
        self._event_loop.call_soon_threadsafe(self._hear, runner, message)

    def _hear(self, runner: Runner, message: str) -> None:
        if runner is self._scriptrunner:
            self.drawn.append(message)


def create(session: Any, asked: Any) -> None:
    session._scriptrunner = Runner(has_ended=False, taken=[asked])


def test_what_an_ended_thread_has_left_in_the_queue_is_drawn_before_the_next_thread_begins() -> None:
    async def ask(begin: Any) -> list[str]:
        session = Session()
        assert session._scriptrunner is not None
        for message in ("facts", "finished"):
            session.emit(session._scriptrunner, message)
        begin(session, "poll")
        for _ in range(5):
            await asyncio.sleep(0)
        assert session._scriptrunner.taken == ["poll"]
        return session.drawn

    assert asyncio.run(ask(create)) == []  # what Streamlit does
    assert asyncio.run(ask(behind(create))) == ["facts", "finished"]


def test_two_requests_at_once_get_one_thread_and_a_session_without_a_thread_gets_it_at_once() -> None:
    async def ask() -> None:
        session, begin = Session(), behind(create)
        begin(session, "one")  # type: ignore[arg-type]
        begin(session, "two")  # type: ignore[arg-type]
        await asyncio.sleep(0.01)
        assert session._scriptrunner is not None
        assert session._scriptrunner.taken == ["one", "two"]
        session._scriptrunner = None
        begin(session, "three")  # type: ignore[arg-type]
        assert session._scriptrunner == Runner(has_ended=False, taken=["three"])

    asyncio.run(ask())


def test_a_session_that_was_shut_down_meanwhile_begins_nothing() -> None:
    async def ask() -> None:
        session = Session()
        ended = session._scriptrunner
        behind(create)(session, "late")  # type: ignore[arg-type]
        session._state = AppSessionState.SHUTDOWN_REQUESTED
        await asyncio.sleep(0.01)
        assert session._scriptrunner is ended

    asyncio.run(ask())


def test_streamlit_has_the_parts_that_this_hangs_on_and_they_are_wrapped_once(monkeypatch: Any) -> None:
    monkeypatch.setattr(AppSession, "_create_scriptrunner", AppSession._create_scriptrunner)
    pass_on_whole_runs()
    first = AppSession._create_scriptrunner
    pass_on_whole_runs()
    assert AppSession._create_scriptrunner is first
    assert hasattr(first, "begins_behind")
    used = AppSession.request_rerun.__code__.co_names
    assert {"_create_scriptrunner", "_scriptrunner", "request_rerun"} <= set(used)
