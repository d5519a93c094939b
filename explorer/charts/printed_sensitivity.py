"""The sensitivity heat map for paper, by Matplotlib; apart from the screen's so that it is loaded when asked for."""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from explorer.analysis.sensitivity.cell import Cell
from explorer.analysis.sensitivity.scan import Sensitivity
from explorer.charts.sensitivity import (
    MOST_TEXT,
    STRONG,
    TICKS,
    axis_title,
    cost_scale,
    depth,
    shade,
    short,
    tick_texts,
)
from explorer.charts.theme import Theme
from explorer.text.delta import named, unit_words
from explorer.text.names import clean_matplotlib
from explorer.text.numbers import percent, points_at_most, worse_by

_LETTERS_AN_INCH = 19


def sensitivity_png(
    sensitivity: Sensitivity, groups: Sequence[str], levels: Sequence[float], *, dpi: int = 200
) -> bytes:
    """The heat map for paper, on white, as PNG; below it how the numbers came and how far they may be off."""
    width = max(4.5, 1.6 + 0.55 * len(levels))
    lines = textwrap.wrap(caption(sensitivity), int(_LETTERS_AN_INCH * width))
    figure = Figure(figsize=(width, 0.9 + 0.24 * len(groups) + 0.14 * len(lines)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    cells = [[sensitivity.cell(group, level) for level in levels] for group in groups]
    shades = [[math.nan if cell is None else -shade(cell, sensitivity.scale) for cell in row] for row in cells]
    colours = LinearSegmentedColormap.from_list(
        "cost", [(1 - stop, colour) for stop, colour in reversed(cost_scale(Theme.light()))]
    )
    picture = axes.imshow(shades, cmap=colours, vmin=-1, vmax=0, aspect="auto")
    if len(groups) * len(levels) <= MOST_TEXT:
        _write(axes, cells, sensitivity.scale)
    axes.set_xticks(range(len(levels)), [percent(level, 0) for level in levels], fontsize=7)
    axes.set_yticks(range(len(groups)), [clean_matplotlib(group) for group in groups], fontsize=7, family="monospace")
    axes.set_xlabel("share pruned of this layer alone", fontsize=8)
    bar = figure.colorbar(picture, ax=axes, ticks=[-depth(drop) for drop in TICKS])
    bar.ax.set_yticklabels(tick_texts(sensitivity), fontsize=7)
    bar.set_label(clean_matplotlib(axis_title(sensitivity)), fontsize=8)
    figure.supxlabel("\n".join(map(plain_line, lines)), fontsize=6, x=0.01, ha="left")
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=dpi, metadata={"Software": None})
    return out.getvalue()


def caption(sensitivity: Sensitivity) -> str:
    """In words: what changed, the mode, how many samples, the audit, and the widest interval."""
    if not sensitivity.cells:
        return sensitivity.audit
    modes = ", ".join(dict.fromkeys(cell.mode for cell in sensitivity.cells))
    n, total = min(cell.n for cell in sensitivity.cells), sensitivity.cells[0].total
    samples = f"{total:,} samples" if n == total else f"{n:,} or more of {total:,} samples"
    wide = [
        (d.high - d.low) / 2 for d in (c.drop for c in sensitivity.cells) if d.low is not None and d.high is not None
    ]
    first = sensitivity.cells[0].drop
    widest = (
        points_at_most(max(wide)) if wide and first.unit == "fraction" else worse_by(max(wide, default=0), first.unit)
    )
    reach = f" 95 % intervals: ±{widest}." if wide else ""
    change = f"{named(sensitivity.judged)}{unit_words(first)}, {first.origin}"
    return f"{change}; mode {modes}, {samples}. {sensitivity.audit}{reach}"


def plain_line(line: str) -> str:
    """Text that Matplotlib takes for no formula."""
    return line.replace("$", r"\$")


def _write(axes: Axes, cells: Sequence[Sequence[Cell | None]], scale: float) -> None:
    for y, row in enumerate(cells):
        for x, cell in enumerate(row):
            if cell is not None:
                colour = "white" if shade(cell, scale) > STRONG else "black"
                axes.text(x, y, short(cell), ha="center", va="center", fontsize=5.5, color=colour)
