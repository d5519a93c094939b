"""The verdict, the table of checks, why, and the files that tell of it."""

from __future__ import annotations

import json

import streamlit as st

from explorer.analysis.check.result import Check
from explorer.report.card import card
from explorer.report.cells import HEAD, ORDER, facts, subject, verdict_sentence
from explorer.report.junit import junit
from explorer.report.markdown import markdown
from explorer.report.text import rows
from explorer.text.names import clean_markdown

_ICONS = {"pass": ":material/check_circle:", "fail": ":material/cancel:", "cannot tell": ":material/help:"}
_BOXES = {"pass": st.success, "fail": st.error, "cannot tell": st.warning}


def draw(check: Check, stem: str) -> None:
    """All of a finished check; ``stem`` begins the names of its files."""
    with st.container(border=True, key="verdict_card"):
        with st.container(horizontal=True, vertical_alignment="center", key="verdict_head"):
            st.header("The verdict", anchor=False, width="stretch")
            _downloads(check, stem)
        box = _BOXES[check.verdict]
        box(clean_markdown(verdict_sentence(check), 600), icon=_ICONS[check.verdict])
        st.caption(clean_markdown(subject(check), 300))
        table = [dict(zip(HEAD, row, strict=True)) for row in rows(check)]
        st.dataframe(table, hide_index=True, height=35 * len(table) + 38)
    with st.container(border=True, key="why_card"):
        st.header("Why", anchor=False)
        for outcome in sorted(check.outcomes, key=lambda outcome: ORDER[outcome.status]):
            if outcome.status != "does not apply":
                st.markdown(
                    f"**{clean_markdown(outcome.label)}: {outcome.status}.** {clean_markdown(outcome.why, 900)}"
                )
    with st.expander("The same again, and what it depends on"):
        st.code(check.command, language="shell")
        for name, text in facts(check):
            st.caption(f"**{name}** {clean_markdown(text, 400)}")


def _downloads(check: Check, stem: str) -> None:
    st.download_button("HTML", lambda: card(check), f"{stem}.html", "text/html", key="check_html", on_click="ignore")
    st.download_button("JUnit", lambda: junit(check), f"{stem}.xml", "text/xml", key="check_junit", on_click="ignore")
    st.download_button("Markdown", lambda: markdown(check), f"{stem}.md", key="check_markdown", on_click="ignore")
    text = json.dumps(check.to_json(), indent=1, allow_nan=False)
    st.download_button("JSON", text, f"{stem}.json", key="check_json", on_click="ignore")
