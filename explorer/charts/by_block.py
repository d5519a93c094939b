"""One level across a network of repeated blocks: the kinds of layer down, the blocks across."""

from __future__ import annotations

import plotly.graph_objects as go

from explorer.analysis.sensitivity.by_block import ByBlock
from explorer.analysis.sensitivity.cell import Cell
from explorer.analysis.sensitivity.result import Sensitivity
from explorer.charts.frame import axis, framed
from explorer.charts.sensitivity import MOST_TEXT, cells_trace, numbers_trace, unseen_marks
from explorer.charts.theme import Theme
from explorer.text.names import clean_plotly

_ROW, _REST = 30, 96


def by_block_map(sensitivity: Sensitivity, table: ByBlock, level: float, *, theme: Theme | None = None) -> go.Figure:
    """What each layer costs alone at one level; darker costs more, unmeasured and absent ones are empty.

    Marks carry the customdata (layer, level) of the other heat map.
    """
    theme = theme or Theme.light()
    rows = [[_cell(sensitivity, layer, level) for layer in row] for row in table.layers]
    figure = _grid(table, theme)
    figure.add_trace(cells_trace(rows, theme, sensitivity))
    if len(table.kinds) * len(table.blocks) <= MOST_TEXT // 2:  # blocks stand closer than levels
        return figure.add_trace(numbers_trace(rows, theme, sensitivity.scale))
    return figure.add_trace(unseen_marks(rows))


def _cell(sensitivity: Sensitivity, layer: str | None, level: float) -> Cell | None:
    return None if layer is None else sensitivity.cell(layer, level)


def _grid(table: ByBlock, theme: Theme) -> go.Figure:
    n_kinds, n_blocks = len(table.kinds), len(table.blocks)
    every = max(1, n_blocks // 16)
    across = axis(theme, "block", tickvals=list(range(0, n_blocks, every)), range=[-0.5, n_blocks - 0.5])
    across["ticktext"] = [str(block) for block in table.blocks][::every]
    down = axis(theme, range=[n_kinds - 0.5, -0.5], tickvals=list(range(n_kinds)))
    down["ticktext"] = [clean_plotly(kind) for kind in table.kinds]
    down["tickfont"] = {"color": theme.muted, "size": 11, "family": "ui-monospace, monospace"}
    return framed(theme, height=_ROW * n_kinds + _REST, x=across, y=down, showlegend=False)
