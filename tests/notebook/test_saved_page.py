"""A saved page opened from the disk: its lines can be dragged, its shares are counted, it asks nobody for anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import explorer as ex

pytest_plugins = ("tests.browser",)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    widget = ex.explore("digits-mlp", spec=ex.PruneSpec(allocation="global:sparsity=0.5"))
    yield widget.to_html(tmp_path_factory.mktemp("saved") / "page.html")
    widget.close()


@pytest.mark.browser
def test_a_saved_page_is_dragged_without_a_server(chromium_page: Page, saved: Path) -> None:
    page, requests = chromium_page, []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(saved.as_uri())
    expect(page.locator(".pe-fact")).to_have_count(4)
    expect(page.locator(".ph-total")).to_contain_text("50.0% pruned")
    thumb = page.get_by_role("slider").first
    before = page.locator(".ph-share").first.inner_text()

    thumb.press("End")

    expect(page.locator(".ph-share").first).not_to_have_text(before)
    expect(page.locator(".pe-why")).to_contain_text("those of the saved setting")
    expect(page.locator(".pe-outdated")).to_have_count(1)
    assert requests == [saved.as_uri()]


@pytest.mark.browser
def test_a_saved_page_fits_a_narrow_window_in_light_and_dark(chromium_page: Page, saved: Path) -> None:
    page = chromium_page
    page.set_viewport_size({"width": 600, "height": 900})
    inks = set()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(saved.as_uri())
        expect(page.locator(".pe-fact")).to_have_count(4)
        page.wait_for_function("document.documentElement.scrollWidth <= innerWidth")
        inks.add(page.evaluate("getComputedStyle(document.querySelector('.pe')).color"))
    assert len(inks) == 2
