"""How a page begins that has nothing to show without a measurement."""

from __future__ import annotations

from typing import TypeVar

from explorer.engine.jobs import Job
from explorer.errors import Refusal
from explorer.types import Dataset, LoadedModel
from explorer.ui.shell import live, running, session
from explorer.ui.widgets import empty_state

T = TypeVar("T")


def begun(
    model: LoadedModel, dataset: Dataset | None, title: str, about: str, why: Refusal | None = None
) -> Dataset | None:
    """The data to measure on; None where nothing can be measured, or ``why`` stands against it: then a card says so."""
    running.drawing()
    session.show_notices()
    why = live.why_not(model, dataset) or why
    if why is None and dataset is not None:
        return dataset
    empty_state.card(model, title, why, about)
    return None


def finished(job: Job | None, kind: type[T]) -> T | None:
    """The last result of a job that ends in the whole of what it measured; None before its end."""
    last = job.results[-1] if job is not None and job.results else None
    return last if isinstance(last, kind) else None
