"""The ticker in a real browser, with a clock that the test moves on."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from explorer.component import ticker_js
from tests.browser import serve

pytest_plugins = ("tests.browser",)
pytestmark = pytest.mark.browser

PAGE = """<!doctype html><link rel="icon" href="data:,">
<div id="app" data-test-script-state="notRunning"><a href="/elsewhere">Elsewhere</a> <a href="/">Here</a>
<button>Press</button> <div id="place"></div></div>
<script type="module">
import draw from "/ticker.js";
addEventListener("click", (event) => event.preventDefault());
window.ticks = [];
window.draw = (turn) => draw({
  data: { turn, after_ms: 400 },
  parentElement: document.getElementById("place"),
  setTriggerValue: (name, value) => ticks.push(value),
});
</script>"""


@pytest.fixture
def page(chromium_page: Page, tmp_path: Path) -> Page:
    """A page on which the ticker was drawn once."""
    (tmp_path / "index.html").write_text(PAGE)
    (tmp_path / "ticker.js").write_text(ticker_js())
    chromium_page.clock.install()
    with serve(tmp_path) as address:
        chromium_page.goto(f"{address}/")
        chromium_page.wait_for_function("Boolean(window.draw)")
    chromium_page.clock.pause_at(chromium_page.evaluate("Date.now() + 1000"))
    chromium_page.evaluate("void draw(1)")
    return chromium_page


def ticks(page: Page) -> list[int]:
    found: list[int] = page.evaluate("ticks")
    return found


def test_a_tick_comes_after_its_time_and_again_until_it_is_answered(page: Page) -> None:
    page.clock.run_for(390)
    before = ticks(page)
    page.clock.run_for(20)
    once = ticks(page)
    page.clock.run_for(1500)

    assert (before, once, ticks(page)) == ([], [1], [1, 1])


def test_a_new_drawing_ends_the_ticks_of_the_old_one(page: Page) -> None:
    page.evaluate("void draw(2)")

    page.clock.run_for(2000)

    assert ticks(page) == [2, 2]


def test_no_tick_is_sent_while_the_script_runs(page: Page) -> None:
    state = "document.getElementById('app').dataset.testScriptState"
    page.evaluate(f"{state} = 'running'")
    page.clock.run_for(5000)
    meanwhile = ticks(page)
    page.evaluate(f"{state} = 'notRunning'")
    page.clock.run_for(30)

    assert (meanwhile, ticks(page)) == ([], [1])


def test_a_tick_does_not_cross_a_click(page: Page) -> None:
    page.clock.run_for(390)
    page.evaluate("document.querySelector('button').click()")
    page.clock.run_for(90)
    meanwhile = ticks(page)
    page.clock.run_for(40)

    assert (meanwhile, ticks(page)) == ([], [1])


def test_the_end_of_a_drag_delays_no_tick(page: Page) -> None:
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<div class=ph-row></div>')")
    page.clock.run_for(390)
    page.evaluate("document.querySelector('.ph-row').click()")
    page.clock.run_for(20)

    assert ticks(page) == [1]


def test_a_page_that_is_being_left_does_not_tick_any_more(page: Page) -> None:
    page.evaluate("document.querySelector('a').click()")
    page.clock.run_for(9000)
    leaving = ticks(page)
    page.evaluate("history.pushState({}, '', '/elsewhere')")
    page.clock.run_for(30)

    assert (leaving, ticks(page)) == ([], [1])


def test_a_link_to_the_page_itself_is_a_click_like_others(page: Page) -> None:
    page.evaluate("document.querySelectorAll('a')[1].click()")

    page.clock.run_for(500)

    assert ticks(page) == [1]
