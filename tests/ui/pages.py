"""What a page that was opened without a browser says and holds."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

from streamlit.testing.v1 import AppTest

from explorer.engine.jobs import Job
from explorer.pruning.spec import PruneSpec
from explorer.tasks.base import TaskRequest
from explorer.tasks.sweep import SweepRequest
from explorer.types import TradeOffPoint
from explorer.ui.shell import cache
from explorer.ui.shell.tasks import JobKey
from explorer.workbench.links import encode
from explorer.workbench.workspace import Workspace

VISITOR = "somebody"
Open = Callable[..., AppTest]


def work_of(at: AppTest) -> Workspace:
    work: Workspace = at.session_state["workspace"]
    return work


def spoken(at: AppTest) -> str:
    """Everything the page says in words."""
    return "\n".join(
        str(e.value)
        for kind in (at.title, at.header, at.markdown, at.caption, at.error, at.info, at.text)
        for e in kind
    )


def html(at: AppTest) -> str:
    return "\n".join(e.proto.body for e in at.get("html"))


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def link(**parts: str) -> str:
    return encode(PruneSpec(**parts))  # type: ignore[arg-type]


def compared_points() -> list[TradeOffPoint]:
    """What the trade-off page's own jobs measured: with the classifier held, as Explore's curves are not."""
    return [point for job in jobs_of(SweepRequest) for point in job.results if point.spec["limits"]]


def jobs_of(kind: type[TaskRequest[Any]]) -> list[Job]:
    """The visitor's jobs of one kind of request, oldest first."""
    jobs = cache.jobs().of(VISITOR)
    return [job for job in jobs if isinstance(job.key, JobKey) and isinstance(job.key.request, kind)]


def measured(at: AppTest) -> AppTest:
    """The trade-off page once everything it began has ended."""
    for job in cache.jobs().of(VISITOR):
        assert job.wait(300), f"{job.title} did not end"
    return at.run()
