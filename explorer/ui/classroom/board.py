"""The board of the challenge: the front as it grows, and a table; for the teacher, the projector and the students."""

from __future__ import annotations

import streamlit as st

from explorer.charts import classroom as charts
from explorer.classroom import Challenge, Classroom, TeamEntry, board
from explorer.lessons.languages import Translate, english
from explorer.text.numbers import percent, points, points_bare
from explorer.ui.classroom import measuring
from explorer.ui.shell.theme import chart_theme
from explorer.ui.widgets import chart, language


def goal(challenge: Challenge, t: Translate = english) -> str:
    """ "At most 25% of the bytes of digits-resnet, and at most 1.0 points less accuracy"."""
    text = t("At most {share} of the bytes of {model}, and at most {points} points less accuracy")
    lost = points_bare(challenge.drop).removeprefix("+")
    return text.format(share=percent(challenge.share, 0), model=challenge.model, points=lost)


def draw(room: Classroom, *, is_projected: bool = False) -> None:
    """Measure what is open, and draw what was measured."""
    n_open = measuring.settle(room)
    state, t = room.state, language.chosen()
    shows_names = state.lead.shows_names
    entries = {s.name: s.entry for s in state.students.values() if s.entry is not None}
    rows = board(entries, state.challenge)
    measured = t("{goal}: measured here, on the hidden test split, once a team.")
    st.caption(measured.format(goal=goal(state.challenge, t)))
    figure = charts.board(rows, state.challenge, names=shows_names, large=is_projected, theme=chart_theme())
    chart.draw(figure, "class_board")
    if n_open:
        st.caption(f":material/hourglass_top: {t('Entries being measured: {n}').format(n=n_open)}")
    if rows:
        table = [
            {
                t("place"): row.place,
                **({t("team"): row.team} if shows_names else {}),
                t("bytes"): percent(row.outcome.share),
                t("accuracy"): percent(row.outcome.accuracy),
                t("change"): points(-row.outcome.drop),
                t("meets the challenge"): t("yes" if row.meets else "no"),
            }
            for row in rows
        ]
        st.dataframe(table, hide_index=True, key="class_board_rows")
    _refused(entries)


def _refused(entries: dict[str, TeamEntry]) -> None:
    n = sum(bool(entry.refusal) for entry in entries.values())
    if n:
        st.caption(f":material/block: {language.chosen()('Entries that could not be measured: {n}').format(n=n)}")
