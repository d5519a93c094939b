"""One visitor's long work blocks neither another's nor their own, and says what it waits for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.app.conftest import Visit
from tests.app.screen import Screen
from tests.app.server import many_samples

pytest_plugins = ("tests.browser",)
pytestmark = [pytest.mark.browser, pytest.mark.slow]


def begin(screen: Screen) -> None:
    """Press Scan; it is called Go on where the page's own first look is recorded already."""
    screen.page.get_by_role("button", name=re.compile("(Scan|Go on)$")).first.click()


def test_a_scan_that_is_pressed_overtakes_the_curves_and_another_visitors_scan_lets_it_through(
    visit: Visit, root: Path
) -> None:
    one, other = visit(), visit()
    for screen, data in ((one, many_samples(root)), (other, "digits")):
        screen.page.goto(f"{screen.address}/?model=digits-vit&data={data}")
        expect(screen.total).to_have_count(1)
        screen.page.get_by_role("link", name="Sensitivity", exact=True).click()
    one.page.get_by_role("radio", name="fine").click()
    expect(one.page.get_by_text(re.compile("^(About|Less than) .* estimated"))).to_be_visible()
    begin(one)
    expect(one.page.get_by_role("button", name=re.compile("running|waiting"))).to_be_visible()

    other.page.get_by_role("radio", name="coarse").click()
    other.page.get_by_role("radio", name="estimate").click()
    begin(other)

    expect(other.page.get_by_text("What each layer costs alone")).to_be_visible()
    expect(other.page.locator(".js-plotly-plot").first).to_be_visible()
    expect(one.page.get_by_role("button", name="Stop").first).to_be_visible()
    one.button("Stop").first.click()
    expect(one.page.get_by_text(re.compile("Stopped after"))).to_be_visible()
