"""The one line that opens the widget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from explorer.analysis.arguments import given_model, given_spec
from explorer.analysis.prune import opened
from explorer.data.given import given_data
from explorer.errors import ExplorerError
from explorer.pruning.spec import PruneSpec
from explorer.types import Dataset, LoadedModel
from explorer.types.aliases import JsonObject

if TYPE_CHECKING:
    from explorer.notebook.widget import Explorer


def explore(
    model: LoadedModel | nn.Module | str,
    data: object = None,
    spec: PruneSpec | JsonObject | str | None = None,
    *,
    example: object = None,
) -> Explorer:
    """The explore page in a cell: drag a threshold, and the accuracy is measured while it moves.

    Args:
        model: An address, a loaded model, or a module of your own.
        data: As for :func:`explorer.load_data`; None: what the model was made for.
        spec: The request to begin with.
        example: A batch of a module's inputs; None: the first of ``data``.

    Returns:
        A widget; its traits ``spec``, ``report`` and ``selection`` can be observed.

    Raises:
        ExplorerError: The model or the data cannot be opened, or anywidget is not installed.

    Examples:
        >>> import explorer as ex
        >>> widget = ex.explore("digits-mlp", spec=ex.PruneSpec(allocation="global:sparsity=0.5"))
        >>> widget.plan.n_pruned, widget.evaluate().compression_ratio > 1.9
        (25216, True)
        >>> widget.close()
    """
    try:
        from explorer.notebook.widget import Explorer
    except ModuleNotFoundError as missing:
        what = f"The widget needs {missing.name}, which is not installed."
        raise ExplorerError(what, fix='Run: pip install "pruning-explorer[notebook]"') from None
    loaded, dataset = opened(model, data, example) if isinstance(model, nn.Module) else _loaded(model, data)
    return Explorer(loaded, dataset, given_spec(spec))


def _loaded(model: LoadedModel | str, data: object) -> tuple[LoadedModel, Dataset | None]:
    """The model, and what it is measured on: nothing where it names nothing and nothing is given."""
    loaded = given_model(model)
    if loaded.module is None or (data is None and loaded.data is None):
        return loaded, None
    return loaded, given_data(data, loaded)
