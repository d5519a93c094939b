"""The widget in JupyterLab: a drag reaches Python, Python's answer reaches the page, and nothing else is asked."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.notebook.jupyter import lab, run_all

pytest.importorskip("jupyterlab", reason="JupyterLab is not installed: the widget is not driven in it.")
pytest_plugins = ("tests.browser",)

CELLS = (
    "import json, explorer as ex\n"
    "widget = ex.explore('digits-mlp')\n"
    "def heard(change):\n"
    "    with open('heard.txt', 'a') as file:\n"
    "        print(json.dumps([change.new.plan.n_pruned, change.new.accuracy.value, widget.selection]), file=file)\n"
    "widget.observe(heard, 'report')\n"
    "widget",
)


def awaited(read: Callable[[], object], seconds: float = 120) -> None:
    """Wait until something is true of files that another process writes."""
    end = time.monotonic() + seconds
    while not read():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.browser
def test_in_jupyterlab_a_drag_is_measured_heard_in_python_and_undone(chromium_page: Page, tmp_path: Path) -> None:
    page, hosts = chromium_page, set[str]()
    page.on("request", lambda request: hosts.add(urlsplit(request.url.removeprefix("blob:")).hostname or ""))

    def heard() -> list[list[object]]:
        path = tmp_path / "heard.txt"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    with lab(tmp_path, CELLS) as address:
        run_all(page, address)
        facts = page.locator(".pe-fact")
        expect(facts).to_have_count(4)
        expect(facts.first).to_contain_text("measured")
        awaited(lambda: heard() and heard()[-1][0] == 0)

        area = page.locator(".ph-area").first
        area.scroll_into_view_if_needed()
        box = area.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 2, box["y"] + 20)
        page.mouse.down()
        page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 20, steps=8)
        page.mouse.up()

        expect(page.locator(".ph-share").first).not_to_have_text("0.0%")
        awaited(lambda: int(str(heard()[-1][0])) > 0)
        n_pruned, accuracy, selection = heard()[-1]
        expect(facts.nth(2)).to_contain_text(f"{n_pruned:,}")
        expect(facts.first).to_contain_text(f"{100 * float(str(accuracy)):.1f}%")
        assert selection
        expect(page.locator(".pe-svg .pe-dot.pe-now")).to_have_count(1)

        page.locator(".pe").get_by_role("button", name="Undo").click()
        expect(facts.nth(2)).to_contain_text("0.0%")
        awaited(lambda: heard()[-1][0] == 0)
        assert hosts <= {"127.0.0.1", ""}
