"""A figure in words, for those who do not see it: what its axes are, and what each of its parts shows."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from itertools import islice

import plotly.graph_objects as go

_MOST_PARTS, _MOST_MARKS = 12, 40
_TAG = re.compile(r"<[^>]*>")


def alternative(figure: go.Figure) -> str:
    """Sentences: the axes, then every named trace with what its marks say when one points at them."""
    layout = figure.layout
    axes = [("across", layout.xaxis.title.text), ("up", layout.yaxis.title.text)]
    titles = [f"{place}: {_plain(title)}" for place, title in axes if title]
    notes = [_plain(note.text) for note in layout.annotations or () if note.text]
    parts = list(_parts(figure.data))
    more = [f"{len(parts) - _MOST_PARTS} more parts"] if len(parts) > _MOST_PARTS else []
    sentences = [f"Chart. {'; '.join(titles)}" if titles else "Chart", *notes, *parts[:_MOST_PARTS], *more]
    return " ".join(f"{sentence.rstrip('. ')}." for sentence in sentences if sentence)


def _parts(traces: Sequence[go.Scatter]) -> Iterator[str]:
    for trace in traces:
        if getattr(trace, "hoverinfo", None) == "skip":
            continue
        marks = [_plain(str(mark)) for mark in islice(filter(None, _marks(trace)), _MOST_MARKS + 1)]
        if marks:
            left = "; and more" if len(marks) > _MOST_MARKS else ""
            name = f"{_plain(trace.name)}: " if trace.name else ""
            yield f"{name}{'; '.join(marks[:_MOST_MARKS])}{left}"


def _marks(trace: go.Scatter) -> Iterator[object]:
    """What each mark says on hovering; where it says nothing of its own, its place."""
    if trace.type == "heatmap":
        for row in _list(trace.customdata):
            yield from _list(row)
        return
    texts = _list(getattr(trace, "hovertext", None))
    if texts:
        yield from texts
        return
    for x, y in zip(_list(getattr(trace, "x", None)), _list(getattr(trace, "y", None)), strict=False):
        yield f"{_short(x)}, {_short(y)}"


def _list(values: object) -> list[object]:
    if values is None or isinstance(values, (str, bytes)):
        return [] if values is None else [values]
    return list(values) if hasattr(values, "__iter__") else [values]


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else _plain(str(value))


def _plain(text: str) -> str:
    """Without Plotly's tags; a line break is a comma."""
    return html.unescape(_TAG.sub("", text.replace("<br>", ", "))).strip()
