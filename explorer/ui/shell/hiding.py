"""What the link, or the teacher of a class, hides on every page: widgets by their keys, pages by their names."""

from __future__ import annotations

import re

import streamlit as st

from explorer.ui.shell import cache, session

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,60}")


def names() -> frozenset[str]:
    """What is hidden for this visitor."""
    work, room = session.workspace(), cache.classroom()
    is_student = room is not None and room.student(work.seat) is not None
    by_teacher = room.state.lead.hide if room is not None and is_student else ()
    return frozenset(name for name in (*work.place.hide, *by_teacher) if _NAME.fullmatch(name))


def style() -> None:
    """Hide them; Streamlit gives each widget with a key a class of that name."""
    hidden = sorted(names())
    if hidden:
        rules = ", ".join(f".st-key-{name}" for name in hidden)
        st.html(f"<style>{rules} {{ display: none !important; }}</style>")
