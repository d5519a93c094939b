"""Takes the README's moving picture from the running app: drag, watch the accuracy, check.

python -m docs.animation
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect

import explorer as ex
from docs.screenshots import CURVES_MS, MODEL, app_in_browser
from explorer.workbench.links import encode
from tests.app.screen import Screen

FILE = Path(__file__).parent / "explore.webp"
SIZE = {"width": 1200, "height": 760}
SHOWN = (900, 570)
# Waiting is shortened, so that the whole is about twenty seconds; a hand's moves are as long as they take.
MOVE_MS, LONGEST_MS, REST_MS = 130, 450, 1600
STEPS = 16
QUALITY = 60


@dataclass
class Film:
    """Pictures of a page, and how long each stays; equal ones in a row are one."""

    page: Page
    frames: list[Image.Image] = field(default_factory=list)
    durations: list[int] = field(default_factory=list)

    def shoot(self, ms: int) -> None:
        """What is on the screen now, for so long."""
        image = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB").resize(SHOWN, Image.Resampling.LANCZOS)
        if self.frames and self.frames[-1].tobytes() == image.tobytes():
            self.durations[-1] += ms
        else:
            self.frames.append(image)
            self.durations.append(ms)

    def until(self, is_over: Callable[[], bool], most: int = 24) -> None:
        """Watch the page while it works; of long work ``most`` pictures are taken."""
        for _ in range(most):
            begin = time.monotonic()
            over = is_over()
            self.shoot(min(LONGEST_MS, max(MOVE_MS, round(1000 * (time.monotonic() - begin)))))
            if over:
                return

    def save(self) -> None:
        """One WebP, shown again and again."""
        first, *others = self.frames
        options = {"duration": self.durations, "loop": 0, "quality": QUALITY, "method": 6, "minimize_size": True}
        first.save(FILE, save_all=True, append_images=others, **options)


def film(screen: Screen) -> Film:
    """What a visitor does in twenty seconds."""
    screen.open(model=MODEL, spec=encode(ex.PruneSpec(allocation="global:sparsity=0.3")))
    expect(screen.page.get_by_text("Click a point to go back to its setting.")).to_be_visible(timeout=CURVES_MS)
    close = screen.page.get_by_role("button", name="Got it")
    if close.count():
        close.click()
        screen.settled()
    shown = Film(screen.page)
    shown.shoot(REST_MS)
    for group, to in (("block1.conv1", 0.24), ("block2.conv1", 0.3), ("block1.conv1", 0.1)):
        dragged(screen, shown, group, to)
    screen.button("80%").click()
    settled(screen, shown)
    screen.button("Undo").click()
    settled(screen, shown)
    checked(screen, shown)
    return shown


def dragged(screen: Screen, shown: Film, group: str, to: float) -> None:
    """A line moved by the mouse, picture by picture, and what is measured after it."""
    area = screen.row(group).locator(".ph-area").bounding_box()
    handle = screen.slider(group).bounding_box()
    assert area is not None
    assert handle is not None
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
    end = area["x"] + to * area["width"]
    screen.page.mouse.move(x, y)
    screen.page.mouse.down()
    for step in range(1, STEPS + 1):
        screen.page.mouse.move(x + (end - x) * step / STEPS, y)
        shown.shoot(MOVE_MS)
    screen.page.mouse.up()
    settled(screen, shown)


def settled(screen: Screen, shown: Film) -> None:
    """Until the accuracy on the screen is that of the present lines."""
    shown.until(lambda: screen.page.locator(".facts :is(.stale, .bar)").count() == 0, 8)
    screen.settled()
    shown.shoot(REST_MS)


def checked(screen: Screen, shown: Film) -> None:
    """The same setting on the page Check, to its verdict."""
    screen.page.get_by_role("link", name="Check", exact=True).click()
    start = screen.page.get_by_role("button", name="Check", exact=True)
    expect(start).to_be_visible()
    shown.shoot(REST_MS)
    start.click()
    done = screen.page.get_by_role("button", name="JUnit")
    shown.until(lambda: done.count() > 0)
    expect(done).to_be_visible()
    expect(screen.page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
    shown.shoot(REST_MS)
    screen.page.get_by_role("heading", name="Why").scroll_into_view_if_needed()
    shown.shoot(2 * REST_MS)


def main() -> None:
    with app_in_browser() as (browser, address):
        context = browser.new_context(viewport=SIZE, color_scheme="light")  # type: ignore[arg-type]
        film(Screen(context.new_page(), address)).save()


if __name__ == "__main__":
    main()
