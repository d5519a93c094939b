"""The switch between light and dark in the app itself, and what else a visitor chooses once."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.app.conftest import Visit

pytest_plugins = ("tests.browser",)
pytestmark = [pytest.mark.browser, pytest.mark.slow]

DARK, LIGHT = "rgb(15, 17, 22)", "rgb(252, 252, 253)"


@pytest.mark.parametrize("width", [1316, 390])
def test_a_theme_that_is_chosen_in_the_app_holds_for_charts_and_for_every_page(visit: Visit, width: int) -> None:
    screen = visit(width=width, color_scheme="light").open(model="digits-mlp")
    page = screen.page
    expect(page.locator(".stApp")).to_have_css("background-color", LIGHT)

    page.get_by_role("button", name="Theme").click()
    page.get_by_role("menuitemradio", name="Dark").click()

    expect(page.locator(".stApp")).to_have_css("background-color", DARK)
    expect(page.locator(".facts")).to_have_css("background-color", "rgb(22, 25, 32)")
    expect(page.locator(".st-key-chart .ytick text").first).to_have_css("fill", "rgb(152, 160, 174)")
    page.goto(f"{screen.address}/weights?model=digits-mlp")
    expect(page.locator(".st-key-overview .ytick text").first).to_have_css("fill", "rgb(152, 160, 174)")
    expect(page.locator(".stApp")).to_have_css("background-color", DARK)
    # Opened by its address, a page first asks for the server beside itself: Streamlit looks there, then one higher.
    screen.errors[:] = [error for error in screen.errors if "404" not in error]


def test_a_hint_that_was_read_is_gone_after_a_reload(visit: Visit) -> None:
    screen = visit().open(model="digits-mlp")

    screen.button("Got it").click()
    expect(screen.button("Got it")).to_have_count(0)
    screen.page.reload()

    screen.settled()
    expect(screen.button("Got it")).to_have_count(0)


def test_every_download_carries_the_setting_in_its_name(visit: Visit) -> None:
    screen = visit().open(model="digits-mlp")
    screen.preset("50%", "50.0%")
    setting = "digits-mlp-weight-lp_norm-global-50-0pct"

    screen.page.get_by_role("button", name="Export").click()
    with screen.page.expect_download() as request:
        screen.button("Request").click()
    assert request.value.suggested_filename == f"{setting}.spec.json"

    screen.page.get_by_role("link", name="Weights", exact=True).click()
    with screen.page.expect_download() as table:
        screen.page.locator(".st-key-weights_csv").get_by_role("button").click()
    assert table.value.suggested_filename == f"{setting}-weights.csv"
