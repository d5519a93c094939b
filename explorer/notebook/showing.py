"""Draw a result here and now: in the middle of a cell, not only as its last line."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from explorer.analysis.sensitivity.cell import Cell
from explorer.analysis.sensitivity.result import Sensitivity
from explorer.errors import ExplorerError
from explorer.types import TradeOff, TradeOffPoint
from explorer.types.brief import Shown


def show_sensitivity(scan: Sensitivity | Iterable[Cell]) -> None:
    """Draw what each layer costs alone: a heat map, where there is no front end for charts a line.

    Args:
        scan: The cells that :func:`explorer.scan` gives (all are taken), or a :class:`explorer.Sensitivity`.

    Returns:
        None: the drawing goes to the front end, or a line to the standard output.

    Raises:
        ExplorerError: There is no cell in it.

    Examples:
        >>> import explorer as ex
        >>> ex.show_sensitivity(ex.scan("digits-mlp", levels=(0.5,)))  # doctest: +ELLIPSIS
        Sensitivity(...)
    """
    result = scan if isinstance(scan, Sensitivity) else Sensitivity.of(scan)
    if not result.cells:
        raise ExplorerError("There is no cell to draw.", fix="Give what ex.scan(model) measures.")
    _show(result)


def show_tradeoff(points: TradeOff | Iterable[TradeOffPoint], label: str = "measured") -> None:
    """Draw accuracy against size: a chart, where there is no front end for charts a line.

    Args:
        points: What :func:`explorer.sweep` gives (all points are taken), or a :class:`explorer.TradeOff`.
        label: What the curve is called, where points are given.

    Returns:
        None: the drawing goes to the front end, or a line to the standard output.

    Raises:
        ExplorerError: There is no point in it.

    Examples:
        >>> import explorer as ex
        >>> ex.show_tradeoff(ex.sweep("digits-mlp", ratios=(1, 2)), "magnitude")  # doctest: +ELLIPSIS
        TradeOff(label='magnitude', ...)
    """
    result = points if isinstance(points, TradeOff) else TradeOff(label, tuple(points))
    if not result.points:
        raise ExplorerError("There is no point to draw.", fix="Give what ex.sweep(model) measures.")
    _show(result)


def _show(result: Shown) -> None:
    ipython = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        ipython.display.display(result)
    else:
        sys.stdout.write(f"{result!r}\n")
