"""Where work is done: one file each, one registry.

``threads`` (this process) · ``processes`` or ``processes:4`` (this machine) · ``folder:PATH`` (machines that share it)
"""

from __future__ import annotations

from collections.abc import Callable

from explorer.engine.backends.base import Backend as Backend
from explorer.engine.backends.folder import SharedFolder
from explorer.engine.backends.processes import Processes
from explorer.engine.backends.threads import Threads
from explorer.errors import ExplorerError
from explorer.params import Registry

MEMBERS: tuple[type[Backend], ...] = (Threads, Processes, SharedFolder)
BACKENDS: Registry[Backend] = Registry("back end", MEMBERS)


def backend_of(given: Backend | str | None, tell: Callable[[str], object] | None = None) -> Backend | None:
    """The back end itself, or the one that is written so; None: this process. Raises ExplorerError for what is none.

    ``tell`` hears what whoever waits should know.
    """
    if not isinstance(given, str):
        return given
    key, _, place = given.strip().partition(":")
    if key not in BACKENDS.members:
        forms = ", ".join(member.form for member in BACKENDS)
        raise ExplorerError(f"There is no back end {given!r}.", fix=f"Write one of: {forms}.")
    backend = BACKENDS.member(key).of(place)
    return backend if tell is None else backend.telling(tell)
