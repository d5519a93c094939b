"""The schedule's handle in a real browser: what hand and keys make of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from explorer.component import Corner, schedule_js, schedule_part
from tests.browser import serve

pytest_plugins = ("tests.browser",)
pytestmark = pytest.mark.browser

PAGE = """<!doctype html><link rel="icon" href="data:,"><div id="place" style="width: 560px"></div>
<script type="module">
import draw from "/schedule.js";
window.sent = [];
const parentElement = document.getElementById("place").attachShadow({ mode: "open" });
const data = await (await fetch("data.json")).json();
window.draw = (more) => draw({ data: { ...data, ...more }, parentElement,
  setStateValue: (name, value) => sent.push([name, value]) });
draw({ data, parentElement, setStateValue: (name, value) => sent.push([name, value]) });
window.ready = true;
</script>"""


@pytest.fixture
def page(chromium_page: Page, tmp_path: Path) -> Page:
    """A schedule of four epochs that ends after two, with 90 % gone."""
    data = schedule_part([(1, 0.5), (2, 0.9)], Corner(0.5, 0.9), epochs=4, moves_end=True)
    (tmp_path / "index.html").write_text(PAGE, encoding="utf-8")
    (tmp_path / "schedule.js").write_text(schedule_js(), encoding="utf-8")
    (tmp_path / "data.json").write_text(json.dumps(data), encoding="utf-8")
    with serve(tmp_path) as address:
        chromium_page.goto(address)
        chromium_page.wait_for_function("window.ready")
    return chromium_page


def corners(page: Page) -> list[Any]:
    sent: list[Any] = page.evaluate("sent")
    assert {name for name, _ in sent} <= {"line"}
    return [corner for _, corner in sent]


def test_the_handle_follows_the_hand_and_tells_its_corner_when_it_is_let_go(page: Page) -> None:
    handle = page.get_by_role("slider")
    box = handle.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 124.5, y + 30, steps=4)
    expect(handle).to_have_attribute("aria-valuetext", "70% pruned after 3 of 4 epochs")
    before = corners(page)
    page.mouse.up()

    assert (before, corners(page)) == ([], [{"end": 0.75, "final": 0.7}])


def test_keys_move_the_handle_and_a_new_drawing_keeps_the_focus(page: Page) -> None:
    page.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")

    page.evaluate("draw({ end: 0.75, final: 0.8 })")

    assert corners(page) == [{"end": 0.75, "final": 0.9}, {"end": 0.75, "final": 0.8}]
    expect(page.get_by_role("slider")).to_have_count(1)
    expect(page.get_by_role("slider")).to_be_focused()
