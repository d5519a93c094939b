"""The history of a workspace as text, so that undo still works after a reload of the page."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import lru_cache

from explorer.errors import ExplorerError
from explorer.pruning.spec import PruneSpec
from explorer.workbench.links import decode, encode
from explorer.workbench.workspace import Source, Workspace


def to_text(work: Workspace) -> str:
    """What is open, the present request, and what undo and redo would bring back."""
    past, future = work.history
    steps = {"now": _encoded(work.spec), "past": [*map(_encoded, past)], "future": [*map(_encoded, future)]}
    return json.dumps({"source": asdict(work.source), **steps})


def restore(work: Workspace, text: str) -> bool:
    """Give ``work`` the history in ``text``, where that ended at the same request on the same model and data."""
    try:
        stored = json.loads(text)
        if asdict(Source()) | stored["source"] != asdict(work.source) or decode(stored["now"]) != work.spec:
            return False
        work.take_history(map(decode, stored["past"]), map(decode, stored["future"]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, ExplorerError):
        return False  # a file that something else changed is no history
    return True


@lru_cache(maxsize=2000)
def _encoded(spec: PruneSpec) -> str:
    return encode(spec)
