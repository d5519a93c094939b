"""The challenge on a student's screen: the lines, the method, how large and how good; and handing it in, once."""

from __future__ import annotations

from functools import partial

import streamlit as st

from explorer.analysis.tradeoff import smallest_file
from explorer.classroom import CHALLENGE, Challenge, Classroom, TeamEntry
from explorer.lessons.lesson import Do, Lesson, LessonStep
from explorer.pruning.plan import plan
from explorer.pruning.spec import PruneSpec
from explorer.text.names import clean_markdown
from explorer.text.numbers import percent, points
from explorer.ui.classroom import board, measuring
from explorer.ui.learn import doing
from explorer.ui.learn.view import LessonView
from explorer.ui.shell import session
from explorer.ui.widgets import criterion_picker

_TEXT = "Move the thresholds, and choose how important a weight is. Then hand in, once."
_DO = Do(_TEXT, ("lines", "mode", "presets"))
_TITLE, _ABOUT = "The challenge", "Prune as well as you can."


def lesson_of(challenge: Challenge) -> Lesson:
    """The challenge as a lesson of one step."""
    step = LessonStep(_TITLE, (_DO,))
    return Lesson(CHALLENGE, _TITLE, 8, challenge.model, _ABOUT, "", "", (step,))


def draw(view: LessonView, room: Classroom) -> bool:
    """The board's goal, the lines, and the entry; True while the setting is not measured on all samples yet."""
    st.markdown(f"**{clean_markdown(board.goal(room.state.challenge, view.t), 200)}**")
    student = room.student(view.work.seat)
    if student is not None and student.entry is not None:
        _handed_in(view, student.entry, room.state.challenge)
        return student.entry.is_open
    scores = session.scores(view.model, view.dataset)
    criterion_picker.popover(view.work, view.model, view.dataset, scores)
    is_pending = doing.draw(view, _DO)
    _size(view, room.state.challenge)
    st.button(
        view.t("Hand in"),
        icon=":material/upload:",
        type="primary",
        key="class_hand_in",
        disabled=view.is_frozen,
        help="This setting is measured on the hidden test split. Each team looks at it once.",
        on_click=partial(measuring.hand_in, room, view.work.seat, view.work.spec),
    )
    return is_pending


def _size(view: LessonView, challenge: Challenge) -> None:
    whole = smallest_file(view.model, plan(view.model, PruneSpec(), data=view.dataset))
    scores = session.scores(view.model, view.dataset)
    share = smallest_file(view.model, plan(view.model, view.work.spec, scores)) / whole
    mark = ":material/check_circle:" if share <= challenge.share else ":material/close:"
    words = view.t("Size of the smallest file: {share} of the dense one, counted.")
    st.markdown(f"{mark} {words.format(share=f'**{percent(share)}**')}")


def _handed_in(view: LessonView, entry: TeamEntry, challenge: Challenge) -> None:
    if entry.refusal:
        st.error(f"Your entry could not be measured: {clean_markdown(entry.refusal, 300)}", icon=":material/error:")
    elif entry.outcome is None:
        st.info(view.t("Your entry is being measured on the hidden split."), icon=":material/hourglass_top:")
    else:
        outcome = entry.outcome
        words = view.t("On the hidden split: {share} of the bytes, {accuracy} right ({change}).").format(
            share=percent(outcome.share), accuracy=percent(outcome.accuracy), change=points(-outcome.drop)
        )
        is_met = outcome.meets(challenge)
        end = view.t("The challenge is met.") if is_met else view.t("The challenge is not met.")
        (st.success if is_met else st.info)(f"{words} {end}", icon=":material/flag:")
