"""When a page loads itself again, and when it does not: in a real browser, with a clock that the test moves on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from explorer.component import page_watch_js
from tests.browser import serve

pytest_plugins = ("tests.browser",)
pytestmark = pytest.mark.browser

PAGE = """<!doctype html><link rel="icon" href="data:,">
<div id="app" data-testid="stApp" data-test-connection-state="CONNECTED"></div><div id="place"></div>
<script type="module">
import draw from "/page_watch.js";
sessionStorage.loads = Number(sessionStorage.loads ?? 0) + 1;
window.drawAt = version => draw({ parentElement: document.getElementById("place"), data: { pages: [], version } });
window.drawAt("1.0.0");
window.drawn = true;
</script>"""
LOST = "The server does not answer."
NEWER = "The server runs another version since this page was loaded. Please load the page again."
GIVEN_UP = "The page could not be drawn. Please load it again."


@pytest.fixture
def page(chromium_page: Page, tmp_path: Path) -> Iterator[Page]:
    """A page that is watched over, on a server that answers."""
    (tmp_path / "index.html").write_text(PAGE)
    (tmp_path / "page_watch.js").write_text(page_watch_js())
    (tmp_path / "_stcore").mkdir()
    (tmp_path / "_stcore" / "health").write_text("ok")
    chromium_page.clock.install()
    with serve(tmp_path) as address:
        chromium_page.goto(f"{address}/")
        chromium_page.wait_for_function("window.drawn")
        yield chromium_page


def loads(page: Page) -> int:
    return int(page.evaluate("Number(sessionStorage.loads)"))


def take_away(page: Page) -> None:
    """Take the page away, and let it be looked at twice."""
    page.evaluate("document.getElementById('app').remove()")
    page.clock.run_for(2500)


def test_a_page_that_is_there_is_left_alone(page: Page) -> None:
    page.clock.run_for(60_000)

    assert loads(page) == 1
    assert page.locator(".note").count() == 0


def test_a_page_that_is_away_for_a_moment_is_left_alone(page: Page) -> None:
    page.evaluate("window.app = document.getElementById('app'); window.app.remove()")
    page.clock.run_for(1100)
    page.evaluate("document.body.append(window.app)")
    page.clock.run_for(5000)

    assert loads(page) == 1


def test_a_page_whose_server_is_gone_is_not_left(page: Page, tmp_path: Path) -> None:
    with page.expect_response("**/_stcore/health"):
        (tmp_path / "_stcore" / "health").unlink()
        take_away(page)

    assert loads(page) == 1


def test_a_page_that_goes_again_and_again_is_loaded_three_times_and_then_says_so(page: Page) -> None:
    for n in (2, 3, 4):
        with page.expect_navigation():
            take_away(page)
        page.wait_for_function("window.drawn")
        assert loads(page) == n
    take_away(page)

    expect(page.get_by_text(GIVEN_UP)).to_be_visible()
    assert loads(page) == 4


def test_the_note_is_gone_once_it_is_closed(page: Page) -> None:
    with page.expect_navigation():
        take_away(page)
    expect(page.get_by_text("was loaded again; your setting is as it was")).to_be_visible()
    page.get_by_role("button", name="Close").click()

    expect(page.locator(".note")).to_have_count(0)


def set_connection(page: Page, state: str) -> None:
    page.evaluate("state => { document.getElementById('app').dataset.testConnectionState = state }", state)


def test_a_page_says_within_three_seconds_that_its_server_does_not_answer_and_when_it_does_again(page: Page) -> None:
    page.clock.run_for(1100)
    set_connection(page, "PINGING_SERVER")
    page.clock.run_for(3000)
    expect(page.get_by_text(LOST)).to_be_visible()
    page.clock.run_for(10_000)
    assert page.get_by_text(LOST).count() == 1

    set_connection(page, "CONNECTED")
    page.clock.run_for(1100)
    assert page.get_by_text(LOST).count() == 0
    assert loads(page) == 1


def test_a_connection_that_is_away_for_a_moment_is_not_told_of(page: Page) -> None:
    page.clock.run_for(1100)
    set_connection(page, "CONNECTING")
    page.clock.run_for(900)
    set_connection(page, "CONNECTED")
    page.clock.run_for(5000)

    assert page.get_by_text(LOST).count() == 0


def test_a_page_of_an_earlier_version_of_the_server_says_once_that_it_must_be_loaded_again(page: Page) -> None:
    page.evaluate("drawAt('1.0.0')")
    assert page.get_by_text(NEWER).count() == 0

    page.evaluate("drawAt('1.1.0')")
    page.evaluate("drawAt('1.1.0')")
    assert page.get_by_text(NEWER).count() == 1
    assert loads(page) == 1

    page.reload()
    page.wait_for_function("window.drawn")
    assert page.get_by_text(NEWER).count() == 0
