"""How a network recovers: the story of one run, several runs side by side, and the schedule before it starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import plotly.graph_objects as go

from explorer.charts.frame import axis, empty, framed
from explorer.charts.theme import Theme
from explorer.recovery.state import RecoveryProgress
from explorer.text.names import clean_plotly
from explorer.text.numbers import in_words, interval, level, number, percent, times, valued
from explorer.types import Measurement
from explorer.types.aliases import JsonDict
from explorer.types.results import FIRST_NAMES

_UPPER, _LOWER = (0.36, 1.0), (0.0, 0.24)
_MARKS = {"prune": ("triangle-down", "pruned"), "refresh": ("diamond", "batch norm refreshed")}
_OTHER = ("square", "changed")
_SHORTEST, _A_ROW, _ABOUT_ROWS, _LONGEST = 200, 44, 110, 34
_NARROWEST = 0.08
_STAGES = ("as pruned", "after refresh", "after training")


@dataclass(frozen=True)
class RunStages:
    """One finished run: what it reached at each stage (None: it had no such stage)."""

    label: str
    compression_ratio: float
    stages: tuple[Measurement | None, Measurement | None, Measurement | None]


def story(
    history: Sequence[RecoveryProgress], *, dense: float | None = None, theme: Theme | None = None, height: int = 400
) -> go.Figure:
    """Accuracy on tune after every epoch and step, and the training loss below it, over the epochs trained.

    ``history`` holds complete results only. A pruning shows as a drop at one place.
    """
    theme = theme or Theme.light()
    if not history:
        return empty(theme, "The first result comes after the first step.", height=height)
    places = epochs_so_far(history)
    end = max(1, places[-1])
    across = axis(theme, "epochs trained", range=[-0.02 * end, 1.02 * end], anchor="y2")
    shown = [p.accuracy for p in history if p.accuracy is not None]
    values = [v for m in shown for v in _ends(m)] + ([dense] if dense else [])
    up = _measured_axis(theme, shown, values, name="accuracy", domain=_UPPER)
    down = axis(theme, "training loss", grid=True, domain=_LOWER, rangemode="tozero")
    figure = framed(theme, height=height, x=across, y=up, yaxis2=down | {"anchor": "x"})
    _accuracy(figure, theme, history, places)
    _events(figure, theme, history, places)
    _loss(figure, theme, history, places)
    if dense is not None:
        figure.add_hline(y=dense, line={"color": theme.good, "width": 1, "dash": "dot"})
        text = valued(dense, shown[0].unit if shown else "fraction")
        label = {"text": f"dense {text}", "font": {"size": 11, "color": theme.good}}
        figure.add_annotation(x=1, xref="paper", xanchor="right", y=dense, yanchor="bottom", showarrow=False, **label)
    return figure


def epochs_so_far(history: Sequence[RecoveryProgress]) -> list[int]:
    """How many epochs were trained when each result came; steps that do not train stay where they are."""
    epochs, before, last = [], 0, (-1, 0)
    for progress in history:
        if progress.index != last[0]:
            before, last = before + last[1], (progress.index, 0)
        last = (progress.index, progress.epoch)
        epochs.append(before + progress.epoch)
    return epochs


def _accuracy(figure: go.Figure, theme: Theme, history: Sequence[RecoveryProgress], places: Sequence[int]) -> None:
    points = [(x, p.accuracy) for x, p in zip(places, history, strict=True) if p.accuracy is not None]
    if not points:
        return
    xs = [x for x, _ in points]
    low = [m.low if m.low is not None else m.value for _, m in points]
    high = [m.high if m.high is not None else m.value for _, m in points]
    band = theme.translucent(theme.accent, theme.band)
    figure.add_trace(
        go.Scatter(
            x=[*xs, *reversed(xs)], y=[*high, *reversed(low)], fill="toself", fillcolor=band, line={"width": 0},
            hoverinfo="skip", showlegend=False, mode="lines",
        )
    )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=xs, y=[m.value for _, m in points], mode="lines", name=f"{_name(points[0][1])} on tune",
            line={"color": theme.accent, "width": 2}, customdata=[in_words(m) for _, m in points],
            hovertemplate=f"epoch %{{x}}<br>{_name(points[0][1])} %{{customdata}}<extra></extra>",
        )
    )  # fmt: skip


def _events(figure: go.Figure, theme: Theme, history: Sequence[RecoveryProgress], places: Sequence[int]) -> None:
    """A mark for every step that changed the network without training it."""
    kinds: dict[str, list[tuple[int, RecoveryProgress]]] = {}
    for x, progress in zip(places, history, strict=True):
        if progress.epoch == 0 and progress.accuracy is not None:
            kinds.setdefault(progress.key, []).append((x, progress))
    for key, events in kinds.items():
        symbol, name = _MARKS.get(key, (_OTHER[0], clean_plotly(key)))
        colour = theme.now if key == "prune" else theme.second
        measured = [(x, p.sparsity, p.accuracy) for x, p in events if p.accuracy]
        texts = [f"{percent(sparsity)} pruned<br>{_name(m)} {level(m)}" for _, sparsity, m in measured]
        figure.add_trace(
            go.Scatter(
                x=[x for x, _, _ in measured], y=[m.value for _, _, m in measured], mode="markers",
                name=name, marker={"symbol": symbol, "size": 10, "color": colour}, customdata=texts,
                hovertemplate=f"{name}: %{{customdata}}<extra></extra>",
            )
        )  # fmt: skip


def _loss(figure: go.Figure, theme: Theme, history: Sequence[RecoveryProgress], places: Sequence[int]) -> None:
    points = [(x, p.train_loss) for x, p in zip(places, history, strict=True) if p.train_loss is not None]
    if points:
        figure.add_trace(
            go.Scatter(
                x=[x for x, _ in points], y=[y for _, y in points], mode="lines", yaxis="y2", showlegend=False,
                line={"color": theme.second, "width": 1.6}, customdata=[number(y) for _, y in points],
                hovertemplate="epoch %{x}<br>training loss %{customdata}<extra></extra>",
            )
        )  # fmt: skip


def runs_by_stage(runs: Sequence[RunStages], *, dense: float | None = None, theme: Theme | None = None) -> go.Figure:
    """A row for each run, by its name: dots for the accuracy as pruned, after the refresh, after training."""
    theme = theme or Theme.light()
    if not runs:
        return empty(theme, "Finished runs are compared here.", height=360)
    places = list(range(len(runs)))
    down = axis(theme, autorange="reversed", tickvals=places, range=[len(runs) - 0.5, -0.5])
    down["ticktext"] = [f"{_row_name(run.label)}<br>{times(run.compression_ratio)}" for run in runs]
    shown = [m for run in runs for m in run.stages if m is not None]
    across = _measured_axis(
        theme, shown, [m.value for m in shown] + ([dense] if dense else []), name="accuracy on tune"
    )
    figure = framed(theme, height=max(_SHORTEST, _A_ROW * len(runs) + _ABOUT_ROWS), x=across, y=down)
    colours = [theme.control, theme.second, theme.accent]
    for place, run in zip(places, runs, strict=True):
        stages = [(name, m, c) for name, m, c in zip(_STAGES, run.stages, colours, strict=True) if m is not None]
        figure.add_trace(
            go.Scatter(
                x=[m.value for _, m, _ in stages], y=[place] * len(stages), mode="lines+markers", showlegend=False,
                line={"color": theme.pruned, "width": 2}, marker={"size": 10, "color": [c for _, _, c in stages]},
                hovertext=[f"<b>{clean_plotly(run.label)}</b><br>{name}: {level(m)} ({interval(m)})"
                           for name, m, _ in stages],
                hovertemplate="%{hovertext}<extra></extra>",
            )
        )  # fmt: skip
    for name, colour in zip(_STAGES, colours, strict=True):
        figure.add_trace(
            go.Scatter(x=[None], y=[None], mode="markers", name=name, marker={"size": 10, "color": colour})
        )
    if dense is not None:
        figure.add_vline(x=dense, line={"color": theme.good, "width": 1, "dash": "dot"})
    return figure


def _row_name(label: str) -> str:
    return clean_plotly(label if len(label) <= _LONGEST else f"{label[: _LONGEST - 1]}…")


def _ends(measurement: Measurement) -> list[float]:
    return [v for v in (measurement.low, measurement.value, measurement.high) if v is not None]


def _name(measurement: Measurement) -> str:
    """ "accuracy", or the metric that was chosen."""
    return "accuracy" if measurement.name in FIRST_NAMES else clean_plotly(measurement.name)


def _measured_axis(
    theme: Theme, shown: Sequence[Measurement], values: Sequence[float], *, name: str = "", **more: object
) -> JsonDict:
    """The axis of what was measured: shares in per cent, another metric in its own unit, with its name."""
    if not shown or shown[0].unit == "fraction":
        title = name if not shown or not name else name.replace("accuracy", _name(shown[0]))
        return axis(theme, title, grid=True, tickformat=".0%", range=_span(values), **more)
    return axis(theme, _name(shown[0]), grid=True, **more)


def _span(values: Sequence[float]) -> list[float]:
    """A range for accuracies that never makes a mountain of half a point."""
    high = min(1.0, max(values, default=1.0)) + 0.01
    low = min([*values, high - _NARROWEST])
    return [max(-0.02, low - 0.03 * (high - low)), high]


def course(
    sparsities: Mapping[str, Sequence[tuple[float, float]]], *, theme: Theme | None = None, height: int = 190
) -> go.Figure:
    """Sparsity over epochs as it is planned, for one or more schedules: {name: [(epoch, sparsity), ...]}."""
    theme = theme or Theme.light()
    across = axis(theme, "epoch")
    up = axis(theme, grid=True, tickformat=".0%", range=[-0.03, 1.03])
    figure = framed(theme, height=height, x=across, y=up, showlegend=len(sparsities) > 1)
    for (name, points), colour in zip(sparsities.items(), theme.curves, strict=False):
        steps = [points[0]] if points else []
        for (_, before), (x, y) in pairwise(points):
            steps += [(x, before), (x, y)]
        figure.add_trace(
            go.Scatter(
                x=[x for x, _ in steps], y=[y for _, y in steps], mode="lines", name=clean_plotly(name),
                line={"color": colour, "width": 2}, customdata=[percent(y) for _, y in steps],
                hovertemplate="epoch %{x:.0f}: %{customdata} pruned<extra></extra>",
            )
        )  # fmt: skip
    return figure


def together(
    stories: Sequence[tuple[str, Sequence[RecoveryProgress]]], *, theme: Theme | None = None, height: int = 360
) -> go.Figure:
    """Accuracy on tune over the epochs trained, one line for each run: (name, complete results)."""
    theme = theme or Theme.light()
    shown = [(name, history) for name, history in stories if any(p.accuracy for p in history)]
    if not shown:
        return empty(theme, "The first epoch is being trained.", height=height)
    measured = [p.accuracy for _, history in shown for p in history if p.accuracy is not None]
    across = axis(theme, "epochs trained", rangemode="tozero")
    up = _measured_axis(theme, measured, [m.value for m in measured])
    figure = framed(theme, height=height, x=across, y=up)
    dashes = ("solid", "dash", "dot", "dashdot")
    for i, (name, history) in enumerate(shown):
        places = epochs_so_far(history)
        points = [(x, p.accuracy) for x, p in zip(places, history, strict=True) if p.accuracy is not None]
        colour = theme.curves[i % len(theme.curves)]
        figure.add_trace(
            go.Scatter(
                x=[x for x, _ in points], y=[m.value for _, m in points], mode="lines", name=clean_plotly(name),
                line={"color": colour, "width": 2, "dash": dashes[(i // len(theme.curves)) % len(dashes)]},
                customdata=[level(m) for _, m in points],
                hovertemplate=f"{clean_plotly(name)}<br>epoch %{{x}}: %{{customdata}}<extra></extra>",
            )
        )  # fmt: skip
    figure.update_layout(legend={"orientation": "v", "y": -0.18, "yanchor": "top"})
    return figure
