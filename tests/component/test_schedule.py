"""The schedule's handle: what it is told, and what of a browser's answer is believed."""

from __future__ import annotations

import pytest

from explorer.component import Corner, parse_corner, schedule_js, schedule_part
from explorer.errors import ExplorerError
from tests.every import for_each


def test_a_corner_is_read_back_as_it_was_sent() -> None:
    assert parse_corner({"end": 0.6, "final": 0.9}) == Corner(0.6, 0.9)
    assert parse_corner(None) is None


@for_each(
    "sent",
    ["0.5", [], {"end": 0.5}, {"end": 2, "final": 0.5}, {"end": 0.5, "final": 1.0}, {"end": True, "final": 0.5},
     {"end": 0.5, "final": float("nan")}, {"end": "0.5", "final": 0.5}],
)  # fmt: skip
def test_what_no_browser_of_ours_sends_is_refused(sent: object) -> None:
    with pytest.raises(ExplorerError, match="not a place of its handle"):
        parse_corner(sent)


def test_the_part_says_in_words_what_the_handle_moves() -> None:
    part = schedule_part([(1, 0.3), (2, 0.9)], Corner(0.5, 0.9), epochs=4, moves_end=True)
    assert part["points"] == [[1.0, 0.3], [2.0, 0.9]]
    assert "when pruning ends" in part["words"]
    assert "when pruning ends" not in schedule_part([], Corner(1.0, 0.9), epochs=4, moves_end=False)["words"]


def test_the_module_reads_the_names_that_the_part_gives() -> None:
    part = schedule_part([(1, 0.3)], Corner(0.5, 0.9), epochs=4, moves_end=True)
    assert all(f"data.{name}" in schedule_js() for name in part)
