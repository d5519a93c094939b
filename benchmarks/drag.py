"""How soon the screen follows a hand: the real app in headless Chromium, and the engine by itself.

    python -m benchmarks.drag [--drags 30] [--only digits-cnn] [--images 1000]

Prints one JSON object. ``one_layer`` is the engine alone: a change in each layer of ResNet-20, until a
first estimate and until all images are through, beside the loop that notebooks write, in turns
(``--only engine`` runs nothing else). Every other time is taken inside the page:

``readout_ms``              one pointer move, until the histogram's numbers have changed
``first_estimate_ms``       release, until the first accuracy of the new line is on the screen
``release_to_accuracy_ms``  release, until its accuracy on all samples is on the screen

"On the screen" is the end of the frame that shows it. Drags begin when the curves in the background
are measured, but for the cases that say "while curves grow".
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from playwright.sync_api import Browser, Error, expect, sync_playwright
from safetensors.torch import save_file

from benchmarks._drag_engine import one_layer_changes
from explorer import models
from explorer.metrics.origin import today
from tests.app.screen import Screen
from tests.app.server import REPOSITORY, running_app
from tests.browser import FLAGS, executable

WATCH = (Path(__file__).parent / "drag.js").read_text(encoding="utf-8")
REAL = REPOSITORY.parent / "shared" / "data"
# On a busy machine the accuracy of 2,000 images may take minutes: what is slow is measured, too.
CURVES_MS, ANSWER_MS = 900_000, 300_000
FRAME_MS = 16
MOVES = 12
NO_BROWSER = "Nothing on the screen is timed: no Chromium found. Try: sudo apt-get install chromium"


@dataclass(frozen=True)
class Case:
    """One model on one data set, as a link; ``quiet`` waits until the background work is done."""

    name: str
    query: dict[str, str]
    quiet: bool = True
    measured: bool = True
    drags: float = 1.0


@dataclass
class Times:
    """Milliseconds, as they came."""

    readout: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    complete: list[float] = field(default_factory=list)


def cases(folder: Path) -> Iterator[Case]:
    yield Case("digits-cnn", {"model": "digits-cnn"})
    if (REAL / "cifar10-test-2000").is_dir():
        shutil.copytree(REAL, folder / "real")
        real = {
            "model": str(folder / "real" / "resnet20-12fca82f.th"),
            "arch": "cifar-resnet20",
            "data": f"folder:{folder / 'real' / 'cifar10-test-2000'}",
        }
        yield Case("resnet20, 2,000 images, while curves grow", real, quiet=False, drags=0.34)
        yield Case("resnet20, 2,000 images", real, drags=0.5)
    torch.manual_seed(0)
    deep = models.ARCHITECTURES.get("cifar-resnet110").build().state_dict()
    save_file({name: value.contiguous() for name, value in deep.items()}, folder / "deep.safetensors")
    query = {"model": str(folder / "deep.safetensors"), "arch": "cifar-resnet110", "data": "none"}
    yield Case("resnet110 (110 layers), generated inputs, while curves grow", query, quiet=False, drags=0.34)
    many = {f"stage{i // 15}.layer{i}.weight": torch.randn(128, 128) * 0.05 for i in range(150)}
    save_file(many, folder / "many.safetensors")
    yield Case("150 layers, weights only", {"model": str(folder / "many.safetensors")}, measured=False, drags=0.5)


def measure(browser: Browser, address: str, case: Case, n_drags: int) -> Times:
    """``n_drags`` drags of the first line that can be moved."""
    context = browser.new_context(viewport={"width": 1316, "height": 923})
    expect.set_options(timeout=ANSWER_MS)
    screen = Screen(context.new_page(), address).open(**case.query)
    if case.quiet and case.measured:
        done = screen.page.get_by_text("Click a point to go back to its setting.")
        expect(done).to_be_visible(timeout=CURVES_MS)
    screen.page.evaluate(f"() => {{\n{WATCH}\n}}")  # the pages themselves let no script in
    times = Times()
    chance = random.Random(0)
    for i in range(n_drags + 1):
        found = one_drag(screen, chance.uniform(0.08, 0.5), case)
        if i:  # the first one warms up
            times.readout += found.readout
            times.first += found.first
            times.complete += found.complete
    context.close()
    if screen.errors or screen.elsewhere:
        raise SystemExit(f"The page complained: {screen.errors} {screen.elsewhere}")
    return times


def one_drag(screen: Screen, to: float, case: Case) -> Times:
    page = screen.page
    slider = page.locator(".ph-row:not(.ph-off) [role=slider]:not([aria-disabled=true])").first
    area = page.locator(".ph-row:not(.ph-off) .ph-area").first.bounding_box()
    handle = slider.bounding_box()
    if area is None or handle is None:
        raise SystemExit("No line can be dragged.")
    page.evaluate("dragWatch.moves = []")
    start, end = handle["x"] + handle["width"] / 2, area["x"] + to * area["width"]
    y = handle["y"] + handle["height"] / 2
    page.mouse.move(start, y)
    page.mouse.down()
    for i in range(1, MOVES + 1):
        page.mouse.move(start + (end - start) * i / MOVES, y)
        page.wait_for_timeout(FRAME_MS)
    page.mouse.up()
    screen.settled()
    page.wait_for_timeout(3 * FRAME_MS)
    return read(page.evaluate("dragWatch"), measured=case.measured)


def read(watch: dict[str, Any], *, measured: bool) -> Times:
    """Which of the changes seen after the release were the new line's."""
    facts = watch["facts"]
    # Where the answer was on the screen before the hand let go, nothing changes any more.
    if not measured or not facts:
        return Times(readout=watch["moves"])
    final = facts[-1]["removed"]
    new = [f for f in facts if f["removed"] == final and not f["stale"] and f["accuracy"] != "…"]
    whole = [f for f in new if not f["partial"]]
    return Times(
        watch["moves"],
        [new[0]["at"] - watch["released"]] if new else [],
        [whole[0]["at"] - watch["released"]] if whole else [],
    )


def summary(found: dict[str, Times], part: Callable[[Times], list[float]]) -> dict[str, dict[str, float]]:
    return {name: spread(part(times)) for name, times in found.items() if part(times)}


def spread(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    high = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    return {"p50": round(statistics.median(ordered), 1), "p95": round(high, 1), "n": len(ordered)}


def say(text: str) -> None:
    sys.stderr.write(f"{text} ...\n")


def on_screen(only: str, n_drags: int) -> dict[str, Times]:
    """Every case whose name holds ``only``."""
    found: dict[str, Times] = {}
    path = executable()
    if path is None:
        say(NO_BROWSER)
        return found
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        folder = Path(temporary).resolve()
        with running_app(folder / "app", root=folder) as address:
            browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
            for case in cases(folder):
                if only not in case.name:
                    continue
                say(case.name)
                try:
                    found[case.name] = measure(browser, address, case, max(3, round(case.drags * n_drags)))
                except (Error, AssertionError) as error:
                    say(f"{case.name}: not measured: {str(error).splitlines()[0]}")
            browser.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drags", type=int, default=30, help="for the first case; slower ones get fewer")
    parser.add_argument("--only", default="", help='cases whose name holds this; "engine" for no screen at all')
    parser.add_argument("--images", type=int, default=1000, help="of CIFAR-10, for the engine alone")
    options = parser.parse_args()
    before = os.getloadavg()[0]
    one_layer = one_layer_changes(options.images, say=say) if options.only in ("", "engine") else {}
    found = {} if options.only == "engine" else on_screen(options.only, options.drags)
    result = {
        "ratios": one_layer.get("ratios", {}),
        "one_layer": one_layer,
        "left_out": [] if executable() else [NO_BROWSER],
        "readout_ms": summary(found, lambda t: t.readout),
        "release_to_accuracy_ms": summary(found, lambda t: t.complete),
        "first_estimate_ms": summary(found, lambda t: t.first),
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "load": {"before": round(before, 1), "after": round(os.getloadavg()[0], 1)},
            "torch": torch.__version__,
            "date": today(),
        },
    }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
