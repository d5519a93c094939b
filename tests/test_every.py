"""A test that loops over its cases fails when one of them does, and names it."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from tests.every import for_each


def test_every_combination_is_tried_and_all_that_fail_are_named(tmp_path: Path) -> None:
    tried = []

    @for_each("n", [1, 2, 3])
    @for_each(("letter", "limit"), [("a", 2), ("b", 9)])
    def below(tmp_path: Path, n: int, letter: str, limit: int) -> None:
        tried.append((n, letter, tmp_path))
        assert n < limit, f"{letter}{n}"

    assert list(inspect.signature(below).parameters) == ["tmp_path"]
    with pytest.raises(AssertionError, match=r"2 of 3 cases fail") as failed:
        below(tmp_path=tmp_path)
    assert "a2" in str(failed.value)
    assert "a3" in str(failed.value)
    assert "b" not in str(failed.value).replace("below", "")
    assert tried == [(n, letter, tmp_path) for n in (1, 2, 3) for letter in "ab"]


def test_an_error_that_is_no_assertion_says_in_which_case_it_came() -> None:
    @for_each("n", [1, 0])
    def divided(n: int) -> None:
        assert 1 // n == 1

    with pytest.raises(ZeroDivisionError) as error:
        divided()
    assert error.value.__notes__ == ["in the case {'n': 0}"]


def test_no_case_at_all_is_a_mistake() -> None:
    with pytest.raises(AssertionError, match="no case of n"):
        for_each("n", [])
