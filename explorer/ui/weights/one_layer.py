"""One layer in full: its line in three forms, its weights as histogram and picture, its units ranked."""

from __future__ import annotations

import math
from itertools import product

import streamlit as st
import torch
from torch import Tensor

from explorer.analysis.distribution import SignedHistogram
from explorer.analysis.statistics import LayerStatistics, UnitNorms, unit_norms
from explorer.charts import group_heatmap, signed_histogram, weight_heatmap
from explorer.charts import unit_norms as ranked_units
from explorer.pruning.allocation.threshold import threshold_forms
from explorer.pruning.granularity.n_of_m import NOfM
from explorer.pruning.select import keep_mask
from explorer.text.names import clean_markdown
from explorer.text.numbers import percent
from explorer.types import GroupPlan
from explorer.ui.shell import cache
from explorer.ui.shell.theme import chart_theme
from explorer.ui.weights.view import View
from explorer.ui.widgets import chart
from explorer.ui.widgets.summary import Fact, html_of

_LOW, _TALL = 300, 672
# Below this difference of AIC two fits are about as good.
_CLEAR = 2.0


def draw(view: View, row: LayerStatistics) -> None:
    """Everything about one tensor under the present setting; works without an architecture."""
    group = next((k for k in view.plan.groups if row.name in k.group.layers and row.prunable), None)
    facts = "".join(html_of(fact) for fact in _facts(view, row, group))
    st.html(f'<div class="facts">{facts}</div>')
    why = row.why_not or (group.group.why_not if group else None)
    if why:
        st.caption(f":material/info: No line here. {clean_markdown(why, 300)}")
    left, right = st.columns(2, gap="medium")
    with left:
        _histogram(view, row, group)
    if _is_wide(_pictured(view, row)):
        with right:
            _units(view, row, group)
        _picture(view, row, _LOW)
        return
    with left:
        _units(view, row, group)
    with right:
        _picture(view, row, _TALL)


def _pictured(view: View, row: LayerStatistics) -> tuple[int, ...]:
    """The shape whose picture is drawn: a pattern along the inputs is shown at one place of the kernel."""
    by_groups = isinstance(view.spec.granularity, NOfM) and row.parameter in view.plan.masks
    return row.shape[:2] if by_groups else row.shape


def _is_wide(shape: tuple[int, ...]) -> bool:
    """Whether the picture has many more columns than rows, so that it needs the page's whole width."""
    n_rows = shape[0] if len(shape) > 1 else 1
    return math.prod(shape) > 3 * n_rows**2 and not (len(shape) == 4 and max(shape[2:]) > 1 and shape[1] <= 3 * n_rows)


def _facts(view: View, row: LayerStatistics, group: GroupPlan | None) -> list[Fact]:
    share = row.n_pruned / row.n_weights if row.n_weights else 0.0
    first = Fact("Pruned", "counted", percent(share), f"{row.n_pruned:,} of {row.n_weights:,} weights")
    names = ("Threshold, absolute", "In standard deviations", "As a percentile")
    if group is None or group.group.name not in view.scores.values:
        return [first, *(Fact(name, "", "–", "no line") for name in names)]
    if not group.n_pruned:
        note = "locked: nothing goes" if group.locked else "nothing goes"
        return [first, *(Fact(name, "", "–", note) for name in names)]
    forms = threshold_forms(view.scores, group.group.name, group.n_pruned)
    unit = "weight" if group.group.unit == "weight" else f"{group.group.unit} norm"
    deviation = view.scores.deviations[group.group.name]
    locked = " · locked" if group.locked else ""
    return [
        first,
        Fact(names[0], "counted", f"{forms['absolute']:.4g}", f"{_where(group, unit)}{locked}"),
        Fact(names[1], "counted", f"{forms['std']:.2f} σ", f"σ = {deviation:.4g}"),
        Fact(names[2], "counted", f"{forms['percentile']:.1f}", f"{group.n_pruned:,} of {group.group.n_units:,} go"),
    ]


def _where(group: GroupPlan, unit: str) -> str:
    return f"the lowest {unit} kept" if group.n_pruned < group.group.n_units else f"above every {unit}"


def _histogram(view: View, row: LayerStatistics, group: GroupPlan | None) -> None:
    signed = cache.signed(view.model, view.plan.layers[row.name], view.plan)
    st.header("Signed weights", anchor=False)
    figure = signed_histogram(signed, threshold=_weight_line(view, group), theme=chart_theme(), height=_LOW)
    chart.draw(figure, "signed")
    st.caption(_fit(signed, row))


def _weight_line(view: View, group: GroupPlan | None) -> float | None:
    """The line on |w|, where the present setting has one."""
    if group is None or not group.n_pruned or group.group.unit != "weight" or not view.spec.criterion.on_weight_scale:
        return None
    return group.threshold


def _fit(histogram_of_layer: SignedHistogram, row: LayerStatistics) -> str:
    """Which bell fits better, in words."""
    if histogram_of_layer.better is None:
        return "No bell is fitted: the weights are all equal."
    other = next(fit for fit in histogram_of_layer.fits if fit is not histogram_of_layer.better)
    by = other.aic - histogram_of_layer.better.aic
    tails = "" if row.kurtosis is None else f" Excess kurtosis {row.kurtosis:.2f} (normal 0, Laplace 3)."
    if by < _CLEAR:
        return f"Normal and Laplace fit about equally well.{tails}"
    if histogram_of_layer.better.family == "laplace":
        return f"**Laplace fits better** (AIC lower by {by:,.0f}): a sharper peak at zero and longer tails.{tails}"
    return f"**Normal fits better** (AIC lower by {by:,.0f}): fewer weights near zero, shorter tails.{tails}"


def _units(view: View, row: LayerStatistics, group: GroupPlan | None) -> None:
    """The rows of the tensor by norm; under a line for whole units, those units by their score."""
    weights = view.model.weights[row.parameter]
    if not weights.numel() or not weights.dim():
        return
    by_channel = group is not None and group.group.unit != "weight" and group.group.name in view.scores.values
    by_channel = by_channel and view.spec.criterion.on_weight_scale
    st.header("Units by norm", anchor=False)
    if by_channel and group is not None:
        ranked, line = _ranked(view, group), group.threshold if group.n_pruned else None
        with_it = [name for name in group.group.layers if name != row.name]
        note = _about_units(group.group.unit, with_it)
    else:
        ranked, line = unit_norms(weights, view.plan.masks.get(row.parameter)), _weight_line(view, group)
        note = "Each bar is one output: its typical weight. Grey: nothing of it is left."
        note += " Orange: the line for single weights." if line else ""
    figure = ranked_units(ranked, threshold=line, theme=chart_theme(), height=_LOW)
    chart.draw(figure, "units")
    st.caption(note)


def _about_units(unit: str, with_it: list[str]) -> str:
    if unit == "group":
        return "Each group by the weights that it would lose: the lowest take the pattern first."
    tied = "They are ranked together with those they are tied to, in " + clean_markdown(", ".join(with_it), 120) + "."
    return f"The line removes whole {unit}s. {tied if with_it else ''}"


def _ranked(view: View, group: GroupPlan) -> UnitNorms:
    values: Tensor = view.scores.values[group.group.name].double()
    keep = keep_mask(view.scores.values[group.group.name], group.n_pruned)
    order = torch.argsort(values, descending=True, stable=True)
    p = float(getattr(view.spec.criterion, "p", 2.0))
    return UnitNorms(tuple(order.tolist()), tuple(values[order].tolist()), tuple(keep[order].tolist()), p)


def _picture(view: View, row: LayerStatistics, height: int) -> None:
    st.header("The weights themselves", anchor=False)
    weights, mask = view.model.weights[row.parameter], view.plan.masks.get(row.parameter)
    unit = view.spec.granularity
    if isinstance(unit, NOfM) and mask is not None:
        _groups(weights, mask, unit, height)
        return
    figure = weight_heatmap(weights, mask, theme=chart_theme(), height=height)
    chart.draw(figure, "picture")
    # A matrix too large for the picture says below it what its blocks are.
    if not figure.layout.annotations:
        grey = " Grey: pruned." if row.n_pruned else ""
        st.caption(f"Blue: positive. Orange: negative. Faint: near zero.{grey}")


def _groups(weights: Tensor, mask: Tensor, unit: NOfM, height: int) -> None:
    """The pattern of n of m, where it can be seen: along the inputs, at one place of the kernel at a time."""
    places = [f"Kernel place {', '.join(map(str, at))}" for at in product(*map(range, weights.shape[2:]))]
    position = 0
    if len(places) > 1:
        place = min(st.session_state.get("kernel_place") or 0, len(places) - 1)
        st.session_state["kernel_place"] = place
        position = st.selectbox(
            "Place in the kernel",
            range(len(places)),
            key="kernel_place",
            format_func=places.__getitem__,
            label_visibility="collapsed",
            width=220,
        )
    height -= 56 if len(places) > 1 else 0
    figure = group_heatmap(weights, mask, unit.m, position=position, theme=chart_theme(), height=height)
    chart.draw(figure, "groups")
    st.caption(
        f"Each little strip is one group of {unit.m} neighbouring inputs. A pruned group keeps its {unit.n} largest; "
        "the others are grey. Blue: positive. Orange: negative."
    )
