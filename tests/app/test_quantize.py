"""Quantizing from the screen: the switch beside the lines, the grid, the orders and skipped activations."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from explorer import data, models
from explorer.engine.evaluator import Evaluator
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.recovery.quantization import measured
from explorer.recovery.quantized_size import smallest
from tests.app.conftest import Visit
from tests.app.screen import Screen

pytest_plugins = ("tests.browser",)
pytestmark = [pytest.mark.browser, pytest.mark.slow]

MODEL = "digits-cnn"
# Its curves, which Explore begins to measure first, take a moment only.
QUICK = "digits-mlp"
A_WHILE_MS = 200_000


def judged(spec: PruneSpec, bits: int) -> tuple[str, float]:
    """The accuracy and the bytes of the library's own calls."""
    model = models.load(MODEL)
    evaluator = Evaluator(model, data.load("digits", model=model).splits["tune"])
    plan = make_plan(model, spec)
    return f"{100 * measured(evaluator, plan, bits).accuracy.value:.1f}%", smallest(model, plan, bits).value


def on_quantize(visit: Visit, model: str = MODEL) -> Screen:
    screen = visit().open(model=model)
    screen.page.get_by_role("link", name="Quantize", exact=True).click()
    expect(screen.page.get_by_text("Bytes against accuracy")).to_be_visible()
    return screen


def test_int8_weights_are_measured_beside_the_lines_as_they_move(visit: Visit) -> None:
    screen = visit().open(model=MODEL)
    card = screen.page.locator(".st-key-int8_card")
    card.get_by_text("int8 weights").click()
    expect(card).to_contain_text("100.0%")

    screen.preset("50%", "50.0%")
    eight, n_bytes = judged(screen.spec, 8)
    expect(card).to_contain_text(eight)
    expect(card).to_contain_text(f"{n_bytes / 1000:.1f} kB")

    card.get_by_role("radio", name="3 bit").click()
    expect(card).to_contain_text("3-bit weights")
    expect(card).to_contain_text(judged(screen.spec, 3)[0])


def test_a_grid_of_pruning_and_quantization_is_measured_and_downloaded(visit: Visit, tmp_path: Path) -> None:
    screen = on_quantize(visit)
    screen.button("Measure the grid").click()
    expect(screen.page.get_by_text("8 points measured.")).to_be_visible(timeout=A_WHILE_MS)

    with screen.page.expect_download() as arriving:
        screen.button("CSV").click()
    arriving.value.save_as(tmp_path / "grid.csv")
    rows = list(csv.DictReader((tmp_path / "grid.csv").open()))

    assert [(r["asked"], r["format"]) for r in rows] == [
        (share, form) for share in ("0.0", "0.5", "0.8", "0.9") for form in ("float32", "int8")
    ]
    accuracy, n_bytes = judged(PruneSpec("weight", "lp_norm", "global:sparsity=0.5"), 8)
    found = rows[3]
    assert f"{100 * float(found['accuracy']):.1f}%" == accuracy
    assert float(found["bytes"]) == n_bytes
    expect(screen.page.locator(".st-key-grid_card .scatterlayer .trace").first).to_be_visible()
    expect(screen.page.locator(".st-key-points_card").get_by_test_id("stDataFrame")).to_be_visible()


def test_the_orders_are_compared_and_one_sentence_says_what_came_out(visit: Visit) -> None:
    screen = on_quantize(visit, QUICK)
    card = screen.page.locator(".st-key-order_card")

    screen.button("Compare").click()

    expect(card).to_contain_text("measured on the same 450 samples: prune, quantize", timeout=A_WHILE_MS)
    expect(card).to_contain_text(re.compile(r"prune, tune, quantize \d+\.\d%"))


def test_skipped_activations_are_measured_and_drawn(visit: Visit) -> None:
    screen = on_quantize(visit, QUICK)
    card = screen.page.locator(".st-key-skip_card")

    card.get_by_role("button", name="Measure", exact=True).click()

    expect(card).to_contain_text("50.3% are zero anyway.", timeout=A_WHILE_MS)
    expect(card.locator(".scatterlayer .trace")).to_have_count(2)


def test_a_network_without_activations_to_skip_says_so(visit: Visit) -> None:
    screen = on_quantize(visit, "digits-gru")
    expect(screen.page.get_by_text("gates of recurrent layers stay")).to_be_visible()
