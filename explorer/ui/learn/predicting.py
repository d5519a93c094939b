"""A question with its answer: open until it is locked."""

from __future__ import annotations

from functools import partial

import streamlit as st

from explorer.component import drawing_js, drawing_part, parse_curve
from explorer.component.drawing import Axes
from explorer.errors import ExplorerError
from explorer.lessons.languages import Translate
from explorer.lessons.lesson import Answer, ChoiceQuestion, CurveQuestion, Number, Predict
from explorer.text.names import clean_markdown
from explorer.text.numbers import percent_asked
from explorer.ui.learn.view import LessonView
from explorer.ui.shell import session

_QUESTION = "{question} (in {unit}, from {low} to {high})"
_HOW = "Draw over the chart with a finger or the mouse; with the keyboard, Tab and the arrow keys."


def draw(view: LessonView, block: Predict) -> None:
    """The question, and its answer: to be given, or as it was locked."""
    if block.key in view.answers:
        _locked(view, block, view.answers[block.key])
        return
    key = view.key(block.key)
    answer = _asked(block, key, view.t)
    st.button(
        view.t("Lock my prediction"),
        key=f"{key}_lock",
        icon=":material/lock:",
        type="primary" if answer is not None else "secondary",
        disabled=answer is None or view.is_frozen,
        help="Nothing is measured before. A locked prediction stays.",
        on_click=partial(_lock, view, block.key, answer),
    )


def _lock(view: LessonView, key: str, answer: Answer | None) -> None:
    if answer is not None:
        view.lock(key, answer)


def _asked(block: Predict, key: str, t: Translate) -> Answer | None:
    """What is answered now; None while nothing is."""
    form = block.form
    if isinstance(form, ChoiceQuestion):
        return st.radio(t(block.question), form.options, index=None, key=key, format_func=t)
    if isinstance(form, Number):
        step = 1.0 if form.high - form.low > 10 else 0.1
        number = st.number_input(
            t(_QUESTION).format(question=t(block.question), unit=form.unit, low=f"{form.low:g}", high=f"{form.high:g}"),
            min_value=form.low,
            max_value=form.high,
            value=None,
            step=step,
            key=key,
            placeholder="your guess",
        )
        return None if number is None else float(number)
    return _drawn(block, form, key, t)


def _axes(form: CurveQuestion, t: Translate) -> Axes:
    return Axes(tuple(map(percent_asked, form.levels)), form.low, form.high, form.unit, t(form.across), t(form.up))


def _drawn(block: Predict, form: CurveQuestion, key: str, t: Translate) -> tuple[float, ...] | None:
    st.markdown(clean_markdown(t(block.question), 300))
    axes, state = _axes(form, t), st.session_state.get(key)
    try:
        heights = parse_curve(None if state is None else state.get("curve"), axes)
    except ExplorerError as error:
        session.notify(error)
        heights = None
    _chart(drawing_part(axes, heights, words=t(block.question)), key)
    up = f"↑ {t(form.up)}. " if form.up else ""
    st.caption(f"{up}{t(_HOW)}")
    return heights


def _chart(part: dict[str, object], key: str) -> None:
    component = st.components.v2.component("pruning_explorer.drawing", js=drawing_js())
    component(key=key, data=part, on_curve_change=lambda: None, height="content")


def _locked(view: LessonView, block: Predict, answer: Answer) -> None:
    st.markdown(f"**{clean_markdown(view.t(block.question), 300)}**")
    if isinstance(answer, tuple):
        shown = view.t("the curve below, in orange")
    else:
        shown = view.t(answer) if isinstance(answer, str) else f"{answer:g}{getattr(block.form, 'unit', '')}"
    st.markdown(f":material/lock: {view.t('Your prediction:')} {clean_markdown(shown, 200)}")
