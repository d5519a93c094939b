"""A learner in a real browser: predicts, draws a curve, drags, goes on after a reload."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from explorer.workbench.links import parameters_of
from explorer.workbench.workspace import Workspace
from tests.app.conftest import Visit
from tests.app.screen import Screen

pytest_plugins = ("tests.browser",)
pytestmark = [pytest.mark.browser, pytest.mark.slow]

# What a reader would have to scroll sideways for.
BEYOND = """() => [...document.querySelectorAll(".stMainBlockContainer :is(p, h2, h3, button, input, label)")]
  .filter((e) => e.checkVisibility() && e.getBoundingClientRect().width > 1)
  .filter((e) => e.getBoundingClientRect().right > window.innerWidth + 1 || e.getBoundingClientRect().left < -1)
  .map((e) => e.outerHTML.slice(0, 120))"""
IDLE = "[data-test-script-state=notRunning]"


def opened(screen: Screen, query: str) -> None:
    screen.page.goto(f"{screen.address}/learn?{query}")
    expect(screen.page.locator(IDLE)).to_have_count(1)


@pytest.mark.parametrize("width", [1316, 390])
def test_a_curve_is_drawn_by_hand_locked_and_compared_and_a_reload_keeps_it(visit: Visit, width: int) -> None:
    screen = visit(width=width)
    opened(screen, "model=digits-cnn&lesson=channels&step=2")
    chart = screen.page.locator(".pd")
    lock = screen.button("Lock my prediction")
    expect(lock).to_be_disabled()
    draw_falling(screen, chart)
    first = screen.page.get_by_role("slider").first
    expect(first).to_have_attribute("aria-valuetext", re.compile(r"^\d"))
    expect(lock).to_be_enabled()
    lock.click()
    expect(screen.page.get_by_text("On average your curve is")).to_be_visible()
    expect(screen.page).to_have_url(re.compile("answers="))  # the link is written when the page is drawn to its end
    screen.page.reload()
    expect(screen.page.get_by_text("On average your curve is")).to_be_visible()
    expect(screen.page.locator(".pd")).to_have_count(0)
    forget_missing_files(screen)


def test_a_curve_is_drawn_by_the_keyboard(visit: Visit) -> None:
    screen = visit()
    opened(screen, "model=digits-cnn&lesson=channels&step=2")
    handles = screen.page.get_by_role("slider")
    expect(handles).to_have_count(5)
    handles.first.press("End")
    for _ in range(3):
        handles.last.press("ArrowDown")
    expect(handles.first).to_have_attribute("aria-valuetext", "100%")
    expect(screen.button("Lock my prediction")).to_be_enabled()
    forget_missing_files(screen)


def test_a_lesson_shows_only_the_controls_that_it_names(visit: Visit) -> None:
    screen = visit()
    opened(screen, "model=digits-cnn&lesson=histogram&step=4")
    row = screen.row("block2.conv2")
    expect(row).to_be_visible()
    expect(screen.page.locator(".ph-row")).to_have_count(1)
    for part in (".ph-modes", ".ph-scales", ".ph-finder", ".ph-tools"):
        expect(screen.page.locator(part).first).to_be_hidden()
    screen.slider("block2.conv2").press("PageUp")
    expect(screen.facts.nth(2)).not_to_contain_text("0 of")
    forget_missing_files(screen)


def test_at_150_percent_and_in_large_type_a_lesson_is_whole(visit: Visit) -> None:
    """1316 pixels enlarged by half are 877; on a phone with large type there are 390."""
    large = parameters_of(Workspace(), {"learn_large": True})["controls"]
    for width, height, scale in ((877, 615, 1.5), (390, 800, 2.0)):
        screen = visit(width=width, height=height, device_scale_factor=scale)
        for step in (1, 2, 3):
            opened(screen, f"model=digits-cnn&lesson=channels&step={step}&controls={large}")
            expect(screen.page.locator("html")).to_have_css("font-size", "21px")
            expect(screen.page.get_by_role("heading", level=3)).to_be_visible()
            beyond = screen.page.evaluate(BEYOND)
            assert beyond == [], (width, step)
        forget_missing_files(screen)


def draw_falling(screen: Screen, chart: Locator) -> None:
    """A stroke from the upper left to the lower right; each hover waits until the chart stands still."""
    chart.hover(position={"x": 60, "y": 30})
    screen.page.mouse.down()
    box = chart.bounding_box()
    assert box is not None
    screen.page.mouse.move(box["x"] + 0.95 * box["width"], box["y"] + 0.7 * box["height"], steps=8)
    screen.page.mouse.up()


def forget_missing_files(screen: Screen) -> None:
    """Opened by its address, a page first asks for the server beside itself."""
    screen.errors[:] = [error for error in screen.errors if "404" not in error]
