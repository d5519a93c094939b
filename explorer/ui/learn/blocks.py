"""Each kind of block on the screen. A prediction that is open holds back what comes after it."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from explorer.charts import lessons as charts
from explorer.errors import ExplorerError
from explorer.lessons.lesson import Ask, Claim, Do, Explain, LessonStep, Predict, Reveal, Why
from explorer.lessons.outcome import in_words, verdict
from explorer.lessons.request import LessonRequest, Readings
from explorer.lessons.taking import joined, request_of, revealed
from explorer.text.names import clean_markdown
from explorer.text.numbers import provenance
from explorer.ui.learn import doing, membership, predicting
from explorer.ui.learn.view import LessonView
from explorer.ui.shell import session, tasks
from explorer.ui.shell.theme import chart_theme
from explorer.ui.widgets import chart, one_output, progress

_LONGEST_SENTENCE = 200


def draw(view: LessonView, step: LessonStep) -> bool:
    """All blocks down to the first open prediction; True while something is measured."""
    is_pending = False
    for block in step.blocks:
        if isinstance(block, Explain):
            st.markdown(view.t(block.text))
        elif isinstance(block, Predict):
            predicting.draw(view, block)
            if block.key not in view.answers:
                break
            if view.holds_back:
                st.caption(f":material/hourglass_top: {view.t('Locked. The teacher reveals the measurement.')}")
                break
        elif isinstance(block, Reveal):
            is_pending |= _reveal(view, block)
        elif isinstance(block, Do):
            is_pending |= doing.draw(view, block)
        elif isinstance(block, Why):
            _why(view, block)
        elif isinstance(block, Claim):
            is_pending |= _check(view, block)
        else:
            one_output.draw(view.model, view.dataset, block.layer, view.work.spec)
    return is_pending


def _job(view: LessonView, asks: tuple[Ask, ...], key: str) -> tuple[Readings | None, bool]:
    """What was measured for these questions, and whether it still is; nothing where it failed, which is said."""
    request = request_of(view.lesson, asks, view.work.spec)
    if view.dataset is None:
        session.refusal(ExplorerError("There is nothing to measure on.", fix="Open the lesson's own model again."))
        return None, False
    job = tasks.submitted(view.model, view.dataset, request)
    if job.state == "done":
        return joined(iter(job.results)), False
    progress.card(job, "measurement")
    if not job.active:
        st.button("Measure again", key=f"{key}_again", on_click=partial(_again, view, request))
    return None, job.active


def _again(view: LessonView, request: LessonRequest) -> None:
    if view.dataset is not None:
        tasks.submit(view.model, view.dataset, request)


def _reveal(view: LessonView, block: Reveal) -> bool:
    prediction = view.lesson.prediction(block.of)
    readings, is_pending = _job(view, prediction.asks, view.key(f"{block.of}_reveal"))
    if readings is None:
        return is_pending
    answer = view.answers[block.of]
    measured = revealed(prediction, block, answer, readings, view.t)
    if measured.outcome is not None:
        tell: Any = st.success if measured.outcome.is_right else st.info
        icon = ":material/check_circle:" if measured.outcome.is_right else ":material/compare_arrows:"
        tell(clean_markdown(measured.outcome.words, 400), icon=icon)
    figure = charts.prediction(prediction.form, answer, readings, theme=chart_theme(), t=view.t)
    chart.draw(figure, view.key(f"{block.of}_chart"))
    origins = ", ".join(dict.fromkeys(provenance(reading.measurement) for reading in readings))
    st.caption(
        f"{origins[:1].upper()}{origins[1:]} samples, now." if "on" in origins else f"{origins.capitalize()}, now."
    )
    if measured.text:
        st.markdown(clean_markdown(measured.text, 800))
    return False


def _why(view: LessonView, block: Why) -> None:
    """One sentence; the teacher's answer comes after it."""
    sentence = view.work.place.answers.get(block.key)
    if isinstance(sentence, str):
        st.markdown(f"**{clean_markdown(view.t(block.question), 300)}**")
        st.markdown(f"{view.t('You:')} {clean_markdown(sentence, _LONGEST_SENTENCE)}")
        st.markdown(f"{view.t('The teacher:')} {clean_markdown(view.t(block.answer), 600)}")
        return
    key = view.key(block.key)
    st.text_input(view.t(block.question), key=key, max_chars=_LONGEST_SENTENCE, placeholder=view.t("one sentence"))
    compare = view.t("Compare with the teacher's")
    st.button(compare, key=f"{key}_done", disabled=view.is_frozen, on_click=partial(_say, view, block.key, key))


def _say(view: LessonView, block: str, key: str) -> None:
    sentence = str(st.session_state.get(key) or "").strip()
    if not sentence:
        session.notify(ExplorerError("There is no sentence yet.", fix="Write one first."))
    elif membership.send(view.work, block, sentence[:_LONGEST_SENTENCE], is_reason=True):
        view.work.place.answers[block] = sentence[:_LONGEST_SENTENCE]


def _asked_of(view: LessonView, block: Claim) -> str | bool:
    """What marks a claim as measured: the setting that it is about, since a line that moves asks anew."""
    return view.work.spec.digest if any(ask.measure.is_mine for ask in block.asks) else True


def _check(view: LessonView, block: Claim) -> bool:
    st.markdown(f"**{view.t('Claim:')}** {clean_markdown(view.t(block.claim), 500)}")
    asked = _asked_of(view, block)
    if view.work.place.answers.get(block.key) != asked:
        answers = view.work.place.answers
        st.button(
            view.t("Measure it"),
            key=f"{view.key(block.key)}_check",
            on_click=partial(answers.update, {block.key: asked}),
        )
        return False
    readings, is_pending = _job(view, block.asks, view.key(block.key))
    if readings is None:
        return is_pending
    result = verdict(block.conditions, readings)
    tell: Any = st.success if result.holds else st.warning
    tell(view.t(in_words(result)), icon=":material/check_circle:" if result.holds else ":material/close:")
    st.dataframe(
        [
            {
                view.t("measured now"): view.t(reading.label),
                view.t("value"): reading.words,
                view.t("origin"): provenance(reading.measurement),
            }
            for reading in readings
        ],
        hide_index=True,
        key=view.key(f"{block.key}_rows"),
    )
    return False
