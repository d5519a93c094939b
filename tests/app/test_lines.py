"""Moving lines on the real app, by every way a hand has."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

import explorer as ex
from explorer.pruning.allocation import Threshold
from tests.app import oracle
from tests.app.conftest import Visit
from tests.app.screen import Screen

pytest_plugins = ("tests.browser",)
pytestmark = [pytest.mark.browser, pytest.mark.slow]

MODEL = "digits-mlp"


def assert_true(screen: Screen, model: str = MODEL) -> None:
    """What is shown is what a plain forward pass gives for the request in the link."""
    expect(screen.removed).to_contain_text(oracle.removed(model, screen.spec))
    expect(screen.total).to_contain_text(oracle.removed(model, screen.spec))
    expect(screen.accuracy).to_have_text(oracle.accuracy(model, screen.spec))


def test_a_first_visit_shows_the_dense_accuracy_of_a_bundled_model(visit: Visit) -> None:
    screen = visit().open()

    expect(screen.page.get_by_role("button", name="Model digits-resnet")).to_be_visible()
    expect(screen.facts.nth(0)).to_contain_text("measured")
    expect(screen.change).to_have_text("0.0 pt")
    assert_true(screen, "digits-resnet")


def test_a_drag_with_the_mouse_removes_what_lies_below_the_line_and_is_measured(visit: Visit) -> None:
    screen = visit().open(model=MODEL)
    dense = screen.accuracy.inner_text()

    screen.drag("fc1", 0.6)
    screen.settled()

    line = screen.spec.allocation
    assert isinstance(line, Threshold)
    assert screen.removed.inner_text().startswith(f"{oracle.below(MODEL, line.value):,} of ")
    assert screen.accuracy.inner_text() != dense
    assert_true(screen)


def test_while_the_line_moves_the_readout_follows_and_the_accuracy_of_an_older_line_is_not_passed_off_as_new(
    visit: Visit,
) -> None:
    screen = visit().open(model=MODEL)
    before = screen.total.inner_text()
    handle = screen.still(screen.slider("fc1"))
    area = screen.still(screen.row("fc1").locator(".ph-area"))

    screen.page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
    screen.page.mouse.down()
    screen.page.mouse.move(area["x"] + 0.3 * area["width"], area["y"] + 10, steps=4)
    expect(screen.total).not_to_have_text(before)
    screen.settled()
    resting = screen.numbers
    screen.page.mouse.up()

    screen.settled()
    assert screen.numbers == resting
    assert_true(screen)


def test_every_key_of_a_slider_moves_its_line_by_exact_counts(visit: Visit) -> None:
    screen = visit().open(model=MODEL)
    screen.page.get_by_role("radio", name="alone").click()
    slider = screen.slider("fc2")
    slider.focus()
    n = int(oracle.opened(MODEL)[0].weights["fc2.weight"].numel())
    one, tenth, ten = round(0.01 * n), round(0.001 * n), round(0.1 * n)
    counts = n, 0, one, one + tenth, one + tenth + ten, tenth + ten
    keys = "End", "Home", "ArrowRight", "Shift+ArrowRight", "PageUp", "ArrowLeft"
    for key, count in zip(keys, counts, strict=True):
        slider.press(key)
        expect(screen.removed).to_have_text(re.compile(f"^{count:,} of "))
        screen.settled()

    expect(slider).to_have_attribute("aria-valuetext", re.compile(r"threshold .* percent of weights pruned"))
    assert_true(screen)


def test_a_preset_takes_exactly_its_share(visit: Visit) -> None:
    screen = visit().open(model=MODEL)

    screen.preset("90%", "90.0%")

    of = ex.layers(oracle.opened(MODEL)[0]).n_prunable
    assert screen.removed.inner_text().startswith(f"{round(0.9 * of):,} of {of:,}")
    assert_true(screen)


def test_undo_and_redo_walk_through_what_was_done(visit: Visit) -> None:
    screen = visit().open(model=MODEL)
    states = [(screen.removed.inner_text(), screen.numbers)]
    screen.preset("50%", "50.0%")
    states.append((screen.removed.inner_text(), screen.numbers))
    screen.drag("fc1", 0.5)
    screen.settled()
    states.append((screen.removed.inner_text(), screen.numbers))

    for name, at in (("Undo", 1), ("Undo", 0), ("Redo", 1), ("Redo", 2)):
        screen.button(name).click()
        expect(screen.removed).to_have_text(states[at][0])
        assert screen.settled().numbers == states[at][1]

    expect(screen.button("Redo")).to_be_disabled()


def test_a_locked_line_stays_where_it_is_while_the_others_move(visit: Visit) -> None:
    screen = visit().open(model=MODEL)
    screen.preset("50%", "50.0%")
    expect(screen.total).to_contain_text("50.0% pruned")
    share = screen.row("fc3").locator(".ph-share").inner_text()

    screen.page.get_by_role("button", name="Lock fc3 where it is").click()
    expect(screen.slider("fc3")).to_have_attribute("aria-disabled", "true")
    screen.preset("80%", "80.")

    expect(screen.row("fc1").locator(".ph-share")).not_to_have_text(share)
    expect(screen.row("fc3").locator(".ph-share")).to_have_text(share)
    assert screen.spec.limit("fc3").locked
    assert_true(screen)


def test_whole_channels_can_be_removed_with_their_reasons_for_locks_shown(visit: Visit) -> None:
    screen = visit().open(model="digits-cnn")

    screen.page.get_by_role("radio", name="Channels").click()
    expect(screen.removed).to_contain_text("channels")
    screen.preset("50%", " channels · ")
    expect(screen.removed).to_have_text(re.compile("^[1-9]"))
    screen.settled()

    assert screen.spec.granularity.key == "out_channel"
    n, of = (int(part) for part in screen.removed.inner_text().partition(" channels")[0].replace(",", "").split(" of "))
    assert 0 < n < of
    expect(screen.page.locator(".ph-held")).not_to_have_count(0)


def test_a_click_on_a_point_of_the_chart_restores_its_setting(visit: Visit) -> None:
    screen = visit().open(model=MODEL)
    expect(screen.page.get_by_text("Click a point to go back to its setting.")).to_be_visible()
    screen.preset("90%", "90.0%")

    removed = screen.removed.inner_text()
    points = screen.page.locator(".scatterlayer .trace:has(.points path)").first.locator(".points path")
    screen.still(points.nth(4))
    points.nth(4).click(force=True)

    expect(screen.removed).not_to_contain_text(removed)
    screen.settled()
    assert screen.spec.allocation.key == "global"
    assert_true(screen)
