"""The sensitivity heat map for paper, by Matplotlib; apart from the screen's so that it is loaded when asked for."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from explorer.analysis.sensitivity import Sensitivity
from explorer.charts.printed import plain
from explorer.charts.sensitivity import TICKS, cost_scale, shade
from explorer.charts.text import percent
from explorer.charts.theme import Theme


def sensitivity_png(found: Sensitivity, knobs: Sequence[str], levels: Sequence[float], *, dpi: int = 200) -> bytes:
    """The heat map for paper, on white, as PNG."""
    figure = Figure(figsize=(1.6 + 0.55 * len(levels), 0.9 + 0.24 * len(knobs)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    cells = [[found.cell(knob, level) for level in levels] for knob in knobs]
    shades = [[math.nan if cell is None else shade(cell.drop.value) for cell in row] for row in cells]
    colours = LinearSegmentedColormap.from_list("cost", list(cost_scale(Theme.light())))
    picture = axes.imshow(shades, cmap=colours, vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(levels)), [percent(level, 0) for level in levels], fontsize=7)
    axes.set_yticks(range(len(knobs)), [plain(knob) for knob in knobs], fontsize=7, family="monospace")
    axes.set_xlabel("share pruned of this layer alone", fontsize=8)
    bar = figure.colorbar(picture, ax=axes, ticks=[shade(drop) for drop in TICKS])
    bar.ax.set_yticklabels([f"{100 * drop:.0f}" for drop in TICKS], fontsize=7)
    bar.set_label("points of accuracy lost", fontsize=8)
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=dpi, metadata={"Software": None})
    return out.getvalue()
