"""Files from the wild, good and bad, through the real upload."""

from __future__ import annotations

import builtins
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import expect
from safetensors.torch import save

from tests.app.conftest import Visit
from tests.app.screen import Screen

pytest_plugins = ("tests.browser",)
pytestmark = [pytest.mark.browser, pytest.mark.slow]

MODEL = "digits-mlp"
HOSTILE = (
    "<img src=http://elsewhere.invalid/a.png onerror=alert(1)>",
    "![b](http://elsewhere.invalid/b.png)",
    "[press](http://elsewhere.invalid/c)",
    r"$\href{http://elsewhere.invalid/d}{x}$",
    "<a href='http://elsewhere.invalid/e'>here</a>",
    ":red[f] :material/home:",
    "www.elsewhere.invalid",
)


class Payload:
    """Unpickling this makes a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return (builtins.open, (str(self.marker), "w"))


def saved(value: Any) -> bytes:
    out = io.BytesIO()
    torch.save(value, out)
    return out.getvalue()


def assert_nothing_of_theirs(screen: Screen) -> None:
    """No element that a name asked for: no picture, no link, no formula."""
    page = screen.page
    assert page.locator("[href*='elsewhere.invalid'], [src*='elsewhere.invalid'], [onerror]").count() == 0
    assert page.locator(".katex").count() == 0


def test_without_an_architecture_a_file_opens_for_its_weights_alone_and_says_why(visit: Visit) -> None:
    screen = visit().open(model=MODEL)
    screen.upload("two.safetensors", save({"a.weight": torch.randn(32, 16), "b.weight": torch.randn(8, 32)}))

    expect(screen.page.get_by_text("Weights only.")).to_be_visible()
    expect(screen.accuracy).to_have_text("not available")
    screen.preset("50%", "50.0%")
    expect(screen.removed).to_contain_text("384 of 768")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("noise.safetensors", lambda _: bytes(range(256)) * 40),
        ("payload.pt", lambda marker: saved(Payload(marker))),
        ("empty.pth", lambda _: b""),
    ],
)
def test_a_bad_file_is_refused_in_a_sentence_and_nothing_is_lost(
    visit: Visit, tmp_path: Path, name: str, content: Callable[[Path], bytes]
) -> None:
    marker = tmp_path / "it-ran"
    screen = visit().open(model=MODEL)
    screen.preset("50%", "50.0%")
    before = screen.numbers

    screen.upload(name, content(marker))

    alert = screen.page.get_by_role("alert")
    expect(alert).to_be_visible()
    words = alert.inner_text()
    assert 20 < len(words) < 400
    assert "Traceback" not in words
    assert "weights_only" not in words
    assert not marker.exists()
    assert screen.settled().numbers == before
    screen.page.keyboard.press("Escape")
    screen.preset("80%", "80.0%")


def test_hostile_names_are_shown_as_the_text_they_are(visit: Visit) -> None:
    screen = visit().open(model=MODEL)
    tensors = {f"{name}.weight": torch.randn(24, 16) for name in HOSTILE}

    screen.upload(f"{HOSTILE[0]}.safetensors".replace("/", "_"), save(tensors))

    expect(screen.page.get_by_text("Weights only.")).to_be_visible()
    labels = screen.page.locator(".ph-label")
    expect(labels).to_have_count(len(HOSTILE))  # the banner comes before the lines
    shown = labels.all_text_contents()
    assert all(any(name.endswith(text) or text in name for text in shown) for name in HOSTILE)
    screen.preset("90%", "90.")
    assert_nothing_of_theirs(screen)
    screen.page.get_by_role("link", name="Weights").click()
    expect(screen.page.get_by_text("Layer by layer")).to_be_visible()
    expect(screen.page.locator(".js-plotly-plot").first).to_be_visible()
    assert_nothing_of_theirs(screen)
    screen.page.get_by_role("link", name="Trade-off").click()
    expect(screen.page.get_by_text("No curve without a measurement")).to_be_visible()
    assert_nothing_of_theirs(screen)


def test_a_path_outside_the_allowed_folder_is_refused(visit: Visit, root: Path) -> None:
    screen = visit()
    above = root.parent
    for query in (f"model={above}/x.pt", "model=../../x.pt", f"data=folder:{above}", "data=folder:../tests"):
        screen.page.goto(f"{screen.address}/?{query}")
        expect(screen.page.get_by_role("alert")).to_contain_text("outside the folder that the server allows")


def test_a_checkpoint_from_the_wild_is_judged_on_a_folder_of_pictures(visit: Visit, real_data: Path) -> None:
    screen = visit().open(model=MODEL)
    screen.upload("resnet20-12fca82f.th", (real_data / "resnet20-12fca82f.th").read_bytes(), "cifar-resnet20")
    expect(screen.facts.nth(0)).to_contain_text("Agreement with dense")
    screen.settled()

    screen.page.get_by_role("button", name="Evaluated on").click()
    screen.page.get_by_role("combobox", name="Data").fill("folder")
    screen.page.get_by_role("option", name="A folder of images").click()
    screen.page.get_by_label("Path", exact=True).fill(str(real_data / "cifar10-test-2000"))
    screen.page.get_by_label("Path", exact=True).press("Tab")
    screen.button("Use this data").click()
    expect(screen.page.get_by_role("button", name="2,000 images")).to_be_visible()
    expect(screen.facts.nth(0)).to_contain_text("Accuracy")
    screen.settled()

    correct = round(float(screen.accuracy.inner_text().rstrip("%")) * 20)
    assert abs(correct - 1627) <= 1  # 81.35 %, shown as 81.3 or 81.4
    screen.page.keyboard.press("Escape")
    screen.preset("50%", "50.0%")


def test_a_part_of_the_samples_is_chosen_in_the_data_menu(visit: Visit) -> None:
    screen = visit().open(model="digits-mlp")
    screen.page.get_by_role("button", name="Evaluated on").click()
    field = screen.page.get_by_label("At most so many samples (0: all)", exact=True)
    field.fill("60")
    field.press("Enter")
    screen.button("Use this data").click()
    expect(screen.page.get_by_role("button", name="Evaluated on tune · 60 images")).to_be_visible()
    assert screen.settled().query["samples"] == "60"
