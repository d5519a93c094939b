"""The Weights page: its overview is the chooser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.app.conftest import Visit

pytest_plugins = ("tests.browser",)
pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_click_on_a_row_of_the_overview_opens_that_layer(visit: Visit) -> None:
    screen = visit().open(model="digits-mlp")
    screen.page.get_by_role("link", name="Weights", exact=True).click()
    expect(screen.page.locator(".st-key-layer_head")).to_contain_text("16,384 weights")
    rows = screen.page.locator(".st-key-overview .barlayer .point")
    expect(rows).to_have_count(3)

    rows.nth(2).scroll_into_view_if_needed()
    box = rows.nth(2).bounding_box()  # the chart's own layer lies over its bars
    assert box is not None
    screen.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    expect(screen.page.locator(".st-key-layer_head")).to_contain_text("1,280 weights")
