"""Who is where, what the class predicts, and why: counts, and sentences without names."""

from __future__ import annotations

import streamlit as st

from explorer import lessons
from explorer.charts import classroom as charts
from explorer.classroom import CHALLENGE, Classroom, ClassState, tally
from explorer.lessons.lesson import Predict, Why
from explorer.text.names import clean_markdown
from explorer.ui.shell.theme import chart_theme
from explorer.ui.widgets import chart, language

_MOST_NAMES = 60


def draw(room: Classroom) -> None:
    """Counts of places, and what was said in the step that the teacher leads, or in those where students are."""
    state = room.state
    st.markdown(f"**{language.chosen()('Students: {n}').format(n=len(state.students))}**")
    for (lesson, step), names in tally.places(state).items():
        with st.expander(f"{len(names)} · {clean_markdown(_place(lesson, step), 120)}"):
            st.caption(clean_markdown(", ".join(names[:_MOST_NAMES]), 2000))
    lead = state.lead
    if lead.activity in lessons.MEMBERS:
        _step(state, lead.activity, lead.step)
    elif not lead.activity:
        for lesson, step in tally.places(state):
            if lesson in lessons.MEMBERS:
                _step(state, lesson, step)


def _place(lesson: str, step: int) -> str:
    t = language.chosen()
    if lesson == CHALLENGE:
        return t("at the challenge")
    if lesson not in lessons.MEMBERS:
        return t("in no lesson")
    of = lessons.lesson(lesson)
    return t("{title}, step {n} of {of}").format(title=t(of.title), n=step + 1, of=len(of.steps))


def _step(state: ClassState, name: str, number: int) -> None:
    lesson, t = lessons.lesson(name), language.chosen()
    step = lesson.steps[min(number, len(lesson.steps) - 1)]
    asked = [block for block in step.blocks if isinstance(block, Predict | Why)]
    if not asked:
        return
    st.subheader(f"{clean_markdown(t(lesson.title))}: {clean_markdown(t(step.title))}", anchor=False)
    for block in asked:
        with st.container(border=True, key=f"class_{name}_{block.key}_card"):
            st.markdown(f"**{clean_markdown(t(block.question), 300)}**")
            if isinstance(block, Predict):
                _predictions(state, name, block)
            else:
                _reasons(state, name, block)


def _predictions(state: ClassState, lesson: str, block: Predict) -> None:
    answers = tally.answers_to(state, lesson, block.key)
    locked = language.chosen()("{n} of {of} have locked a prediction.")
    st.caption(locked.format(n=len(answers), of=len(state.students)))
    if answers:
        figure = charts.predictions(tally.distribution(block, answers), theme=chart_theme())
        chart.draw(figure, f"class_{lesson}_{block.key}_chart")


def _reasons(state: ClassState, lesson: str, block: Why) -> None:
    reasons = tally.reasons_to(state, lesson, block.key)
    written = language.chosen()("{n} of {of} have written.")
    st.caption(written.format(n=len(reasons), of=len(state.students)))
    for reason in reasons:
        st.markdown(f"- {clean_markdown(reason, 300)}")
