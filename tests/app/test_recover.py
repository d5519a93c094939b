"""Recovery on the real app: watch it recover, stop it, go on, and buy a lottery ticket."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

import explorer as ex
from explorer.recovery.recipe import Recipe
from tests.app.conftest import Visit
from tests.app.screen import Screen

pytest_plugins = ("tests.browser",)
pytestmark = [pytest.mark.browser, pytest.mark.slow]
SLOW = 200_000
# Too many to end by itself: the run is there to be stopped.
ENDLESS = 10_000
MORE_AUDITS = r"""(before) => {
  const told = document.querySelector(".st-key-story_card")?.innerText.match(/none came back in (\d+) audits/);
  return told && Number(told[1]) > before;
}"""


def at_recover(visit: Visit, model: str) -> Screen:
    screen = visit().open(model=model)
    screen.page.get_by_role("link", name="Recover", exact=True).click()
    expect(screen.page.get_by_role("button", name="Start")).to_be_visible(timeout=SLOW)
    return screen


def set_number(screen: Screen, label: str, value: int) -> None:
    """Type a number and wait until the page has answered: the schedule is told of it."""
    field = screen.page.get_by_label(label, exact=True)
    field.fill(str(value))
    field.press("Enter")
    expect(screen.page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=SLOW)


def story(screen: Screen) -> Locator:
    return screen.page.locator(".st-key-story_card")


def audits(screen: Screen) -> int:
    found = re.search(r"none came back in (\d+) audits", story(screen).inner_text())
    return int(found.group(1)) if found else 0


def stop(screen: Screen) -> int:
    """Stop the run that is watched; how many audits there were by then."""
    expect(story(screen).get_by_text("none came back")).to_be_visible(timeout=SLOW)
    screen.page.locator(".st-key-recover_stop").get_by_role("button").click()
    expect(story(screen).get_by_text("what was measured is kept")).to_be_visible(timeout=SLOW)
    return audits(screen)


def test_a_run_is_watched_stopped_and_goes_on_and_its_recipe_is_replayed_to_the_end(
    visit: Visit, tmp_path: Path
) -> None:
    screen = at_recover(visit, "digits-mlp")
    screen.page.get_by_role("radio", name="One shot").click()
    set_number(screen, "Epochs", ENDLESS)
    screen.page.get_by_role("button", name="Start").click()
    expect(story(screen).get_by_text(f"of {ENDLESS}")).to_be_visible(timeout=SLOW)
    before = stop(screen)
    assert before > 0

    screen.page.get_by_role("button", name="Go on").click()
    # The epochs from before the stop are among them.
    screen.page.wait_for_function(MORE_AUDITS, arg=before, timeout=SLOW)
    assert stop(screen) > before

    screen.page.get_by_role("button", name="Recipe").click()
    with screen.page.expect_download() as held:
        screen.page.get_by_role("button", name="Recipe as JSON").click()
    recipe = Recipe.from_json(json.loads(held.value.path().read_text()))
    assert [step.key for step in recipe.steps] == ["prune", "finetune"]
    assert recipe.n_epochs == ENDLESS

    shorter = recipe.to_json()
    shorter["steps"][-1]["epochs"] = 3
    file = tmp_path / "shorter.recipe.json"
    file.write_text(json.dumps(shorter))
    screen.page.get_by_test_id("stPopoverBody").locator("input[type=file]").set_input_files(file)
    screen.page.get_by_role("button", name="Replay it").click()
    # A table is drawn on a canvas; what it says is in rows for screen readers too.
    row = screen.page.locator(".st-key-runs_card tr", has_text="replay of shorter.recipe.json")
    expect(row).to_contain_text("done", timeout=SLOW)


def test_the_ring_of_the_schedule_sets_the_sparsity(visit: Visit) -> None:
    screen = at_recover(visit, "digits-mlp")
    ring = screen.page.get_by_role("slider", name=re.compile("How much goes in the end"))
    expect(ring).to_have_attribute("aria-valuenow", "90")
    ring.press("ArrowDown")
    expect(screen.page.get_by_label("Sparsity, %", exact=True)).to_have_value("89", timeout=SLOW)
    box = screen.still(ring)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    screen.page.mouse.move(x, y)
    screen.page.mouse.down()
    screen.page.mouse.move(x, y + 40, steps=4)
    screen.page.mouse.up()
    expect(screen.page.get_by_label("Sparsity, %", exact=True)).not_to_have_value("89", timeout=SLOW)
    assert 50 < int(screen.page.get_by_label("Sparsity, %", exact=True).input_value()) < 85


def test_a_lottery_ticket_runs_beside_its_control_and_can_be_taken_away(visit: Visit, tmp_path: Path) -> None:
    screen = at_recover(visit, "digits-mlp")
    screen.page.get_by_role("radio", name="Lottery ticket").click()
    expect(screen.page.get_by_label("Back to", exact=True)).to_be_visible(timeout=SLOW)
    set_number(screen, "Rounds", 2)
    set_number(screen, "Epochs", 3)
    screen.page.get_by_role("button", name="fresh random weights").click()
    screen.page.get_by_role("button", name="Start").click()
    expect(screen.page.get_by_role("button", name="Done")).to_be_visible(timeout=2 * SLOW)
    runs = screen.page.locator(".st-key-runs_card")
    expect(runs.get_by_text("A row is one run")).to_be_visible()

    table = runs.get_by_test_id("stDataFrame")
    expect(table.locator("canvas").first).to_be_visible()
    table.click(position={"x": 17, "y": 52})
    expect(runs.get_by_role("button", name="Weights")).to_be_visible(timeout=SLOW)
    with screen.page.expect_download() as held:
        runs.get_by_role("button", name="Weights").click()
    path = tmp_path / "ticket.safetensors"
    held.value.save_as(path)
    ticket, dense = ex.load(str(path), arch="digits-mlp"), ex.load("digits-mlp")
    zeros = sum(int((ticket.weights[layer.parameter] == 0).sum()) for layer in ex.layers(dense).prunable)
    assert zeros == pytest.approx(0.9 * ex.layers(dense).n_prunable, abs=2)
