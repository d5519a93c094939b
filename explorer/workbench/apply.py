"""What events make of a workspace, one by one: a refused one takes no other with it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from explorer.errors import ExplorerError
from explorer.pruning.plan import plan
from explorer.pruning.spec import PruneSpec
from explorer.types import LoadedModel, Scores
from explorer.workbench.events import DragEvent
from explorer.workbench.moves import moved
from explorer.workbench.workspace import Workspace

_log = logging.getLogger(__name__)


def apply(
    workspace: Workspace,
    events: Iterable[DragEvent],
    model: LoadedModel,
    scores_of: Callable[[PruneSpec], Scores],
) -> tuple[ExplorerError, ...]:
    """Do what the events say, in their order; the refusals of those that could not be done.

    ``scores_of`` gives the scores of a request; it is asked only for events that move a threshold, a lock or a limit.

    >>> from explorer.workbench.workspace import Workspace
    >>> workspace = Workspace()
    >>> apply(workspace, [DragEvent("mode", seq=1, mode="share")], None, None)
    ()
    >>> workspace.mode
    'share'
    """
    refusals = []
    for event in events:
        try:
            _apply_one(workspace, event, model, scores_of)
        except ExplorerError as refusal:
            _log.info("refused %s of %r: %s", event.kind, event.group, refusal)
            refusals.append(refusal)
    return tuple(refusals)


def _apply_one(
    workspace: Workspace, event: DragEvent, model: LoadedModel, scores_of: Callable[[PruneSpec], Scores]
) -> None:
    if event.kind == "undo":
        workspace.undo()
    elif event.kind == "redo":
        workspace.redo()
    elif event.kind == "mode":
        workspace.mode = event.mode
        workspace.touch()
    elif event.kind == "scale":
        workspace.scale = event.scale
        workspace.touch()
    else:
        scores = scores_of(workspace.spec)
        present = plan(model, workspace.spec, scores)
        workspace.set(moved(workspace.spec, event, scores, present), final=event.final)
