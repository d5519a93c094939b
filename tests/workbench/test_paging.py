from __future__ import annotations

from explorer.types import PruningGroup
from explorer.workbench.paging import AT_ONCE, is_long, page_of


def group(name: str, n: int, block: str = "block") -> PruningGroup:
    return PruningGroup(name, (name,), n, "weight", n, block, "Linear")


MANY = [group(f"fc{i}", 1 + i % 7) for i in range(2 * AT_ONCE + 5)]


def test_the_pages_together_are_the_whole_list_in_its_order() -> None:
    pages = [page_of(MANY, number=number) for number in (1, 2, 3)]

    assert [g for page in pages for g in page.groups] == MANY
    assert {page.n_pages for page in pages} == {3}
    assert [page.first for page in pages] == [1, AT_ONCE + 1, 2 * AT_ONCE + 1]


def test_a_search_looks_at_all_pages_whatever_the_case() -> None:
    page = page_of([*MANY, group("Head", 3), group("x", 2, block="head")], query=" HEAD ")

    assert [g.name for g in page.groups] == ["Head", "x"]
    assert (page.n_matching, page.n_pages) == (2, 1)


def test_the_largest_of_all_come_first_and_equal_ones_stay_in_their_order() -> None:
    page = page_of(MANY, order="size")

    assert list(page.groups) == sorted(MANY, key=lambda g: -g.n_units)[:AT_ONCE]


def test_a_page_that_is_not_there_is_the_nearest_one() -> None:
    assert [page_of(MANY, number=number).number for number in (-3, 0, 99)] == [1, 1, 3]
    assert page_of(MANY, query="nothing is called this", number=2).groups == ()


def test_only_lists_that_do_not_fit_on_a_page_are_long() -> None:
    assert not is_long(MANY[:AT_ONCE])
    assert is_long(MANY[: AT_ONCE + 1])
