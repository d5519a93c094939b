"""Running a request: the same for the app, the command line and Python."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from explorer.analysis.arguments import given_data, given_model
from explorer.engine.backends import backend_of
from explorer.engine.backends.base import Backend
from explorer.metrics.own import Given
from explorer.store.database import Store
from explorer.tasks.base import TaskRequest
from explorer.tasks.context import Context
from explorer.types import Dataset, LoadedModel

R = TypeVar("R")


def results(request: TaskRequest[R], context: Context) -> Iterator[R]:
    """The results of ``request``; each point among them is recorded as it comes."""
    for result in request.run(context):
        point = request.point(result)
        if point is not None:
            context.record(point, kind=request.kind, split=request.evaluated_on())
        yield result


def run(
    request: TaskRequest[R],
    model: LoadedModel | str,
    data: Dataset | str | None = None,
    *,
    store: Store | Path | str | None = None,
    device: str = "cpu",
    metric: Given | None = None,
    backend: Backend | str | None = None,
) -> Iterator[R]:
    """Do what ``request`` asks of ``model``, result after result; the caller may stop any time.

    Args:
        request: A value of :mod:`explorer.tasks`.
        model: A model or its address.
        data: None: what the model was made for.
        store: Where measured points and cells of scans are recorded, or its folder; cells that it holds are not
            measured again. Looks at the locked test split are counted there, else in the user's data folder.
        device: Where the passes run.
        metric: As for :func:`evaluate`, in the place of accuracy.
        backend: Where cells of scans and points of curves are measured, as for :func:`scan`.

    Returns:
        An iterator of the results that the app shows and the command line prints.

    Raises:
        ExplorerError: This model or these data cannot answer the request.

    Examples:
        >>> import explorer as ex
        >>> request = ex.tasks.SweepRequest(ex.PruneSpec(), ratios=(1, 4))
        >>> [round(point.compression_ratio, 1) for point in ex.run(request, "digits-mlp")]
        [1.0, 4.0]
    """
    loaded = given_model(model)
    recorded_in = Store(store) if isinstance(store, Path | str) else store
    folder = None if recorded_in is None else recorded_in.path.parent
    context = Context(
        loaded,
        given_data(data, loaded),
        device=device,
        store=recorded_in,
        folder=folder,
        metric=metric,
        backend=backend_of(backend),
    )
    return results(request, context)
