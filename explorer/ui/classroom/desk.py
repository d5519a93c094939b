"""What the teacher sets for all: lesson and step, pause, reveal, message, hidden controls; and the end of the class."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import streamlit as st

from explorer import lessons, models
from explorer.classroom import CHALLENGE, Challenge, Classroom, Lead, tally
from explorer.classroom.state import LONGEST_TEXT, MOST_HIDDEN, cleaned
from explorer.errors import ExplorerError
from explorer.lessons.blocks import CONTROLS
from explorer.text.names import clean_markdown, file_stem
from explorer.ui.shell import session
from explorer.ui.widgets import language

_ACTIVITY, _STEP, _MESSAGE, _HIDE = "class_activity", "class_step", "class_message", "class_hide"
_NAME = re.compile(r"[A-Za-z][\w-]{0,60}")


def lead(room: Classroom) -> None:
    """The controls of the lesson, in the order in which a teacher needs them."""
    now, t = room.state.lead, language.chosen()
    what, where = st.columns([3, 2])
    activities = ("", *lessons.MEMBERS, CHALLENGE)
    st.session_state[_ACTIVITY] = now.activity
    what.selectbox(t("All do"), activities, format_func=_title, key=_ACTIVITY, on_change=partial(_chosen, room))
    if now.activity in lessons.MEMBERS:
        steps = lessons.lesson(now.activity).steps
        st.session_state[_STEP] = min(now.step, len(steps) - 1)
        where.selectbox(
            t("Step"),
            range(len(steps)),
            format_func=lambda i: f"{i + 1}. {t(steps[i].title)}",
            key=_STEP,
            on_change=partial(_stepped, room),
        )
    _buttons(room, now)
    _message(room, now)
    st.session_state[_HIDE] = list(now.hide)
    st.multiselect(
        t("Hide for students"),
        sorted({*CONTROLS, *now.hide}),
        key=_HIDE,
        accept_new_options=True,
        max_selections=MOST_HIDDEN,
        placeholder=t("lines, mode, presets, or the name of any control or page"),
        on_change=partial(_hidden, room),
    )
    if room.trouble:
        why = t("The class is not stored: {why}").format(why=clean_markdown(room.trouble, 300))
        st.warning(why, icon=":material/warning:")


def _title(activity: str) -> str:
    t = language.chosen()
    if activity == CHALLENGE:
        return t("The challenge")
    if not activity:
        return t("What they like (each on their own)")
    return f"{lessons.MEMBERS.index(activity) + 1}. {t(lessons.lesson(activity).title)}"


def _buttons(room: Classroom, now: Lead) -> None:
    t = language.chosen()
    n_steps = len(lessons.lesson(now.activity).steps) if now.activity in lessons.MEMBERS else 0
    with st.container(horizontal=True, vertical_alignment="center", key="class_buttons"):
        if n_steps:
            back, ahead = partial(_to_step, room, now.step - 1), partial(_to_step, room, now.step + 1)
            st.button(t("Back"), icon=":material/arrow_back:", disabled=now.step == 0, on_click=back)
            st.button(t("Next"), icon=":material/arrow_forward:", disabled=now.step >= n_steps - 1, on_click=ahead)
            _switch(room, "is_revealed", ("Reveal", "Hide the measurement"), ":material/visibility:")
        _switch(room, "is_frozen", ("Freeze", "Go on"), ":material/pause:")
        names_switch(room)
        if now.activity:
            with st.popover(t("Reset"), icon=":material/restart_alt:"):
                st.caption(t("All answers in it are taken back, and everybody begins again."))
                st.button(t("Take all answers back"), on_click=partial(_reset, room, now.activity))


def _switch(room: Classroom, name: str, words: tuple[str, str], icon: str) -> None:
    is_on = bool(getattr(room.state.lead, name))
    st.button(
        language.chosen()(words[is_on]),
        icon=icon,
        key=f"class_{name}",
        type="primary" if is_on else "secondary",
        on_click=partial(_set, room, **{name: not is_on}),
    )


def names_switch(room: Classroom) -> None:
    """Whether the board says who is who."""
    st.session_state["class_names"] = room.state.lead.shows_names
    st.toggle(language.chosen()("Names on the board"), key="class_names", on_change=partial(_named, room))


def _message(room: Classroom, now: Lead) -> None:
    t = language.chosen()
    with st.form("class_message_form", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(t("Message to all"), value=now.message, key=_MESSAGE, max_chars=LONGEST_TEXT)
        st.form_submit_button(t("Show"), on_click=partial(_told, room))


def challenge(room: Classroom) -> None:
    """What the challenge asks."""
    now, t = room.state.challenge, language.chosen()
    with st.expander(t("Change the challenge")), st.form("class_challenge", border=False):
        samples = models.samples()
        model = st.selectbox(t("Model"), samples, index=samples.index(now.model) if now.model in samples else 0)
        share = st.number_input(t("At most this share of the bytes (%)"), 1.0, 100.0, 100 * now.share)
        drop = st.number_input(t("At most this drop of accuracy (points)"), 0.0, 100.0, 100 * now.drop)
        st.caption(t("Another model takes all entries back."))
        if st.form_submit_button(t("Set")):
            _guarded(lambda: room.set_challenge(Challenge(str(model), share / 100, drop / 100)))
            st.rerun()


def data(room: Classroom) -> None:
    """Take it home, or end the class."""
    n, t = len(room.state.students), language.chosen()
    stored = "Stored are {n} generated names, what was predicted and written, and entries; on this machine alone."
    st.caption(t(stored).format(n=n))
    name = f"class-{file_stem(room.state.name)}.csv"
    text = partial(tally.as_csv, room.state)
    st.download_button(t("Export CSV"), text, name, "text/csv", icon=":material/download:", on_click="ignore")
    with st.popover(t("End and erase"), icon=":material/delete:"):
        st.caption(t("Everything that is stored of the class goes, and nobody can join any more."))
        st.button(t("End the class and erase it"), key="class_erase", type="primary", on_click=room.erase)


def _set(room: Classroom, **changes: object) -> None:
    _lead(room, lambda now: replace(now, **changes))  # type: ignore[arg-type]  # names of its fields


def _lead(room: Classroom, change: Callable[[Lead], Lead]) -> None:
    _guarded(lambda: room.lead(change))


def _guarded(act: Callable[[], None]) -> None:
    try:
        act()
    except ExplorerError as error:
        session.notify(error)


def _chosen(room: Classroom) -> None:
    _set(room, activity=st.session_state[_ACTIVITY], step=0, is_revealed=False)


def _stepped(room: Classroom) -> None:
    _to_step(room, st.session_state[_STEP])


def _to_step(room: Classroom, step: int) -> None:
    """Another step holds its measurement back again."""
    _set(room, step=step, is_revealed=False)


def _named(room: Classroom) -> None:
    _set(room, shows_names=bool(st.session_state["class_names"]))


def _told(room: Classroom) -> None:
    _set(room, message=cleaned(st.session_state[_MESSAGE]))


def _hidden(room: Classroom) -> None:
    names = [name for name in st.session_state[_HIDE] if _NAME.fullmatch(name)]
    _set(room, hide=tuple(dict.fromkeys(names))[:MOST_HIDDEN])


def _reset(room: Classroom, activity: str) -> None:
    _guarded(lambda: room.reset(activity))
    _to_step(room, 0)
