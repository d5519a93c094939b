"""What a run has drawn reaches the page, also when the next run is asked for at its very end.

Streamlit's session hears of what a script draws on its event loop, a moment later, and passes on only what comes from
the present thread of scripts. A fragment that is asked for when the thread has ended, and the loop has not come to its
last messages yet, gets a new thread; then these messages are dropped. The page keeps numbers of an older setting, or
lacks the place that the next message names and goes white. On two busy cores with thirty visitors that was one press
in two hundred (``python -m benchmarks.class``).

Whatever an ended thread has emitted is in the loop's queue already. So the new thread begins behind it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from streamlit.runtime.app_session import AppSession, AppSessionState
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData

_NAME = "_create_scriptrunner"


def pass_on_whole_runs() -> None:
    """Let every session of this process pass on whole runs; once, whoever asks."""
    create = getattr(AppSession, _NAME, None)
    if create is None:
        logging.getLogger(__name__).warning("This Streamlit begins its runs in another way; they are left as they are.")
    elif not hasattr(create, "begins_behind"):
        setattr(AppSession, _NAME, behind(create))


def behind(create: Callable[[AppSession, RerunData], None]) -> Callable[[AppSession, RerunData], None]:
    """``create`` begins a thread for a session; the same, after what the ended one has left in the queue."""

    def begin(session: AppSession, asked: RerunData) -> None:
        if session._scriptrunner is None:
            create(session, asked)
        else:
            session._event_loop.call_soon_threadsafe(begin_now, session, asked)

    def begin_now(session: AppSession, asked: RerunData) -> None:
        if session._state is AppSessionState.SHUTDOWN_REQUESTED:
            return
        # Another request may have begun a thread meanwhile: it takes this one, too.
        if session._scriptrunner is None or not session._scriptrunner.request_rerun(asked):
            create(session, asked)

    begin.begins_behind = True  # type: ignore[attr-defined]
    return begin
