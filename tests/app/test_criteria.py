"""Criteria that look at data, on the real app: chosen, measured, refused, and compared on one layer."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

import explorer as ex
from explorer.analysis.criteria_compared import compare_criteria
from tests.app import oracle
from tests.app.conftest import Visit
from tests.app.screen import Screen

pytest_plugins = ("tests.browser",)
pytestmark = [pytest.mark.browser, pytest.mark.slow]


def choose(screen: Screen, name: str) -> None:
    """Open the criterion's button and take another one."""
    screen.page.locator(".st-key-controls").get_by_role("button", name="Magnitude").click()
    screen.page.get_by_role("combobox", name="How important is a unit?").click()
    screen.page.get_by_role("option", name=re.compile(f"^{name}")).click()
    expect(screen.page.locator(".st-key-controls").get_by_role("button", name=name)).to_be_visible()


def test_a_criterion_that_looks_at_data_says_how_many_samples_and_is_measured(visit: Visit) -> None:
    screen = visit().open(model="digits-mlp")
    choose(screen, "Taylor")
    expect(screen.page.get_by_text("From 256 samples of the fit split")).to_be_visible()
    screen.page.keyboard.press("Escape")
    screen.preset("80%", "80")
    assert screen.spec.criterion.key == "taylor"
    expect(screen.accuracy).to_have_text(oracle.accuracy("digits-mlp", screen.spec))
    expect(screen.page.locator(".ph")).not_to_contain_text("|w|")


def test_without_data_such_criteria_are_refused_with_their_reason(visit: Visit) -> None:
    screen = visit().open(model="digits-mlp", data="none")
    screen.page.locator(".st-key-controls").get_by_role("button", name="Magnitude").click()
    body = screen.page.get_by_test_id("stPopoverBody")
    expect(body.get_by_text("Looks at data, and there is none")).to_be_visible()
    expect(body.get_by_text(re.compile("Taylor"))).to_be_visible()


def test_two_criteria_on_one_layer_show_how_alike_they_rank_it(visit: Visit) -> None:
    screen = visit().open(model="digits-mlp")
    screen.page.get_by_role("link", name="Weights", exact=True).click()
    card = screen.page.locator(".st-key-two_criteria_card")
    expect(card.locator("p:not(.only-spoken)").filter(has_text="Rank correlation")).to_be_visible()
    model = ex.load("digits-mlp")
    layer = card.page.locator(".st-key-layer_head").get_by_role("combobox").input_value()
    data = ex.load_data("digits", model=model)
    found = compare_criteria(model, ex.PruneSpec(), "taylor", layer or ex.layers(model).prunable[0].name, data)
    expect(
        card.locator("p:not(.only-spoken)").filter(has_text=f"Rank correlation {found.correlation:.2f}")
    ).to_be_visible()
    expect(card.get_by_text(re.compile("rank stability"))).to_be_visible()
