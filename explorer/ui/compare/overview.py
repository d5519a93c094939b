"""All models at once: the table, one chart, and where they come from."""

from __future__ import annotations

import json

import streamlit as st

from explorer.analysis.models_compared.result import ModelsCompared
from explorer.charts import compared as charts
from explorer.report import compared as words
from explorer.report.compared_card import comparison_card
from explorer.text.names import clean_markdown
from explorer.ui.shell.theme import chart_theme
from explorer.ui.widgets import chart
from explorer.ui.widgets.persistent_widget import put, remembered

DETAILS = "compared_details"


def draw(compared: ModelsCompared) -> None:
    """The table, the chart and the lineage."""
    with st.container(border=True, key="side_card"):
        with st.container(horizontal=True, vertical_alignment="center", key="side_head"):
            st.header("Side by side", anchor=False, width="stretch")
            _downloads(compared)
        head = words.head(compared)
        table = [dict(zip(head, row, strict=True)) for row in words.rows(compared)]
        st.dataframe(table, hide_index=True, height=35 * len(table) + 38, key="compared_table")
        for sentence in words.sentences(compared):
            st.markdown(clean_markdown(sentence, 900))
        st.caption(
            f"{clean_markdown(words.subject(compared), 200)}. Each is held against the first on the same samples."
        )
    left, right = st.columns([1.5, 1], gap="medium")
    with left, st.container(border=True, key="axes_card", height="stretch"):
        _chart(compared)
    with right, st.container(border=True, key="lineage_card", height="stretch"):
        _lineage(compared)
    with st.expander("The same again, and what it depends on"):
        st.code(compared.command, language="shell", wrap_lines=True)
        for name, text in words.facts(compared):
            st.caption(f"**{clean_markdown(name)}** {clean_markdown(text, 400)}")


def _downloads(compared: ModelsCompared) -> None:
    st.download_button(
        "HTML", lambda: comparison_card(compared), "comparison.html", "text/html", key="compared_html",
        on_click="ignore",
    )  # fmt: skip
    st.download_button(
        "JSON", lambda: json.dumps(compared.to_json(), allow_nan=False), "comparison.json", "application/json",
        key="compared_json", on_click="ignore",
    )  # fmt: skip


def _chart(compared: ModelsCompared) -> None:
    st.header("One chart", anchor=False)
    titles = charts.axes_of(compared)
    with st.container(horizontal=True, key="compared_axes"):
        x = _axis("across", "compared_x", titles, charts.usual_axis(compared))
        y = _axis("up", "compared_y", titles, "score")
    chart.draw(charts.compared_models(compared, x=x, y=y, theme=chart_theme()), "compared_chart")


def _axis(label: str, key: str, titles: dict[str, str], usual: str) -> str:
    return str(
        st.selectbox(
            label.capitalize(), list(titles), key=key, format_func=titles.__getitem__, width=220,
            on_change=remembered(key, usual, list(titles)),
        )
    )  # fmt: skip


def _lineage(compared: ModelsCompared) -> None:
    st.header("Where they come from", anchor=False)
    figure = charts.lineage(compared.lineage, compared.names, theme=chart_theme())
    event = chart.draw(figure, "compared_lineage", on_select="rerun", selection_mode="points")
    points = event.selection.points if event is not None else []
    place = points[0].get("customdata", [-1])[0] if points else -1
    if isinstance(place, int) and 0 < place < len(compared.names):
        put(DETAILS, compared.names[place])
    st.caption("Filled: compared here. A click on one shows its details below.")
