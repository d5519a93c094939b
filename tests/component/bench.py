"""The drawing core on a bare page, with a server's side played by the test."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from playwright.sync_api import Locator, Page
from torch import Tensor

from explorer.component import ListState, anywidget_js, css, dynamic_part, static_part
from explorer.types import GroupPlan, LayerTable, Plan, PruningGroup

PAGE = """<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,"><link rel="stylesheet" href="histogram.css">
<style>body { margin: 12px; } #root { max-width: 640px; }</style><div id="root"></div>
<script type="module">
import { mount } from "./histogram.js";
window.sent = [];
window.mountHere = (payload) => mount(document.getElementById("root"), payload, (commit) => window.sent.push(commit));
window.instance = window.mountHere(await (await fetch("payload.json")).json());
window.ready = true;
</script>"""


def group(name: str, n: int, *, block: str = "block", **more: Any) -> PruningGroup:
    return PruningGroup(
        name=name, layers=(name,), n_units=n, unit="weight", n_weights=n, block=block, kind="Linear", **more
    )


def scores_of(n: int) -> Tensor:
    return torch.randn(n, generator=torch.Generator().manual_seed(n)).abs() * 0.05


@dataclass
class Bench:
    """Groups with seeded scores, where their lines stand, and the page that shows them."""

    page: Page
    folder: Path
    address: str
    groups: list[PruningGroup]
    lines: dict[str, float] = field(default_factory=dict)
    locked: set[str] = field(default_factory=set)
    more: dict[str, Any] = field(default_factory=dict)
    revision: int = 1
    ack: int = 0
    scope: str = ""

    def __post_init__(self) -> None:
        self.values = {k.name: scores_of(k.n_units) for k in self.groups if not k.why_not}
        self.static = static_part(self.groups, self.values, scope=self.scope)

    def plan(self) -> Plan:
        planned = [GroupPlan(k, self.n_pruned(k.name), self.line(k.name), k.name in self.locked) for k in self.groups]
        return Plan(spec={}, groups=tuple(planned), masks={}, layers=LayerTable(()), asked=0.0, digest="")

    def line(self, name: str) -> float:
        return self.lines.get(name, 0.0)

    def n_pruned(self, name: str) -> int:
        return int((self.values[name] < self.line(name)).sum()) if name in self.values else 0

    def payload(self) -> dict[str, Any]:
        moving = dynamic_part(self.static, self.plan(), ListState(self.revision, ack=self.ack, **self.more))
        return {"static": self.static, "strips": None, "dynamic": moving}

    def open(self) -> None:
        (self.folder / "index.html").write_text(PAGE, encoding="utf-8")
        (self.folder / "histogram.js").write_text(anywidget_js(), encoding="utf-8")
        (self.folder / "histogram.css").write_text(css(), encoding="utf-8")
        (self.folder / "payload.json").write_text(json.dumps(self.payload()), encoding="utf-8")
        self.page.goto(self.address)
        self.page.wait_for_function("window.ready && document.querySelector('.ph-kept path[d], .ph-why, .ph-empty')")

    def answer(self, *, new: bool = True) -> None:
        """What the server says next; it has dealt with all that was sent."""
        self.revision += int(new)
        self.ack = max([self.ack, *(event["seq"] for event in self.events())])
        self.page.evaluate("payload => window.instance.update(payload)", self.payload())

    def drawn(self) -> None:
        """Wait until the page has drawn what it was told: two frames, the first of which may have begun before."""
        self.page.evaluate("new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))")

    def commits(self) -> list[dict[str, Any]]:
        commits: list[dict[str, Any]] = self.page.evaluate("window.sent")
        return commits

    def events(self) -> list[dict[str, Any]]:
        """Every event that was sent, once each."""
        return list({event["seq"]: event for commit in self.commits() for event in commit["events"]}.values())

    def row(self, name: str) -> Locator:
        return self.page.locator(f'.ph-row[data-group="{name}"]')

    def thumb(self, name: str) -> Locator:
        return self.row(name).get_by_role("slider")

    def share(self, name: str) -> float:
        """What the row says, as a number from 0 to 1."""
        return float(self.row(name).locator(".ph-share").text_content().strip("≈ %<>")) / 100

    def press(self, name: str, at: float | None = None) -> tuple[float, float, float]:
        """Press on a line's handle, or at a place (0..1) of its axis: pointer x, y, axis width."""
        area = self.row(name).locator(".ph-area").bounding_box()
        handle = self.thumb(name).bounding_box()
        assert area is not None
        assert handle is not None
        x = area["x"] + at * area["width"] if at is not None else handle["x"] + handle["width"] / 2
        y = area["y"] + area["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        return x, y, area["width"]

    def drag(self, name: str, by: float, *, steps: int = 8) -> None:
        """Drag a line by a part of its axis and let it go."""
        x, y, width = self.press(name)
        self.page.mouse.move(x + by * width, y, steps=steps)
        self.page.mouse.up()
