"""Which metric stands in the place of accuracy, on every page: beside the data that it is measured on."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from explorer.engine.headlines import headlines
from explorer.errors import ExplorerError
from explorer.metrics import METRICS
from explorer.metrics.base import Metric
from explorer.text.names import clean_markdown
from explorer.types import Dataset, LoadedModel
from explorer.ui.shell import session
from explorer.workbench.workspace import Workspace

_KEY = "metric_choice"
_BETTER = {"highest": "more is better", "lowest": "less is better", "zero": "nearest to zero is best"}


@dataclass(frozen=True)
class GivenUp:
    """How much of the metric one would give up: what a field asks for, and what one of its steps is worth."""

    label: str
    key: str
    ends: tuple[float, float]
    usual: float
    step: float
    format: str
    worth: float


def chosen_metric() -> Metric | None:
    """The metric in the place of accuracy; None where it is the task's own first one."""
    chosen = session.workspace().source.metric
    return None if chosen is None else METRICS.get(chosen)


def to_give_up(key: str, judged: str) -> GivenUp:
    """In points of a share, else in the metric's own unit; ``key`` is that of the field for points."""
    metric = chosen_metric()
    if metric is None or metric.unit == "fraction":
        name = judged if metric is None else metric.label
        return GivenUp(f"Points of {name}", key, (0.0, 50.0), 1.0, 0.5, "%.1f", 0.01)
    unit = ", nats" if metric.unit == "nats" else ""
    label = f"{metric.label[0].upper()}{metric.label[1:]}{unit}, worse by"
    return GivenUp(label, f"{key}_{metric.key}", (0.0, 1000.0), 0.1, 0.01, "%.3f", 1.0)


def choices(model: LoadedModel, dataset: Dataset | None) -> tuple[Metric, ...]:
    """The metrics that suit this model and these data, the task's own first one at the beginning."""
    if model.module is None or dataset is None or "tune" not in dataset.splits:
        return ()
    return headlines(dataset.splits["tune"], model.n_classes)


def checked(work: Workspace, model: LoadedModel, dataset: Dataset | None) -> None:
    """Put the task's own metric in the place of one, of a link for example, that does not suit what is open."""
    chosen, metrics = work.source.metric, choices(model, dataset)
    if chosen is None or chosen in [metric.key for metric in metrics[1:]]:
        return
    if not metrics or chosen != metrics[0].key:
        what = f"{clean_markdown(chosen)} is not measured for this model and these data."
        session.notify(ExplorerError(what, fix="Choose another metric under the data, above."))
    work.by_metric(None)


def draw(work: Workspace, model: LoadedModel, dataset: Dataset | None) -> None:
    """A choice where there is more than one."""
    metrics = choices(model, dataset)
    if len(metrics) < 2:
        return
    by_key = {metric.key: metric for metric in metrics}
    now = work.source.metric or metrics[0].key
    chosen = st.selectbox(
        "Metric",
        list(by_key),
        index=list(by_key).index(now) if now in by_key else 0,
        format_func=lambda key: f"{by_key[key].label} ({_BETTER[by_key[key].best]})",
        help="Measured in the place of accuracy on every page: drags, scans, curves, budgets and recoveries.",
    )
    if chosen != now:
        work.by_metric(None if chosen == metrics[0].key else chosen)
        st.rerun()
