"""Hands that never rest, on a machine that is busy with something else: no page may go white."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.app.conftest import Visit

pytest_plugins = ("tests.browser",)
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1800)]
N_PAGES, SECONDS, ENOUGH = 3, 60, 120
BUSY = "import torch; torch.set_num_threads(2); a = torch.randn(1500, 1500)\nwhile True: a @ a"
# A hand that takes the next line as soon as the answer to the last is drawn; `hand.drags` counts the answers.
HAND = """() => {
  const roots = [...document.querySelectorAll("*")].map((element) => element.shadowRoot).filter(Boolean);
  const root = roots.find((each) => each.querySelector(".ph-total"));
  const hand = (window.hand = { drags: 0 });
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const answered = () => {
    const removed = document.querySelectorAll(".facts > div")[2]?.querySelector(".note")?.textContent;
    const busy = document.querySelector(".facts :is(.stale, .bar)");
    return removed && !busy && root.querySelector(".ph-total").textContent.includes(removed.split(" ")[0]);
  };
  const drag = async (area, to) => {
    const box = area.getBoundingClientRect();
    const point = (type, x) => area.dispatchEvent(new PointerEvent(type, {
      bubbles: true, composed: true, pointerId: 7, pointerType: "mouse", button: 0,
      clientX: box.left + x * box.width, clientY: box.top + box.height / 2,
    }));
    point("pointerdown", to + 0.1);
    for (let i = 1; i <= 6; i++) {
      await wait(16);
      point("pointermove", to + 0.1 - i / 60);
    }
    point("pointerup", to);
  };
  (async () => {
    for (let turn = 0; ; turn++) {
      const areas = root.querySelectorAll(".ph-row:not(.ph-off) .ph-area");
      await drag(areas[turn % areas.length], 0.05 + ((turn * 7) % 40) / 100);
      while (!answered()) await wait(10);
      hand.drags++;
    }
  })();
}"""


@pytest.fixture
def busy_machine() -> Iterator[None]:
    with subprocess.Popen([sys.executable, "-c", BUSY]) as other:
        yield
        other.kill()


def test_pages_whose_lines_are_always_moved_stay_drawn_on_a_busy_machine(visit: Visit, busy_machine: None) -> None:
    """The visitors' fixture fails this test on any complaint of a page, as it makes when it goes white."""
    screens = [visit(1100, 700).open(model="digits-cnn") for _ in range(N_PAGES)]
    for screen in screens:
        expect(screen.page.get_by_text("Click a point to go back")).to_be_visible(timeout=300_000)
        screen.page.evaluate(HAND)

    ends = time.monotonic() + SECONDS
    drags = [0] * N_PAGES
    while time.monotonic() < ends or sum(drags) < ENOUGH:
        screens[0].page.wait_for_timeout(1000)
        drags = [screen.page.evaluate("window.hand.drags") for screen in screens]
        assert [screen.errors for screen in screens] == [[]] * N_PAGES, drags
        assert all(screen.page.locator(".ph-row").count() for screen in screens), drags
