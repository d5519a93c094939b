"""A question with its answer: open until it is locked."""

from __future__ import annotations

from functools import partial

import streamlit as st

from explorer.component import drawing_js, drawing_part, parse_curve
from explorer.component.drawing import Axes
from explorer.errors import ExplorerError
from explorer.lessons.lesson import Answer, Choice, Curve, Number, Predict
from explorer.text.names import clean_markdown
from explorer.text.numbers import percent_asked
from explorer.ui.learn.view import View
from explorer.ui.shell import session


def draw(view: View, block: Predict) -> None:
    """The question, and its answer: to be given, or as it was locked."""
    if block.key in view.answers:
        _locked(view, block, view.answers[block.key])
        return
    key = view.key(block.key)
    answer = _asked(block, key)
    st.button(
        "Lock my prediction",
        key=f"{key}_lock",
        icon=":material/lock:",
        type="primary" if answer is not None else "secondary",
        disabled=answer is None,
        help="Nothing is measured before. A locked prediction stays.",
        on_click=partial(_lock, view, block.key, answer),
    )


def _lock(view: View, key: str, answer: Answer | None) -> None:
    if answer is not None:
        view.lock(key, answer)


def _asked(block: Predict, key: str) -> Answer | None:
    """What is answered now; None while nothing is."""
    form = block.form
    if isinstance(form, Choice):
        return st.radio(block.question, form.options, index=None, key=key)
    if isinstance(form, Number):
        step = 1.0 if form.high - form.low > 10 else 0.1
        number = st.number_input(
            f"{block.question} (in {form.unit}, from {form.low:g} to {form.high:g})",
            min_value=form.low,
            max_value=form.high,
            value=None,
            step=step,
            key=key,
            placeholder="your guess",
        )
        return None if number is None else float(number)
    return _drawn(block, form, key)


def _axes(form: Curve) -> Axes:
    return Axes(tuple(map(percent_asked, form.levels)), form.low, form.high, form.unit, form.across, form.up)


def _drawn(block: Predict, form: Curve, key: str) -> tuple[float, ...] | None:
    st.markdown(clean_markdown(block.question, 300))
    axes, state = _axes(form), st.session_state.get(key)
    try:
        heights = parse_curve(None if state is None else state.get("curve"), axes)
    except ExplorerError as error:
        session.notify(error)
        heights = None
    _chart(drawing_part(axes, heights, words=block.question), key)
    up = f"Up: {form.up}. " if form.up else ""
    st.caption(f"{up}Draw over the chart with a finger or the mouse; with the keyboard, Tab and the arrow keys.")
    return heights


def _chart(part: dict[str, object], key: str) -> None:
    component = st.components.v2.component("pruning_explorer.drawing", js=drawing_js())
    component(key=key, data=part, on_curve_change=lambda: None, height="content")


def _locked(view: View, block: Predict, answer: Answer) -> None:
    st.markdown(f"**{clean_markdown(block.question, 300)}**")
    if isinstance(answer, tuple):
        shown = "the curve below, in orange"
    else:
        shown = answer if isinstance(answer, str) else f"{answer:g}{getattr(block.form, 'unit', '')}"
    st.markdown(f":material/lock: Your prediction: {clean_markdown(shown, 200)}")
