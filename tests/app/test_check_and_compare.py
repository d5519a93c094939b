"""Check and Compare as a visitor uses them: verdict, the layer that is to blame, what is behind a difference."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
import torch
from playwright.sync_api import Locator, expect
from torch import nn

import explorer as ex
from explorer.analysis.corrupting import corrupted
from explorer.types import Dataset
from explorer.workbench.links import encode
from tests.app.conftest import Visit
from tests.app.screen import FITS, Screen

pytest_plugins = ("tests.browser",)
pytestmark = [pytest.mark.browser, pytest.mark.slow]

MODEL = "digits-resnet"
MOST = ex.PruneSpec(allocation="global:sparsity=0.8")


def n_right(modules: Sequence[nn.Module], data: Dataset, severity: int) -> list[int]:
    """Of the first 64 pictures under noise, by the networks alone."""
    split = data.splits["tune"]
    labels, mean, std = split.y[:64], data.meta["mean"][0], data.meta["std"][0]  # type: ignore[index]
    pictures = (split.x[:64].double() * std + mean).clamp(0, 1).numpy()  # type: ignore[union-attr,operator]
    noisy = torch.from_numpy(corrupted(pictures, "gaussian noise", severity, 0))
    with torch.inference_mode():
        return [int((module(((noisy - mean) / std).float()).argmax(1) == labels).sum()) for module in modules]


def at(screen: Screen, name: str, start: str) -> Screen:
    """The page, once its button was pressed."""
    screen.open(model=MODEL, spec=encode(MOST)).page.get_by_role("link", name=name, exact=True).click()
    place = button(screen, start)
    expect(place.or_(screen.page.locator(".st-key-details_card, .st-key-why_card")).first).to_be_visible()
    if place.is_visible():  # another visitor may have asked for the same before
        place.click()
    return screen


def button(screen: Screen, key: str) -> Locator:
    return screen.page.locator(f".st-key-{key}").get_by_role("button", name=re.compile(r"\w")).first


def test_a_failing_class_leads_to_the_layer_that_is_to_blame_and_to_its_line(visit: Visit) -> None:
    screen = at(visit(), "Check", "check_start")
    page = screen.page
    expect(page.locator(".st-key-verdict_card")).to_contain_text("checks fail")
    button(screen, "blame_start").click()
    sentence = page.locator(".st-key-blame_card").get_by_text("gives most back")
    expect(sentence).to_be_visible()
    # The judge: the class measured by Python with that one layer given back.
    worst = ex.blame("0", against=MODEL, spec=MOST).worst
    assert worst is not None
    expect(sentence).to_contain_text(f"{worst.group} gives most back")

    button(screen, "blame_lock").click()
    expect(screen.row(worst.group).locator(".ph-lock")).to_have_attribute("aria-pressed", "true")
    screen.settled()
    assert screen.spec.limit(worst.group).locked


def test_both_models_answer_worse_pictures_as_the_slider_says(visit: Visit) -> None:
    screen = at(visit(), "Compare", "compared_start")
    card = screen.page.locator(".st-key-worse_card")
    card.get_by_text("Answer while I move a slider").click()
    model, data = ex.load(MODEL), ex.load_data("digits", model=ex.load(MODEL))
    pair = model.module, ex.masked(model, ex.plan(model, MOST)).module
    slider = card.get_by_role("slider")
    for severity in (3, 4):
        expected = n_right(pair, data, severity)
        text = f"severity {severity}, the first 64 pictures: {MODEL} has {expected[0]} right"
        expect(card).to_contain_text(text)
        expect(card).to_contain_text(f"80% pruned has {expected[1]} right")
        slider.press("ArrowRight")


def test_every_changed_answer_is_filtered_by_direction_and_the_layer_where_outputs_part_is_named(visit: Visit) -> None:
    screen = visit()
    at(screen, "Compare", "compared_start")
    page = screen.page
    details = page.locator(".st-key-details_card")
    expect(details).to_be_visible()
    expected = ex.compare_models([MODEL, MOST])
    n = {direction: 0 for direction in ("right to wrong", "wrong to right")}
    for sample in expected.changed(1):
        n[sample.direction] += 1
    expect(details).to_contain_text(f"{sum(n.values())} samples, the largest change")
    details.get_by_role("button", name="wrong to right").click()
    expect(details).to_contain_text(f"{n['wrong to right']} samples, the largest change")

    details.get_by_role("tab", name="Layers").click()
    parts_at = expected.models[1].against.parts_at if expected.models[1].against else None
    expect(details).to_contain_text(f"Their outputs part at {parts_at}")

    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.locator(".st-key-side_card")).to_contain_text(f"{n['right to wrong']} right answers became wrong")
    page.wait_for_function(FITS)
