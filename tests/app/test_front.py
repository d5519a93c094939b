"""The slider over the measured front, in a browser: it moves by a hand alone, and takes nothing back."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

import explorer as ex
from tests.app.conftest import Visit
from tests.app.screen import Screen

pytest_plugins = ("tests.browser",)
pytestmark = [pytest.mark.browser, pytest.mark.slow]


def handle(screen: Screen) -> Locator:
    return screen.page.locator(".st-key-front_place").get_by_role("slider")


def stays(screen: Screen, spec: ex.PruneSpec) -> None:
    """The setting after every answer that is still on its way: further drawings are asked for by another widget."""
    for axis in ("file size", "sparsity", "compression"):
        screen.page.get_by_role("combobox", name="Against").click()
        screen.page.get_by_role("option", name=axis, exact=True).click()
        expect(screen.page.get_by_role("combobox", name="Against")).to_have_value(axis)
        assert screen.settled().spec == spec


def test_stops_drags_and_undo_take_turns_and_none_takes_another_back(visit: Visit) -> None:
    screen = visit().open(model="digits-mlp")
    expect(handle(screen)).to_be_visible()

    handle(screen).focus()
    for _ in range(3):
        handle(screen).press("ArrowRight")
    expect(screen.facts.nth(2)).not_to_contain_text("0 of")
    walked = screen.settled().spec
    stop = handle(screen).get_attribute("aria-valuetext") or ""
    assert walked != ex.PruneSpec()
    stays(screen, walked)

    screen.drag("fc1", 0.6)
    dragged = screen.settled().spec
    assert dragged != walked
    expect(handle(screen)).not_to_have_attribute("aria-valuetext", stop)
    stays(screen, dragged)

    screen.button("Undo").click()
    expect(handle(screen)).to_have_attribute("aria-valuetext", stop)
    stays(screen, walked)

    handle(screen).press("ArrowRight")
    screen.button("Undo").click()
    expect(screen.button("Redo")).to_be_enabled()
    stays(screen, walked)
