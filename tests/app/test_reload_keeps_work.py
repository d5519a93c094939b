"""A reload of the page, another tab and a restart of the server lose nothing: files, history and choices stay."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from explorer.models.sample import FOLDER
from tests.app.conftest import Visit
from tests.app.screen import Screen
from tests.app.server import running_app

pytest_plugins = ("tests.browser",)
pytestmark = [pytest.mark.browser, pytest.mark.slow]

MODEL = "digits-mlp"
GONE = "The uploaded file of this link is not on this server."


def uploaded(screen: Screen) -> list[str]:
    """A file of the visitor's own, pruned a little: the facts of it."""
    screen.open(model="digits-cnn")
    screen.upload("mine.safetensors", (FOLDER / f"{MODEL}.safetensors").read_bytes(), MODEL)
    expect(screen.page.get_by_role("button", name=re.compile("^Model .*mine"))).to_be_visible()
    screen.preset("80%", "80.0%")
    return screen.numbers


def test_an_uploaded_file_is_open_after_a_reload_and_in_another_tab_but_for_nobody_else(visit: Visit) -> None:
    screen = visit()
    before = uploaded(screen)

    screen.page.reload()
    assert screen.settled().numbers == before

    tab = Screen(screen.page.context.new_page(), screen.address)
    tab.page.goto(screen.page.url)
    assert tab.settled().numbers == before

    other = visit()
    other.page.goto(screen.page.url)
    expect(other.page.get_by_role("alert")).to_contain_text(GONE)


def test_an_uploaded_file_and_its_history_outlive_a_restart_of_the_server(chromium: Browser, tmp_path: Path) -> None:
    context = chromium.new_context()
    with running_app(tmp_path) as address:
        screen = Screen(context.new_page(), address)
        before = uploaded(screen)
        left = screen.page.url.removeprefix(address)
    with running_app(tmp_path) as address:
        again = Screen(context.new_page(), address)
        again.page.goto(f"{address}{left}")
        assert again.settled().numbers == before
        again.button("Undo").click()
        expect(again.facts.nth(2)).to_contain_text("0.0%")
    context.close()


def test_undo_goes_on_after_a_reload(visit: Visit) -> None:
    screen = visit().open(model=MODEL)
    for share in ("50%", "80%", "90%"):
        screen.preset(share, f"{share[:-1]}.0%")
    screen.page.reload()
    screen.settled()

    for share in ("80.0%", "50.0%", "0.0%"):
        screen.button("Undo").click()
        expect(screen.facts.nth(2)).to_contain_text(share)
    screen.button("Redo").click()
    expect(screen.facts.nth(2)).to_contain_text("50.0%")


def test_settings_leave_no_entries_in_the_history_of_the_browser(visit: Visit) -> None:
    screen = visit()
    screen.page.goto("about:blank")
    screen.open(model=MODEL)
    n = screen.page.evaluate("history.length")
    for share in ("50%", "80%", "90%"):
        screen.preset(share, f"{share[:-1]}.0%")
    assert screen.page.evaluate("history.length") == n

    screen.page.get_by_role("link", name="Weights", exact=True).click()
    expect(screen.page.get_by_text("Layer by layer")).to_be_visible()
    screen.page.go_back()
    screen.settled()
    expect(screen.facts.nth(2)).to_contain_text("90.0%")
    screen.page.go_back()
    expect(screen.page).to_have_url("about:blank")


def test_what_was_chosen_on_the_pages_is_chosen_after_a_reload(visit: Visit) -> None:
    screen = visit().open(model=MODEL)
    page = screen.page
    page.get_by_role("link", name="Sensitivity", exact=True).click()
    page.get_by_role("radio", name="coarse").click()
    page.get_by_role("radio", name="estimate").click()
    expect(page.get_by_role("radio", name="estimate")).to_have_attribute("aria-checked", "true")
    page.get_by_role("link", name="Recover", exact=True).click()
    page.get_by_role("radio", name="Gradual").click()
    page.get_by_text("Dense model teaches").click()
    page.get_by_role("button", name="one shot, equal epochs").click()
    expect(page.get_by_role("switch", name="Dense model teaches")).to_be_checked()
    screen.linked(recover_method="gradual", recover_distil=True, recover_companions=["one shot, equal epochs"])

    page.reload()
    expect(page.get_by_role("radio", name="Gradual")).to_have_attribute("aria-checked", "true")
    # Streamlit asks for its server below the page's own address first, and the browser tells of each 404.
    screen.errors[:] = [error for error in screen.errors if "404" not in error]
    expect(page.get_by_role("switch", name="Dense model teaches")).to_be_checked()
    expect(page.get_by_role("button", name="one shot, equal epochs")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("link", name="Sensitivity", exact=True).click()
    expect(page.get_by_role("radio", name="coarse")).to_have_attribute("aria-checked", "true")
    expect(page.get_by_role("radio", name="estimate")).to_have_attribute("aria-checked", "true")
