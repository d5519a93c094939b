"""Entries of the challenge are measured by the server, whoever looks next: the board's state is what says which."""

from __future__ import annotations

from explorer.analysis.parent import count_look_at_test
from explorer.classroom import Classroom, EntryRequest, TeamEntry
from explorer.errors import ExplorerError
from explorer.pruning.spec import PruneSpec
from explorer.tasks.context import Context
from explorer.ui.shell import cache, session, tasks
from explorer.workbench.workspace import Source


def context_of(room: Classroom) -> Context:
    """The model and the data of the challenge, with the caches of this server."""
    model = cache.model(room.state.challenge.model, None, cache.stamp(room.state.challenge.model))
    dataset = cache.dataset(Source(model=model.address), model, cache.NOTHING)
    return tasks.CachedContext(model, dataset)


def hand_in(room: Classroom, seat: str, spec: PruneSpec) -> None:
    """Take an entry and count the team's one look at the hidden split; a refusal is said with the next drawing."""
    try:
        room.enter(seat, spec)
        here = context_of(room)
        count_look_at_test(here.model, here.dataset)
    except ExplorerError as error:
        session.notify(error)


def settle(room: Classroom) -> int:
    """Begin what is to be measured, take what has been, and say how many entries are still open.

    Cheap where nothing is. After a restart of the server whoever looks first begins it again.
    """
    entries = room.open_entries()
    if entries:
        here = context_of(room)
        for seat, entry in entries:
            _settle(room, here, seat, entry)
    return len(room.open_entries())


def _settle(room: Classroom, here: Context, seat: str, entry: TeamEntry) -> None:
    try:
        request = EntryRequest(PruneSpec.from_json(entry.spec))
        key = f"entry {request.key(here)}"
    except ExplorerError as error:
        room.settle(seat, entry, error)
        return
    job = tasks.measured_once(key, request.title(here), lambda: request.run(here))
    if job.state == "done":
        room.settle(seat, entry, job.results[0])
    elif job.state == "failed":
        room.settle(seat, entry, ExplorerError("The entry could not be measured.", why=job.reason))
