"""Does the present setting cost less than so much? Yes, no, or not yet, while the samples come in."""

from __future__ import annotations

import streamlit as st

from explorer.analysis.drop_below.answering import DropAnswer, answer_of, why_no_answer
from explorer.text.names import clean_markdown
from explorer.types import Evaluation
from explorer.ui.explore.view import View
from explorer.ui.widgets.persistent_widget import remembered, value

_POINTS, _STOP = "drop_points", "drop_stop"
_USUAL, _WITHIN = 1.0, (0.1, 50.0)
_ICONS = {"yes": ":material/check_circle:", "no": ":material/cancel:", "not yet": ":material/hourglass_empty:"}
_ABOUT = (
    "Looked at after every sample, without more wrong answers than stated: the interval holds at all numbers of "
    "samples at once, so it is wider than the one at the top, which holds at one."
)


def stops_at() -> float | None:
    """The drop at which the evaluation ends once it is answered; None where all samples are measured."""
    return _limit() if value(_STOP, False) else None


def card(view: View) -> None:
    """The question with its answer so far; nothing where no sample is right or wrong."""
    evaluation, data = view.evaluation, view.dataset
    if evaluation is None or data is None or not view.plan.n_pruned or why_no_answer(evaluation) is not None:
        return
    answer = answer_of(evaluation, data.splits["tune"].y, _limit())
    with st.container(border=True, key="drop_card"):
        with st.container(horizontal=True, vertical_alignment="center", key="drop_head"):
            st.header(f"{answer.question}?", anchor=False, width="stretch")
            _question()
        st.markdown(f"{_ICONS[answer.verdict]} {_sentence(answer)}", help=_ABOUT)
        st.caption(clean_markdown(answer.basis, 300) + _stopped(view, evaluation))


def _question() -> None:
    with st.popover("Question", icon=":material/tune:", help="How many points, and when to stop."):
        st.number_input(
            "Points of accuracy",
            *_WITHIN,
            step=0.5,
            format="%.1f",
            key=_POINTS,
            on_change=remembered(_POINTS, _USUAL, within=_WITHIN),
        )
        st.toggle(
            "Stop when it is answered",
            key=_STOP,
            on_change=remembered(_STOP, False),
            help="A setting that is answered is not measured further: on large data the next one begins sooner.",
        )


def _limit() -> float:
    return float(value(_POINTS, _USUAL, within=_WITHIN)) / 100


def _sentence(answer: DropAnswer) -> str:
    head, tail = answer.verdict, answer.words.removeprefix(answer.verdict)
    return f"**{head[:1].upper()}{head[1:]}**{clean_markdown(tail, 200)}."


def _stopped(view: View, evaluation: Evaluation) -> str:
    if evaluation.complete or view.answer.pending:
        return ""
    return " No more is measured of this setting: the chart and the warnings about answers need all samples."
