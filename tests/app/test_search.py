"""A question about a budget, asked of the real app: searched in the background, measured, and opened on Explore."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.app import oracle
from tests.app.conftest import Visit
from tests.app.screen import Screen

pytest_plugins = ("tests.browser",)
pytestmark = [pytest.mark.browser, pytest.mark.slow]

MODEL = "digits-cnn"
LONG_MS = 200_000


def searching(page: Page) -> Locator:
    """The button that begins; tables have one called Search as well."""
    return page.get_by_role("button", name="Search", exact=True).first


def asked(visit: Visit, model: str) -> Screen:
    """The budget page for a model, by the navigation."""
    screen = visit().open(model=model)
    screen.page.get_by_role("link", name="Budget").click()
    expect(screen.page.get_by_text("What do you want to find?")).to_be_visible()
    return screen


def test_a_budget_question_is_answered_by_a_measured_plan_that_opens_on_explore(visit: Visit) -> None:
    screen = asked(visit, MODEL)
    page = screen.page
    expect(page.get_by_text("Asked: the best accuracy with at most 40%")).to_be_visible()
    page.get_by_role("radio", name="20").click()
    searching(page).click()

    expect(page.get_by_text("20 plans were measured on the tune split")).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_text("Global pruning:")).to_be_visible()
    table = page.get_by_test_id("stTable")
    expect(table).to_contain_text("Predicted")
    limit = round(0.4 * oracle.opened(MODEL)[0].n_parameters)
    row = table.get_by_role("row").filter(has_text="Parameters")
    reached = int(row.get_by_role("cell").last.inner_text().replace(",", ""))
    assert limit - 10 <= reached <= limit
    shown = table.get_by_role("row").filter(has_text="Accuracy").get_by_role("cell").last.inner_text()

    page.get_by_role("button", name="Open on Explore").first.click()
    screen.settled()
    assert screen.spec.allocation.key == "per_layer" or screen.spec.allocation.key in ("global", "uniform", "erk")
    expect(screen.accuracy).to_have_text(oracle.accuracy(MODEL, screen.spec))
    assert screen.accuracy.inner_text().replace(" ", "") == shown.replace(" ", "")


def test_a_search_can_be_stopped_and_what_was_measured_stays(visit: Visit) -> None:
    page = asked(visit, "digits-vit").page  # slow enough to be stopped in between
    page.get_by_text("Smallest model within a drop").click()
    expect(page.get_by_text("the fewest parameters for a drop of at most 1 point")).to_be_visible()
    searching(page).click()
    page.get_by_role("button", name="Stop", exact=True).click()

    expect(page.get_by_text(re.compile(r"Stopped after \d+ plans; what was measured is kept"))).to_be_visible(
        timeout=LONG_MS
    )
    expect(searching(page)).to_be_visible()


def test_a_time_is_not_asked_of_weights_and_the_page_says_why(visit: Visit) -> None:
    screen = asked(visit, MODEL)
    page = screen.page
    page.get_by_role("combobox", name=re.compile("Budget of")).click()
    page.get_by_role("option", name="Time of one pass").click()

    expect(page.get_by_text("Zeros save no time")).to_be_visible()
    expect(searching(page)).to_be_disabled()
