"""Links, sessions and looks: what a visitor keeps, and how the page shows itself."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.app.conftest import Visit
from tests.app.screen import FITS, Screen

pytest_plugins = ("tests.browser",)
pytestmark = [pytest.mark.browser, pytest.mark.slow]

MODEL = "digits-mlp"
CONTRAST = """element => {
  const rgb = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const light = (text) => rgb(text)
    .map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = getComputedStyle(element.closest(".facts")).backgroundColor;
  const [low, high] = [light(getComputedStyle(element).color), light(ground)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}"""


def brightness(screen: Screen, selector: str, what: str) -> float:
    """0 (black) to 255 (white) of a colour on the page."""
    colour = screen.page.locator(selector).first.evaluate(f"e => getComputedStyle(e).{what}")
    return sum(float(part) for part in re.findall(r"[\d.]+", colour)[:3]) / 3


def dragged(visit: Visit) -> Screen:
    screen = visit().open(model=MODEL)
    screen.page.get_by_role("radio", name="alone").click()
    screen.drag("fc1", 0.4)
    screen.settled()
    screen.drag("fc2", 0.2)
    return screen.settled()


def test_a_link_gives_the_same_numbers_in_a_fresh_browser(visit: Visit) -> None:
    first = dragged(visit)
    link = first.page.url

    second = visit()
    second.page.goto(link)
    second.settled()

    assert second.numbers == first.numbers
    assert second.spec == first.spec
    expect(second.row("fc2").locator(".ph-share")).to_have_text(first.row("fc2").locator(".ph-share").inner_text())
    expect(second.page.get_by_role("radio", name="alone")).to_have_attribute("aria-checked", "true")


def test_a_reload_keeps_the_work(visit: Visit) -> None:
    screen = dragged(visit)
    before = screen.numbers

    screen.page.reload()

    assert screen.settled().numbers == before


def test_a_broken_link_is_refused_in_a_sentence_and_the_page_goes_on(visit: Visit) -> None:
    screen = visit().open(model=MODEL, spec="eJwrcut")

    expect(screen.page.get_by_role("alert")).to_contain_text("The setting in this link cannot be read.")
    screen.preset("50%", "50.0%")


def test_the_work_is_still_there_after_a_visit_to_the_other_pages(visit: Visit) -> None:
    screen = dragged(visit)
    before, spec = screen.numbers, screen.spec

    for page, words in (("Trade-off", "Accuracy against size"), ("Weights", "Layer by layer")):
        screen.page.get_by_role("link", name=page, exact=True).click()
        expect(screen.page.get_by_text(words)).to_be_visible()
        assert screen.spec == spec
    screen.page.get_by_role("link", name="Explore", exact=True).click()

    assert screen.settled().numbers == before


def test_two_visitors_on_one_model_do_not_disturb_each_other(visit: Visit) -> None:
    one, other = visit().open(model=MODEL), visit().open(model=MODEL)
    one.preset("80%", "80.0%")
    ones = one.numbers

    other.preset("90%", "90.0%")
    other.drag("fc1", 0.9)
    other.settled()
    other.preset("80%", "80.0%")

    assert other.numbers == ones
    assert one.settled().numbers == ones
    one.preset("Dense", "0.0%")
    assert other.numbers == ones


def test_every_look_at_the_locked_split_is_counted(visit: Visit) -> None:
    screen = visit().open(model="digits-gru")
    expect(screen.page.get_by_text("looked at 0 times so far")).to_be_visible()

    screen.button("Look at the test split").click()

    expect(screen.page.get_by_text("look number 1")).to_be_visible()
    expect(screen.page.get_by_text("99.1%")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_follows_the_theme_and_its_numbers_can_be_read(visit: Visit, scheme: str) -> None:
    screen = visit(color_scheme=scheme).open(model=MODEL, path="/")
    screen.preset("80%", "80.0%")
    is_dark = scheme == "dark"

    ground = brightness(screen, ".stApp", "backgroundColor")
    assert ground < 40 if is_dark else ground > 230
    for kind in (".value", ".note", ".name"):
        cells = screen.page.locator(f".facts {kind}")
        assert min(cells.nth(i).evaluate(CONTRAST) for i in range(cells.count())) > 4.5
    expect(screen.page.locator(".ytick text").first).to_be_visible()
    tick = brightness(screen, ".ytick text", "fill")
    assert tick > 120 if is_dark else tick < 140


def test_a_phone_shows_everything_without_scrolling_sideways(visit: Visit) -> None:
    screen = visit(width=390, height=844, has_touch=True).open(model="digits-resnet")
    expect(screen.page.get_by_text("Click a point to go back to its setting.")).to_be_visible()

    screen.page.wait_for_function(FITS)
    screen.row("head.fc").scroll_into_view_if_needed()
    facts, row = screen.still(screen.page.locator(".facts")), screen.still(screen.row("head.fc"))

    assert facts["y"] >= 0
    assert facts["y"] + facts["height"] < 844 / 2
    assert row["width"] > 300


def test_putting_the_hint_away_leaves_the_lines_in_place(visit: Visit) -> None:
    screen = visit().open(model=MODEL)
    histogram = screen.page.locator(".ph").element_handle()

    screen.button("Got it").click()
    expect(screen.button("Got it")).to_have_count(0)

    assert histogram.evaluate("element => element.isConnected")
