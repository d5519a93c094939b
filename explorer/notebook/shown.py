"""What a notebook draws of a result: a chart where it can, a short table where it cannot, else one line of text."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import singledispatch

import plotly.graph_objects as go

from explorer.analysis.check.result import Check
from explorer.analysis.comparison.comparison import BUDGET, Comparison
from explorer.analysis.report import Report
from explorer.analysis.search.result import SearchResult, sentences_of
from explorer.analysis.sensitivity.result import Sensitivity
from explorer.charts import search as search_charts
from explorer.charts import sensitivity as sensitivity_charts
from explorer.charts.theme import Theme
from explorer.charts.tradeoff import tradeoff
from explorer.metrics.base import JUDGED_NAMES
from explorer.report import cells
from explorer.text.delta import delta_with_ends, named
from explorer.text.html import caption, table
from explorer.text.numbers import bytes_text, count, in_words, percent, provenance, times
from explorer.types import Measurement, TradeOff, TradeOffPoint
from explorer.types.aliases import JsonDict
from explorer.types.brief import Shown

PLOTLY = "application/vnd.plotly.v1+json"
MOST_ROWS = 12

Row = Sequence[str]


@dataclass(frozen=True, eq=False)
class Drawing:
    """A result as a table with a sentence below it, and as a chart where it has one."""

    head: Row
    rows: Sequence[Row]
    below: str = ""
    figure: Callable[[], go.Figure] | None = None

    def html(self) -> str:
        """A short table, escaped: what a place shows that draws no charts."""
        n_more = len(self.rows) - MOST_ROWS
        more = f"{n_more:,} more rows. " if n_more > 0 else ""
        return table(self.head, self.rows[:MOST_ROWS]) + caption(f"{more}{self.below}".strip())


def mimebundle(result: Shown) -> JsonDict:
    """The drawing by kind of content: the front end takes the richest one that it knows."""
    bundle: JsonDict = {"text/plain": repr(result)}
    drawing = drawing_of(result)
    bundle["text/html"] = drawing.html()
    if drawing.figure is not None and not _in_a_terminal():
        bundle[PLOTLY] = _on_paper(drawing.figure()).to_plotly_json()
    return bundle


def _on_paper(figure: go.Figure) -> go.Figure:
    """The chart on its own ground: a notebook in a dark theme would swallow its letters."""
    paper = Theme.light().background
    return figure.update_layout(paper_bgcolor=paper, plot_bgcolor=paper)


@singledispatch
def drawing_of(result: object) -> Drawing:
    """How one kind of result is drawn."""
    raise TypeError(f"A {type(result).__name__} has no drawing.")


@drawing_of.register
def _(result: Report) -> Drawing:
    rows = [
        ("compression ratio", times(result.compression_ratio), "counted"),
        ("zero weights", f"{percent(result.sparsity)} ({count(result.n_zero_in_all)})", "counted"),
        ("smallest file", bytes_text(min(m.value for m in result.sizes.values())), "counted"),
    ]
    if result.speedup is not None:
        rows.append(("theoretical speedup", times(result.speedup.value), result.speedup.origin))
    return Drawing(("", result.model.address, "origin"), [*_measured(result), *rows], " ".join(_warnings(result)))


def _measured(result: Report) -> list[Row]:
    evaluation = result.evaluation
    if evaluation is None:
        return [("accuracy", "not run", "")]
    accuracy, drop = evaluation.accuracy, evaluation.drop
    name = accuracy.name if evaluation.judged_by == "metric" else JUDGED_NAMES[evaluation.judged_by]
    change = delta_with_ends(drop) if drop.unit == "fraction" else in_words(drop)
    return [(name, in_words(accuracy), _where(accuracy, result.split)), (named(name), change, provenance(drop))]


def _where(measurement: Measurement, split: str | None) -> str:
    return f"{provenance(measurement)}{f' ({split})' if split else ''}"


def _warnings(result: Report) -> list[str]:
    return [f.what for f in result.findings if f.level != "ok"][:3]


@drawing_of.register
def _(result: TradeOffPoint) -> Drawing:
    return _of_curves((TradeOff(result.label, (result,)),), figure=False)


@drawing_of.register
def _(result: TradeOff) -> Drawing:
    return _of_curves((result,))


def _of_curves(curves: Sequence[TradeOff], below: str = "", *, figure: bool = True) -> Drawing:
    head = ("method", "compression", "accuracy", "change", "smallest file", "origin")
    rows = [_point_row(curve.label, point) for curve in curves for point in curve.points]
    return Drawing(head, rows, below, (lambda: tradeoff(curves, budget=BUDGET)) if figure else None)


def _point_row(label: str, point: TradeOffPoint) -> Row:
    sizes = times(point.compression_ratio), bytes_text(point.size_bytes)
    change = delta_with_ends(point.drop) if point.drop.unit == "fraction" else in_words(point.drop)
    return label, sizes[0], in_words(point.accuracy), change, sizes[1], provenance(point.accuracy)


@drawing_of.register
def _(result: Comparison) -> Drawing:
    return _of_curves(result.curves, str(result))


@drawing_of.register
def _(result: Sensitivity) -> Drawing:
    head = ("layer", *(percent(level, 0) for level in result.levels))
    groups = sorted(result.groups, key=lambda group: -result.fragility().get(group, 0.0))
    rows = [(group, *(_cell_text(result, group, level) for level in result.levels)) for group in groups]
    below = f"Change of {result.judged} in points where that share of a layer alone goes. {result.fragile_words}"
    return Drawing(
        head,
        rows,
        f"{below} {result.audit}",
        lambda: sensitivity_charts.heatmap(result, result.groups, result.levels),
    )


def _cell_text(result: Sensitivity, group: str, level: float) -> str:
    cell = result.cell(group, level)
    return "" if cell is None else sensitivity_charts.short(cell)


@drawing_of.register
def _(result: SearchResult) -> Drawing:
    head = ("plans of", "of the dense cost", "accuracy", "change", "meets")
    rows = [
        (
            search_charts.short(tried.by),
            percent(tried.share),
            in_words(tried.point.accuracy),
            delta_with_ends(tried.drop),
            "yes" if tried.meets else "no",
        )
        for tried in result.candidates.values()
    ]
    below = f"Asked: {result.question}. {' '.join(sentences_of(result))}"
    return Drawing(head, rows, below, lambda: search_charts.search(result))


@drawing_of.register
def _(result: Check) -> Drawing:
    applicable = [outcome for outcome in result.outcomes if outcome.status != "does not apply"]
    worst_first = sorted(applicable, key=lambda outcome: cells.ORDER[outcome.status])
    below = f"{cells.verdict_sentence(result)} {cells.subject(result)}."
    return Drawing(cells.HEAD, [cells.cells(outcome) for outcome in worst_first], below)


def _in_a_terminal() -> bool:
    """Whether the one who asks is IPython in a terminal, which shows the line of text: a chart would be for nothing."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and not hasattr(shell, "kernel")
