"""The graph of the Structure page under a hand: a click chooses a group, a search dims, zoom and keyboard work."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.app.conftest import Visit

pytest_plugins = ("tests.browser",)
pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_clicked_layer_lights_its_group_and_the_graph_is_searched_zoomed_walked_and_saved(visit: Visit) -> None:
    screen = visit()
    page = screen.page
    page.goto(f"{screen.address}/?model=digits-resnet")
    expect(screen.total).to_have_count(1)
    page.get_by_role("link", name="Structure", exact=True).click()
    layer = page.get_by_role("button", name=re.compile("^block2.conv1, 32 × 16 × 3 × 3 · 4,608 weights"))
    expect(layer).to_have_attribute("aria-pressed", "false")

    layer.click()
    expect(layer).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name=re.compile("^block2.conv1.*loses rows"))).to_have_count(1)
    expect(page.get_by_role("button", name=re.compile("^block2.conv2.*loses input columns"))).to_have_count(1)
    expect(page.get_by_role("button", name=re.compile(", loses"))).to_have_count(2)

    page.get_by_label("Find a layer in the graph").fill("conv2")
    expect(page.get_by_role("status").filter(has_text="1 of 3")).to_be_visible()
    expect(page.locator(".node.dim:not(.joint)")).to_have_count(7)

    drawing = page.locator(".pg svg")
    width = screen.still(drawing)["width"]
    page.get_by_role("button", name="Zoom in").click()
    assert screen.still(drawing)["width"] == pytest.approx(1.25 * width, abs=2)

    layer.focus()
    layer.press("ArrowDown")
    other = page.locator(".pg .node:focus")
    expect(other).not_to_have_attribute("data-node", "block2.conv1")
    other.press("Enter")
    expect(other).to_have_attribute("aria-pressed", "true")

    with page.expect_download() as held:
        page.get_by_role("button", name="Save the graph").click()
    assert held.value.suggested_filename == "digits-resnet-structure.svg"
    assert "16 × 1 × 3 × 3" in held.value.path().read_text(encoding="utf-8")
