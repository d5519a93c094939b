from __future__ import annotations

from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.testing.v1 import AppTest


def page() -> None:
    """One value, shown in two widgets and set by a button."""
    import streamlit as st

    from explorer.ui.widgets.controlled_widget import mirrored

    def take(value: str) -> None:
        st.session_state["taken"] = value

    present = st.session_state.setdefault("taken", "a")
    st.radio("one", ["a", "b", "c"], **mirrored("one", present, take, among=["a", "b", "c"]))
    st.radio("other", ["a", "b", "c"], **mirrored("other", present, take, among=["a", "b", "c"]))
    st.button("c", key="set", on_click=take, args=("c",))


def test_a_choice_in_one_widget_is_shown_by_the_other() -> None:
    at = AppTest.from_function(page).run()

    at.radio[0].set_value("b").run()

    assert at.session_state["taken"] == "b"
    assert [radio.value for radio in at.radio] == ["b", "b"]


def test_what_the_visitor_touched_stays_the_same_widget_and_the_others_are_new_ones() -> None:
    at = AppTest.from_function(page).run()
    touched, other = (radio.key for radio in at.radio)

    at.radio[0].set_value("b").run()

    assert at.radio[0].key == touched
    assert at.radio[1].key != other


def test_a_value_that_is_set_elsewhere_is_shown_and_can_be_changed_again() -> None:
    at = AppTest.from_function(page).run()
    at.button(key="set").click().run()
    shown = [radio.value for radio in at.radio]

    at.radio[1].set_value("a").run()

    assert shown == ["c", "c"]
    assert [radio.value for radio in at.radio] == ["a", "a"]


def test_a_message_that_tells_an_older_value_changes_nothing() -> None:
    at = AppTest.from_function(page).run()
    at.radio[0].set_value("b")
    told = at._tree.get_widget_states()
    at.run()

    # The next message of a browser that has not yet drawn the answer: the other widget still says "a".
    at._run(widget_state=told)

    assert at.session_state["taken"] == "b"
    assert [radio.value for radio in at.radio] == ["b", "b"]


def test_a_widget_in_a_closed_menu_gives_the_browser_no_order_that_could_take_a_choice_back() -> None:
    at = AppTest.from_function(page).run()
    drawn = [at.radio]
    for _ in range(2):  # the browser tells nothing of a widget that it does not show yet
        at._run(widget_state=WidgetStates())
        drawn.append(at.radio)

    assert {radio.key for radios in drawn for radio in radios} == {"one_0", "other_0"}
    assert not any(radio.proto.set_value for radios in drawn for radio in radios)

    at.button(key="set").click().run()
    assert [radio.proto.options[radio.proto.default] for radio in at.radio] == ["c", "c"]
    assert not any(radio.proto.set_value for radio in at.radio)
