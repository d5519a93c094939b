"""Two settings in turns on Explore, everything put back at once, and what the bars say under a mouse."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

import explorer as ex
from tests.app import oracle
from tests.app.conftest import Visit

pytest_plugins = ("tests.browser",)
pytestmark = [pytest.mark.browser, pytest.mark.slow]

MODEL = "digits-mlp"


def test_a_setting_that_is_held_is_compared_with_the_present_one_and_swapped_back(visit: Visit) -> None:
    screen = visit().open(model=MODEL)
    screen.preset("50%", "50.0%")
    screen.page.get_by_role("button", name="Hold as A").click()
    expect(screen.page.get_by_text("Move a line: what changes is told against A.")).to_be_visible()

    screen.preset("90%", "90.0%")
    told = screen.page.get_by_test_id("stCaptionContainer").filter(has_text="Now against A")
    half, most = (oracle.accuracy(MODEL, ex.PruneSpec(allocation=f"global:sparsity={share}")) for share in (0.5, 0.9))
    change = float(most.rstrip("%")) - float(half.rstrip("%"))
    expect(told).to_contain_text("measured on the same 450 samples")
    shown = re.search(r"Δ accuracy −([\d.]+) pt", told.inner_text())
    assert shown is not None
    assert float(shown.group(1)) == pytest.approx(-change, abs=0.11)

    screen.page.reload()
    expect(told).to_contain_text("measured on the same 450 samples")
    assert told.inner_text().count(shown.group()) == 1

    screen.settled().page.get_by_role("button", name="Swap A and now").click()
    expect(screen.facts.nth(2)).to_contain_text("50.0%")
    expect(screen.settled().accuracy).to_have_text(half)


def test_reset_all_takes_locks_and_limits_too_and_undo_brings_them_back(visit: Visit) -> None:
    screen = visit().open(model=MODEL)
    screen.preset("80%", "80.0%")
    screen.row("fc1").locator(".ph-lock").click()
    expect(screen.row("fc1").locator(".ph-lock")).to_have_attribute("aria-pressed", "true")
    screen.settled()

    screen.page.get_by_role("button", name="Reset all").click()
    expect(screen.row("fc1").locator(".ph-lock")).to_have_attribute("aria-pressed", "false")
    screen.settled()
    assert screen.spec == ex.PruneSpec()

    screen.page.get_by_role("button", name="Undo").click()
    expect(screen.row("fc1").locator(".ph-lock")).to_have_attribute("aria-pressed", "true")


def test_the_bars_under_a_resting_mouse_are_counted(visit: Visit) -> None:
    screen = visit().open(model=MODEL)
    area = screen.row("fc1").locator(".ph-area")

    area.hover()

    hint = screen.row("fc1").locator(".ph-hint")
    expect(hint).to_be_visible()
    shown = re.fullmatch(r"\|w\| = ([\d.]+) · ≈? ?([\d,]+) weights here · ≈? ?([\d.]+)% below", hint.inner_text())
    assert shown is not None
    weights = oracle.opened(MODEL)[0].weights["fc1.weight"].abs()
    below = 100 * float((weights < float(shown.group(1))).double().mean())
    assert float(shown.group(3)) == pytest.approx(below, abs=1.0)
    screen.page.mouse.move(5, 5)
    expect(hint).to_be_hidden()
