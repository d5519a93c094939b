"""A visitor of the app: what is on the screen, and what a hand does there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.sync_api import ConsoleMessage, FloatRect, Locator, Page, Request, WebSocket, expect

from explorer.pruning.spec import PruneSpec
from explorer.workbench.links import controls_of, decode

PATIENCE_MS = 150_000
# No run is under way, its link is written, and no fact is of an older line or of a part of the samples.
SETTLED = "[data-test-script-state=notRunning]:has(.facts):not(:has(.facts :is(.stale, .bar)))"
FITS = """() => [document.documentElement, document.querySelector('[data-testid="stMain"]')]
  .every((element) => element.scrollWidth === element.clientWidth)"""
TWO_FRAMES = "new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))"
expect.set_options(timeout=PATIENCE_MS)


def query_of(url: str) -> dict[str, str]:
    """The parameters of a link, one value each."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


@dataclass
class Screen:
    """One browser page on the app, and everything that it complained about or asked for elsewhere."""

    page: Page
    address: str
    errors: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    n_requests: int = 0

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._asked)
        self.page.on("websocket", self._connected)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def _asked(self, request: Request) -> None:
        self._note(request.url)

    def _connected(self, socket: WebSocket) -> None:
        self._note(socket.url.replace("ws", "http", 1))

    def _note(self, url: str) -> None:
        self.n_requests += 1
        if not url.startswith((f"{self.address}/", "data:", f"blob:{self.address}/")):
            self.elsewhere.append(url)

    def open(self, path: str = "/", **query: str) -> Screen:
        """Go to a page by its link and wait until it is drawn and measured."""
        self.page.goto(f"{self.address}{path}" + (f"?{urlencode(query)}" if query else ""))
        return self.settled()

    def settled(self) -> Screen:
        """Wait until the last move is answered and its accuracy is measured on all samples."""
        expect(self.total).to_have_count(1)
        expect(self.total).to_contain_text("pruned")
        expect(self.total).not_to_contain_text("≈")
        expect(self.accuracy).to_have_text(re.compile("%|not available"))
        # At one moment: one after the other, the old facts and the end of the next run would do.
        expect(self.page.locator(SETTLED)).to_have_count(1)
        return self

    @property
    def facts(self) -> Locator:
        return self.page.locator(".facts > div")

    @property
    def accuracy(self) -> Locator:
        return self.facts.nth(0).locator(".value")

    @property
    def change(self) -> Locator:
        return self.facts.nth(1).locator(".value")

    @property
    def removed(self) -> Locator:
        """How many weights go: "61,658 of 77,072"."""
        return self.facts.nth(2).locator(".note")

    @property
    def total(self) -> Locator:
        """The same from the histogram: what it counts while the hand moves."""
        return self.page.locator(".ph-total")

    @property
    def numbers(self) -> list[str]:
        """All four facts as text."""
        return self.facts.all_inner_texts()

    @property
    def query(self) -> dict[str, str]:
        """What the address bar says."""
        return query_of(self.page.url)

    @property
    def spec(self) -> PruneSpec:
        """The request that the link carries."""
        return decode(self.query.get("spec", ""))

    def row(self, group: str) -> Locator:
        return self.page.locator(f'.ph-row[data-group="{group}"]')

    def slider(self, group: str) -> Locator:
        return self.row(group).get_by_role("slider")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def linked(self, **controls: object) -> None:
        """Wait until the link holds these choices: it is written while the page is drawn, after the choice is shown."""
        self.page.wait_for_url(lambda url: controls.items() <= controls_of(query_of(url)).items())

    def still(self, place: Locator) -> FloatRect:
        """Where it is on the screen, once it moves no more: charts and tables take their place one after the other."""
        before = None
        while (box := place.bounding_box()) is None or box != before:
            before = box
            self.page.evaluate(TWO_FRAMES)
        return box

    def drag(self, group: str, to: float, *, steps: int = 12) -> None:
        """Drag a line with the mouse to a place (0..1) of its axis and let go."""
        self.row(group).scroll_into_view_if_needed()
        area = self.still(self.row(group).locator(".ph-area"))
        handle = self.still(self.slider(group))
        self.page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
        self.page.mouse.down()
        self.page.mouse.move(area["x"] + to * area["width"], area["y"] + area["height"] / 2, steps=steps)
        self.page.mouse.up()

    def preset(self, name: str, shown: str) -> None:
        """Press a preset and wait until what it removes is ``shown`` and measured."""
        self.button(name).click()
        expect(self.facts.nth(2)).to_contain_text(shown)
        self.settled()

    def upload(self, name: str, content: bytes, arch: str = "") -> None:
        """Choose a file in the model's menu, with an architecture or without, and open it."""
        self.page.get_by_role("button", name=re.compile("^Model ")).click()
        form = self.page.get_by_test_id("stForm")
        if arch:
            form.get_by_role("combobox", name="Architecture").fill(arch)
            self.page.get_by_role("option", name=arch, exact=True).click()
        form.locator("input[type=file]").set_input_files(
            {"name": name, "mimeType": "application/octet-stream", "buffer": content}
        )
        expect(form.get_by_role("button", name=re.compile("^Remove "))).to_be_visible()
        form.get_by_test_id("stFormSubmitButton").get_by_role("button").click()
