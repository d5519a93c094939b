"""Whose background work it is: the same visitor after a reload of the page, and nobody who merely has the cookie."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer.ui.serving import visitors
from explorer.ui.serving.visitors import Present, cookie_name, issued, verified

HERE, ELSEWHERE = "192.0.2.7", "192.0.2.8"


def test_a_cookie_names_its_visitor_at_the_address_and_in_the_browser_that_it_was_given_to() -> None:
    cookie = issued(HERE, "Firefox")
    visitor = verified(cookie, HERE, "Firefox")
    assert visitor is not None
    assert cookie.startswith(visitor)
    assert issued(HERE, "Firefox") != cookie


def test_a_cookie_that_somebody_else_sends_or_makes_names_nobody() -> None:
    cookie = issued(HERE, "Firefox")
    visitor, _, signature = cookie.partition(".")
    others = [
        (cookie, ELSEWHERE, "Firefox"),
        (cookie, HERE, "Chrome"),
        (f"{visitor}.{'0' * 64}", HERE, "Firefox"),
        (f"{'0' * 32}.{signature}", HERE, "Firefox"),
        (visitor, HERE, "Firefox"),
        ("ä.ä", HERE, "Firefox"),
        ("", HERE, "Firefox"),
        (None, HERE, "Firefox"),
    ]
    assert [verified(*other) for other in others] == [None] * len(others)


def test_the_ways_to_name_this_machine_are_one_address() -> None:
    # Streamlit's pages say None of a visitor from this machine, the server its address.
    assert verified(issued("127.0.0.1", "Firefox"), None, "Firefox") is not None


def test_a_cookie_names_its_visitor_after_a_restart_and_nobody_over_another_data_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PRUNING_EXPLORER_DATA", str(tmp_path / "one"))
    cookie, name = issued(HERE, "Firefox"), cookie_name()
    visitors._secret_in.cache_clear()  # as a new process begins
    assert verified(cookie, HERE, "Firefox") is not None
    assert cookie_name() == name
    assert (tmp_path / "one" / "visitors.key").stat().st_mode & 0o077 == 0

    monkeypatch.setenv("PRUNING_EXPLORER_DATA", str(tmp_path / "another"))
    assert verified(cookie, HERE, "Firefox") is None
    assert cookie_name() != name


def test_where_nothing_can_be_written_a_visitor_is_known_until_the_server_ends(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PRUNING_EXPLORER_DATA", str(tmp_path / "file" / "folder"))
    assert verified(issued(HERE, "Firefox"), HERE, "Firefox") is not None


def test_who_came_first_has_a_place_until_the_last_tab_is_closed() -> None:
    present = Present()
    for visitor in ("a", "b", "b", "c"):
        present.arrive(visitor)
    assert [present.has_place(visitor, 2) for visitor in ("a", "b", "c", "not connected")] == [True, True, False, False]
    present.leave("b")
    assert not present.has_place("c", 2)
    present.leave("b")
    assert present.has_place("c", 2)
    assert present.n_connections() == 2
