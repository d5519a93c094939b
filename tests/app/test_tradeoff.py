"""A fair comparison on the real app: controls in grey, the verdict in words, and the same on a phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.app.conftest import Visit
from tests.app.screen import FITS, Screen

pytest_plugins = ("tests.browser",)
pytestmark = [pytest.mark.browser, pytest.mark.slow]

BETTER = re.compile(r"is better than random \((?:global|uniform)\) by \d+\.\d ± \d+\.\d points at \d+(\.\d+)?×")


def compared(screen: Screen) -> Screen:
    """The trade-off page, reached from Explore, once all its points are measured."""
    screen.open(model="digits-mlp")
    screen.page.get_by_role("link", name="Trade-off", exact=True).click()
    expect(screen.page.get_by_text("Accuracy against size")).to_be_visible()
    expect(screen.page.get_by_text("Measuring:")).to_have_count(0)
    return screen


def legend(screen: Screen, name: str) -> Locator:
    """The words of the chart's legend that are exactly these."""
    return screen.page.locator(".st-key-compare_card .legendtext").filter(has_text=re.compile(f"^{name}$"))


def test_a_criterion_stands_between_grey_controls_with_a_verdict_and_its_reach(visit: Visit) -> None:
    screen = compared(visit())
    card = screen.page.locator(".st-key-verdict_card")
    expect(card.get_by_text(BETTER).first).to_be_visible()
    expect(card.get_by_text("450 tune samples of digits, and on no other model or data")).to_be_visible()
    for name in ("global", "uniform", "random, global", "random, uniform"):
        expect(legend(screen, name)).to_have_count(1)
    expect(legend(screen, "magnitude, .*")).to_have_count(0)

    chooser = screen.page.get_by_role("combobox", name="Criteria")
    chooser.fill("LAMP")
    screen.page.get_by_role("option", name="LAMP", exact=True).click()
    expect(screen.page.locator(".legendtext", has_text="LAMP, global")).to_be_visible()
    screen.page.keyboard.press("Escape")
    screen.page.get_by_role("button", name="Remove Magnitude").click()

    expect(legend(screen, "magnitude, global")).to_have_count(1)
    expect(card.get_by_text(re.compile(r"LAMP \(\w+\) is .* magnitude \(\w+\)", re.IGNORECASE))).to_have_count(2)


def test_the_comparison_fits_a_phone(visit: Visit) -> None:
    screen = compared(visit())
    # The navigation is folded away on a phone: turn it only on the page itself.
    screen.page.set_viewport_size({"width": 390, "height": 844})
    expect(screen.page.get_by_text(BETTER).first).to_be_visible()
    screen.page.wait_for_function(FITS)


def toggle(screen: Screen, name: str) -> None:
    screen.page.locator("[data-testid=stCheckbox]", has_text=name).locator("label").first.click()


def test_each_method_has_a_small_chart_of_its_own_and_controls_can_be_hidden(visit: Visit) -> None:
    screen = compared(visit())
    toggle(screen, "Controls")
    expect(legend(screen, "random, global")).to_have_count(0)
    expect(legend(screen, "global")).to_have_count(1)

    toggle(screen, "One each")

    panels = screen.page.locator(".st-key-compare_card .subplot")
    expect(panels).to_have_count(2)  # global and uniform
    expect(screen.page.locator(".st-key-compare_card .annotation")).to_contain_text(["global", "uniform"])


def test_a_box_around_points_leaves_their_rows_alone_in_the_table(visit: Visit) -> None:
    screen = compared(visit())
    head = screen.page.locator(".st-key-points_head h2")
    expect(head).to_have_text(re.compile(r"^Every point \(\d+\)$"))
    toggle(screen, "Brush")
    plot = screen.page.locator(".st-key-compare_chart_brush .nsewdrag")
    box = plot.bounding_box()
    assert box is not None

    mouse = screen.page.mouse
    mouse.move(box["x"] + 2, box["y"] + 2)
    mouse.down()
    mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] - 2, steps=8)
    mouse.up()

    expect(head).to_have_text(re.compile(r"^The points in the box \(\d+\)$"))
