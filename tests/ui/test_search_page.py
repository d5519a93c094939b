"""The budget page without a browser: what it says before, during and after a search, and where none is possible."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from explorer.analysis.search.search import SearchResult
from explorer.pruning.spec import PruneSpec
from explorer.tasks.search import SearchRequest
from explorer.ui.search.page import result_of
from explorer.ui.shell import cache
from explorer.workbench.links import encode
from tests.ui.pages import VISITOR, Open, jobs_of, spoken, work_of


def ended(at: AppTest) -> AppTest:
    for job in cache.jobs().of(VISITOR):
        assert job.wait(300), f"{job.title} did not end"
    return at.run()


def test_before_a_search_the_page_says_what_one_does(visit: Open) -> None:
    at = visit("search", model="digits-mlp")
    assert not at.exception
    assert "never worse than any of them" in spoken(at)
    assert [b.label for b in at.button if b.key == "search_start"] == ["Search"]


def test_a_file_without_an_architecture_is_not_searched(visit: Open, own_file: str) -> None:
    at = visit("search", model=own_file)
    assert not at.exception
    assert "No search without a measurement" in spoken(at)
    assert not [b for b in at.button if b.key == "search_start"]


def test_units_that_a_network_does_not_have_are_refused_in_a_sentence(visit: Open) -> None:
    at = visit("search", model="digits-mlp", spec=encode(PruneSpec("head")))
    assert not at.exception
    assert "Not to be asked here" in spoken(at)
    assert next(b for b in at.button if b.key == "search_start").disabled


def test_a_search_ends_with_an_answer_and_its_setting_can_be_opened(visit: Open) -> None:
    at = visit("search", model="digits-mlp")
    at.number_input(key="search_share").set_value(30.0).run()
    at.segmented_control(key="search_plans").set_value(20).run()
    next(b for b in at.button if b.key == "search_start").click().run()
    ended(at)
    assert not at.exception
    assert "plans were measured on the tune split" in spoken(at)
    job = jobs_of(SearchRequest)[0]
    result = result_of(job)
    assert isinstance(result, SearchResult)
    assert result.best.share <= 0.3
    # What was measured is kept, as what it was asked for.
    kept = cache.store().points(limit=100)
    assert {record.kind for record in kept if record.model_address == "digits-mlp"} >= {"search"}
    next(b for b in at.button if b.key == "search_open").click().run()
    assert work_of(at).spec == result.best.spec


@pytest.mark.parametrize("kind", ["drop", "budget"])
def test_the_choices_outlive_a_visit_to_another_page(visit: Open, kind: str) -> None:
    at = visit("search", model="digits-mlp")
    at.radio(key="search_kind").set_value(kind).run()
    at.switch_page("pages/sensitivity.py").run()
    at.switch_page("pages/search.py").run()
    assert at.radio(key="search_kind").value == kind
