"""Requested work behind a command: what it works with, and its results as they come, told on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from explorer.cli import printing
from explorer.cli.arguments import Arguments, Flags
from explorer.engine.backends import backend_of
from explorer.errors import ExplorerError
from explorer.store.database import Store
from explorer.tasks.base import TaskRequest
from explorer.tasks.context import Context
from explorer.tasks.running import results
from explorer.types import Dataset, LoadedModel

R = TypeVar("R")


@dataclass(frozen=True)
class _WorkFlags(Flags):
    """Where to compute, and what is kept where."""

    device: str = "cpu"
    no_keep: bool = False
    data_dir: str | None = None
    checkpoints: str | None = None
    metric: str | None = None
    backend: str | None = None


@contextmanager
def context_of(args: Arguments, model: LoadedModel, data: Dataset) -> Iterator[Context]:
    """What requests of this command work with; the store's findings are told at its end."""
    flags = _WorkFlags.of(args)
    context = Context(
        model,
        data,
        device=flags.device,
        store=None if flags.no_keep else Store(flags.data_dir),
        report=_report,
        folder=flags.data_dir,
        checkpoints=flags.checkpoints,
        metric=flags.metric,
        backend=backend_of(flags.backend, printing.note),
    )
    yield context
    if context.store is not None:
        tell(context.store)
        context.store.close()


def done(request: TaskRequest[R], context: Context, label: str) -> Iterator[R]:
    """The results of a request, each told on standard error as it comes."""
    return shown(results(request, context), label, request.size(context), request.describe)


def shown(items: Iterable[R], label: str, total: int, describe: Callable[[R], str]) -> Iterator[R]:
    """The same results, told as they come: "scanning: 3 of 30, conv1 at 50%: 97.2%"."""
    n_done = 0
    with printing.Progress(label) as progress:
        for item in items:
            n_done += bool(getattr(item, "complete", True))
            doing = printing.clean_terminal(describe(item))
            progress.show(f"{n_done} of {total}{', ' * bool(doing)}{doing}")
            yield item


def tell(store: Store) -> None:
    """What people should know about the store, on standard error."""
    for finding in store.findings:
        printing.note(printing.finding_line(finding))


def _report(error: ExplorerError) -> None:
    printing.note(printing.clean_terminal(f"What is measured is not kept. {error}"))
