"""The end of the server: its threads end before the process does.

A thread that is still inside a computation when Python takes itself apart is torn out of it, and the process dies
with "terminate called without an active exception".
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from explorer.engine import live
from explorer.ui.serving import screens

if TYPE_CHECKING:
    from streamlit.web.server.starlette.starlette_app import App

_PATIENCE_S, _LAST_S = 5.0, 1.0
_INTERRUPTED = 1  # what Streamlit ends with after Ctrl+C; SIGTERM ends it as a signal does


@asynccontextmanager
async def lifespan(app: App) -> AsyncIterator[None]:
    """What ``st.App`` takes: the screens are loaded before anybody comes; when the server stops, all background work
    is stopped, and waited for a moment."""
    atexit.register(_leave)
    await asyncio.to_thread(screens.load)
    yield
    await asyncio.to_thread(end_threads, _PATIENCE_S)


def end_threads(patience: float) -> bool:
    """Stop jobs and live measurements; whether all their threads have ended."""
    from explorer.ui.shell import cache  # with the first page, not before: caches want a server that runs

    deadline = time.monotonic() + patience
    jobs_ended = cache.jobs().close(patience)
    return live.close_all(max(0.0, deadline - time.monotonic())) and jobs_ended


def _leave() -> None:
    """The last thing that this process does: where a thread still computes, it ends here, with nothing torn apart."""
    deadline = time.monotonic() + _LAST_S
    while any(map(_may_compute, threading.enumerate())):
        if time.monotonic() > deadline:
            logging.shutdown()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(_INTERRUPTED)
        time.sleep(0.02)


def _may_compute(thread: threading.Thread) -> bool:
    return thread.daemon and thread.name.startswith(("explorer-job", "live", "evaluate", "ScriptRunner"))
