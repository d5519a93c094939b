"""Takes the README's pictures from the running app.

python -m docs.screenshots
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, expect, sync_playwright

import explorer as ex
from explorer.workbench.links import encode
from tests.app.screen import Screen
from tests.app.server import running_app
from tests.browser import FLAGS, executable

FOLDER = Path(__file__).parent
MODEL = "digits-resnet"
SIZE = {"width": 1316, "height": 1010}
CURVES_MS = 180_000
RUNS_MS = 600_000


def visit(browser: Browser, address: str, scheme: str = "light", height: int = SIZE["height"]) -> Screen:
    """A visitor of the app with a screen of this height."""
    context = browser.new_context(viewport={**SIZE, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
    return Screen(context.new_page(), address)


def explore(browser: Browser, address: str, scheme: str) -> None:
    """The explore page, with its curves measured and a line moved by hand."""
    screen = visit(browser, address, scheme)
    screen.open(model=MODEL, spec=encode(ex.PruneSpec(allocation="global:sparsity=0.5")))
    expect(screen.page.get_by_text("Click a point to go back to its setting.")).to_be_visible(timeout=CURVES_MS)
    close = screen.page.get_by_role("button", name="Got it")
    if close.count():
        close.click()
        expect(close).to_have_count(0)
        screen.settled()
    screen.drag("block1.conv1", 0.235)
    screen.settled()
    keep(screen, f"explore-{scheme}.png")


def tradeoff(browser: Browser, address: str) -> None:
    """The trade-off page: two criteria between their controls."""
    screen = visit(browser, address, height=1120)
    screen.page.goto(f"{address}/tradeoff?model={MODEL}")
    for name in ("LAMP", "Taylor"):
        screen.page.get_by_role("combobox", name="Criteria").fill(name)
        screen.page.get_by_role("option", name=name, exact=True).click()
        screen.page.keyboard.press("Escape")
        expect(screen.page.get_by_role("button", name=f"Remove {name}")).to_be_visible()
    magnitude = screen.page.get_by_role("button", name="Remove Magnitude")
    magnitude.click()
    expect(magnitude).to_have_count(0)
    screen.page.get_by_role("button", name="Uniform").click()
    expect(screen.page.locator(".legendtext", has_text="magnitude, the control")).to_have_count(1)
    expect(screen.page.get_by_text("Measuring:")).to_have_count(0, timeout=CURVES_MS)
    keep(screen, "tradeoff-light.png")


def recover(browser: Browser, address: str) -> None:
    """The recover page, with the runs that say what an iterative one is worth."""
    screen = visit(browser, address, height=1290)
    screen.page.goto(f"{address}/recover?model={MODEL}")
    for companion in ("one shot, equal epochs", "random pruning"):
        screen.page.get_by_role("button", name=companion).click()
    screen.page.get_by_role("button", name="Start").click()
    expect(screen.page.get_by_role("button", name="Done")).to_be_visible(timeout=RUNS_MS)
    keep(screen, "recover-light.png")


def keep(screen: Screen, name: str) -> None:
    """The picture of a page that has come to rest, and the end of the visit."""
    screen.page.mouse.move(4, 4)
    screen.page.evaluate("document.activeElement?.blur()")
    screen.page.wait_for_timeout(3000)
    Image.open(io.BytesIO(screen.page.screenshot())).convert("RGB").save(FOLDER / name, optimize=True)
    screen.page.context.close()


@contextmanager
def app_in_browser() -> Iterator[tuple[Browser, str]]:
    """Chromium, and the address of an app with a folder of its own."""
    path = executable()
    if path is None:
        raise SystemExit("No Chromium found. Install it, for instance: sudo apt-get install chromium")
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        with running_app(Path(temporary)) as address:
            yield browser, address
        browser.close()


def main() -> None:
    with app_in_browser() as (browser, address):
        for scheme in ("light", "dark"):
            explore(browser, address, scheme)
        tradeoff(browser, address)
        recover(browser, address)


if __name__ == "__main__":
    main()
