"""No page has a fault that axe-core finds: in light, in dark, and on a phone."""

from __future__ import annotations

import os
import re

import pytest
from playwright.sync_api import Page, expect

from explorer.ui import pages
from tests.app.conftest import Visit
from tests.app.server import REPOSITORY
from tests.browser import say_loudly

pytest_plugins = ("tests.browser",)
pytestmark = [pytest.mark.browser, pytest.mark.slow]

AXE = REPOSITORY / "explorer" / "component" / "node_modules" / "axe-core" / "axe.min.js"
DRAWN = "[data-test-script-state=notRunning]:has({}):not(:has(.facts :is(.stale, .bar), [data-stale=true]))"
CAN_SCROLL = """() => [...document.querySelectorAll("[class*='_heat']")]
  .every((element) => element.scrollWidth <= element.clientWidth || element.tabIndex === 0)"""
LOOKS = {"light": (1316, "light"), "dark": (1316, "dark"), "phone": (390, "light")}


def axe() -> str:
    """The script, which ``make check`` brings with the other tools of the component; without it the test is skipped."""
    if AXE.is_file():
        return AXE.read_text(encoding="utf-8")
    line = "NO AXE-CORE: pages are not checked for barriers. Run npm ci in explorer/component to check them."
    if os.environ.get("CI"):
        pytest.fail(line)
    say_loudly(line)
    pytest.skip(line)


def faults(page: Page) -> list[str]:
    violations = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [f"{fault['id']}: {node['html'][:200]}" for fault in violations for node in fault["nodes"]]


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_no_fault_on_any_page(visit: Visit, look: str) -> None:
    script, (width, scheme) = axe(), LOOKS[look]
    screen = visit(width=width, color_scheme=scheme)
    hits = {}
    for page in pages.MEMBERS:
        screen.page.goto(f"{screen.address}/{'' if page is pages.MEMBERS[0] else page.name}?model=digits-mlp")
        # The list of lessons has no setting of its own: none is open yet.
        expect(screen.page.locator(DRAWN.format("h2" if page.name == "learn" else ".facts"))).to_have_count(1)
        expect(screen.page.get_by_role("heading", level=1)).to_have_text(page.question)
        expect(screen.page).to_have_title(f"{page.title} · Pruning Explorer")
        expect(screen.page.get_by_role("heading", level=2)).not_to_have_count(0)
        # What goes on in the background draws parts anew, and those fade while they are.
        expect(screen.page.get_by_text(re.compile("^(Scanning|Measuring)"))).to_have_count(0)
        screen.page.wait_for_function(CAN_SCROLL)
        screen.page.evaluate(script)
        hits[page.title] = faults(screen.page)
    # Opened by its address, a page first asks for the server beside itself: Streamlit looks there, and then one higher.
    screen.errors[:] = [error for error in screen.errors if "404" not in error]
    assert {title: lines for title, lines in hits.items() if lines} == {}
