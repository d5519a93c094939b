"""Units other than single weights on the real app: what a line removes, removal for real, and what is tied."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Locator, expect

import explorer as ex
from tests.app import oracle
from tests.app.conftest import Visit
from tests.app.screen import Screen

pytest_plugins = ("tests.browser",)
pytestmark = [pytest.mark.browser, pytest.mark.slow]

UNITS = (
    ("digits-vit", "Heads", "head", "blocks.1.attn.qkv"),
    ("digits-gru", "Hidden units", "hidden unit", "gru.weight_ih_l0"),
    ("digits-cnn", "n of m", "group", "block2.conv1"),
    ("digits-resnet", "Residual blocks", "residual block", "residual blocks"),
)


def switched(screen: Screen, label: str, unit: str) -> Screen:
    """Choose a unit from the full list, and wait until the lines are lines of that unit."""
    screen.button("Units").click()
    screen.page.get_by_test_id("stPopoverBody").get_by_text(label, exact=True).click()
    expect(screen.total).to_contain_text(f"{unit}s")
    screen.page.keyboard.press("Escape")
    return screen.settled()


def at(screen: Screen, preset: str) -> Screen:
    """Press a preset and wait until its request is in the link and measured."""
    share = 0.0 if preset == "Dense" else float(preset.rstrip("%")) / 100
    before = screen.page.evaluate("location.search")
    screen.button(preset).click()
    screen.page.wait_for_function("before => location.search !== before", arg=before)
    screen.settled()
    assert getattr(screen.spec.allocation, "sparsity", None) == share
    return screen


@pytest.mark.parametrize(("model", "label", "unit", "line"), UNITS, ids=[label for _, label, _, _ in UNITS])
def test_the_unit_switch_changes_the_lines_and_the_measured_accuracy_follows(
    visit: Visit, model: str, label: str, unit: str, line: str
) -> None:
    screen = visit().open(model=model)
    dense = screen.accuracy.inner_text()
    expect(screen.row(line)).to_have_count(0 if unit == "residual block" else 1)

    switched(screen, label, unit)
    expect(screen.row(line)).to_contain_text(f"{unit}s")
    assert screen.accuracy.inner_text() == dense
    at(screen, "50%")

    plan = ex.plan(oracle.opened(model)[0], screen.spec)
    gone, of = sum(k.n_pruned for k in plan.groups), sum(k.group.n_units for k in plan.groups if not k.group.why_not)
    expect(screen.total).to_contain_text(f"{gone:,} of {of:,} {unit}s")
    expect(screen.accuracy).to_have_text(oracle.accuracy(model, screen.spec))


def test_removal_proves_itself_on_the_screen_and_the_slim_file_opens_again(visit: Visit, tmp_path: Path) -> None:
    screen = visit().open(model="digits-mlp")
    expect(screen.page.get_by_text("The network, before and after")).to_have_count(0)
    screen.page.get_by_role("radio", name="Channels").click()
    expect(screen.total).to_contain_text("channels")
    at(screen.settled(), "50%")

    screen.button("Remove, prove and time it").click()
    expect(screen.page.locator(".stMarkdownBadge")).to_contain_text("Proven")
    said = screen.page.get_by_text("The smaller network answers like the masked one").first.inner_text()
    difference = re.search(r"at most (\S+) of the largest output apart", said)
    assert difference is not None
    assert 0 <= float(difference.group(1)) <= 1e-5
    with screen.page.expect_download() as download:
        screen.button("Slim model (.safetensors)").click()
    download.value.save_as(tmp_path / "slim.safetensors")

    model, data = oracle.opened("digits-mlp")
    small = ex.load(str(tmp_path / "slim.safetensors"))
    assert f"{sum(t.numel() for t in small.weights.values()):,} of {model.n_parameters:,}" in said
    x = data.splits["tune"].x
    with torch.no_grad():
        assert small.module is not None
        masked = ex.masked(model, ex.plan(model, screen.spec)).module(x)
        assert torch.allclose(small.module(x), masked, atol=1e-5 * float(masked.abs().max()))
    expect(screen.page.get_by_text(re.compile("Theoretical speed-up .* Measured"))).to_be_visible()


def lit(screen: Screen, kind: str) -> Locator:
    """The names of the layers of the graph that are lit as one of the legend's words says."""
    role = {"loses rows": "scored", "loses columns": "consumes"}[kind]
    return screen.page.locator(f"svg g.node.{role}").locator("text:first-of-type")


def chosen(table: Locator, row: int) -> None:
    """Tick a row of a table that is drawn on a canvas."""
    expect(table.locator("canvas").first).to_be_visible()
    table.click(position={"x": 17, "y": 35 * (row + 1) + 17})


def test_choosing_a_line_lights_up_all_that_shrinks_with_it_and_says_why(visit: Visit) -> None:
    screen = visit().open(model="digits-resnet")
    screen.page.get_by_role("link", name="Structure").click()
    expect(screen.page.locator("svg g.node")).to_have_count(10 + 3)  # layers, and where outputs are added
    expect(lit(screen, "loses rows")).to_have_text(["stem.conv", "block1.conv2"])

    chosen(screen.page.get_by_test_id("stDataFrame"), 3)

    expect(screen.page.get_by_text("block2.conv2 · 32 channels")).to_be_visible()
    expect(screen.page.get_by_text("Tied because: added together.")).to_be_visible()
    expect(screen.page.get_by_text("block3.shortcut.weight", exact=True)).to_be_visible()
    expect(lit(screen, "loses rows")).to_have_text(["block2.conv2", "block2.shortcut"])
    expect(lit(screen, "loses columns")).to_have_text(["block3.conv1", "block3.shortcut"])


def test_units_that_a_network_does_not_have_are_named_with_the_reason_and_cannot_be_chosen(visit: Visit) -> None:
    screen = visit().open(model="digits-cnn")
    screen.page.get_by_role("link", name="Structure").click()
    expect(screen.page.get_by_role("radio", name="Channels")).to_be_visible()
    expect(screen.page.get_by_role("radio", name="Hidden units")).to_have_count(0)
    screen.page.get_by_role("button", name="not available here").click()

    expect(screen.page.get_by_text(re.compile("Hidden units.* cannot be removed here"))).to_be_visible()
