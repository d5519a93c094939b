"""Every chart can be taken away as a picture or a table, and fill the screen."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

import explorer as ex
from explorer.analysis.distribution import signed_distribution
from explorer.workbench.links import encode
from tests.app.conftest import Visit

pytest_plugins = ("tests.browser",)
pytestmark = [pytest.mark.browser, pytest.mark.slow]

HALF = ex.PruneSpec(allocation="global:sparsity=0.5")  # type: ignore[arg-type]


def taken(chart: Locator, words: str) -> bytes:
    """The file that a button of a chart gives."""
    with chart.page.expect_download() as download:
        chart.get_by_role("button", name=words).press("Enter")  # as a hand without a pointer does
    return Path(download.value.path()).read_bytes()


def test_a_chart_is_taken_away_as_pixels_lines_and_a_table_and_fills_the_screen(visit: Visit) -> None:
    screen = visit().open(model="digits-mlp", spec=encode(HALF))
    screen.page.get_by_role("link", name="Weights", exact=True).click()
    chart = screen.page.locator(".st-key-signed [data-testid=stPlotlyChart]")
    tools = chart.locator(".chart-tools")
    expect(tools.get_by_role("button")).to_have_count(4)

    rows = list(csv.DictReader(io.StringIO(taken(chart, "as a table").decode())))
    model = ex.load("digits-mlp")
    weights, mask = model.weights["fc1.weight"], ex.plan(model, HALF).masks["fc1.weight"]
    for series, counted in (("kept", int(mask.sum())), ("pruned", int((~mask).sum()))):
        assert sum(float(row["y"]) for row in rows if row["series"] == series) == counted
    expected = signed_distribution(weights, mask, math.ceil(3 * weights.numel() ** (1 / 3)))
    assert [float(row["y"]) for row in rows if row["series"] == "kept"] == list(expected.kept)

    box = chart.locator(".js-plotly-plot").bounding_box()
    assert box is not None
    picture = Image.open(io.BytesIO(taken(chart, "picture of pixels")))
    assert picture.size == pytest.approx((2 * box["width"], 2 * box["height"]), abs=3)
    assert len(picture.convert("RGB").getcolors(1 << 20) or []) > 10
    drawing = ElementTree.fromstring(taken(chart, "picture of lines"))
    assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
    assert "weights in a bin" in "".join(drawing.itertext())

    tools.get_by_role("button", name="full screen").press("Enter")
    expect(chart.locator(".js-plotly-plot svg.main-svg").first).not_to_have_attribute("width", str(round(box["width"])))
    wide = screen.still(chart)
    assert wide["width"] > 1200
    tools.get_by_role("button", name="full screen").press("Enter")
    expect(screen.page.locator(".st-key-layer_head")).to_be_visible()
