from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from explorer.component import static_part, strips_part
from tests.component.bench import Bench, group

pytest_plugins = ("tests.browser",)
pytestmark = pytest.mark.browser

Open = Callable[..., Bench]


def test_a_hostile_name_is_shown_as_the_text_it_is(open_bench: Open) -> None:
    name = "<img src=x onerror=alert(1)>${7*7}"
    bench = open_bench(group(name, 500, block="<b onclick=alert(2)>x</b>", locked_by="<i>no</i>"))

    expect(bench.page.locator(".ph-label")).to_have_text(name)
    expect(bench.page.locator(".ph-title")).to_have_text("<b onclick=alert(2)>x</b>")
    assert bench.page.locator("img, b, .ph i:not(.ph-swatch)").count() == 0


def test_a_layer_that_cannot_be_pruned_says_why_and_has_no_slider(open_bench: Open) -> None:
    bench = open_bench(group("a", 500), group("norm", 64, why_not="Normalisation weights stay."))

    expect(bench.row("norm")).to_contain_text("Normalisation weights stay.")
    assert bench.thumb("norm").count() == 0
    expect(bench.page.locator(".ph-total")).to_contain_text("of 500 weights")


def test_weights_that_were_zero_already_are_a_hatched_bar_and_named_below(open_bench: Open) -> None:
    bench = open_bench(group("a", 500), group("b", 500))
    expect(bench.page.locator(".ph-note .ph-already")).to_have_count(0)
    bench.values["a"][:300] = 0.0
    bench.static = static_part(bench.groups, bench.values)
    bench.answer()
    bench.drawn()
    heights = bench.page.eval_on_selector_all(".ph-zeros", "bars => bars.map((bar) => bar.offsetHeight)")
    assert heights[0] == 38
    assert heights[1] == 0
    expect(bench.page.locator(".ph-note")).to_contain_text("Already zero.")


def test_of_150_layers_only_those_in_sight_are_drawn(open_bench: Open) -> None:
    bench = open_bench(*(group(f"layer{i // 10}.{i}", 1_000, block=f"layer{i // 10}") for i in range(150)))
    drawn = bench.page.locator(".ph-kept path[d]")
    expect(drawn.nth(5)).to_be_attached()
    at_first = drawn.count()

    bench.row("layer14.149").scroll_into_view_if_needed()
    expect(bench.row("layer14.149").locator(".ph-kept path[d]")).to_have_count(1)

    assert at_first < 40
    assert drawn.count() < 90


def test_search_and_order_choose_the_rows(open_bench: Open) -> None:
    bench = open_bench(*(group(f"fc{i}", 100 * (i + 1)) for i in range(7)), group("conv", 10))
    rows = bench.page.locator(".ph-row:visible")

    bench.page.get_by_label("Order of the layers").select_option("size")
    expect(rows.locator(".ph-label")).to_have_text([*(f"fc{i}" for i in reversed(range(7))), "conv"])
    bench.page.get_by_label("Find a layer").fill("CONV")
    expect(rows.locator(".ph-label")).to_have_text(["conv"])
    bench.page.get_by_label("Find a layer").fill("<none>")

    expect(bench.page.locator(".ph-empty")).to_contain_text("<none>")


def test_a_page_of_a_longer_list_says_so_behind_its_total_and_has_no_search_of_its_own(open_bench: Open) -> None:
    bench = open_bench(*(group(f"fc{i}", 100) for i in range(7)), scope="on this page")

    expect(bench.page.locator(".ph-total")).to_have_text("0.0% pruned 0 of 700 weights on this page")
    expect(bench.page.get_by_label("Find a layer")).to_be_hidden()


def test_a_block_folds(open_bench: Open) -> None:
    bench = open_bench()
    head = bench.page.get_by_role("button", name="head")

    head.click()

    expect(head).to_have_attribute("aria-expanded", "false")
    expect(bench.row("c")).to_be_hidden()
    expect(bench.row("a")).to_be_visible()


def test_a_body_that_was_left_out_is_asked_for_once(open_bench: Open) -> None:
    bench = open_bench()
    payload = bench.payload()
    strips = strips_part({"a": [0.0, 1.0]})

    for _ in range(2):
        bench.page.evaluate("p => instance.update(p)", {**payload, "strips": {"digest": strips["digest"]}})
    asked = bench.commits()
    bench.page.evaluate("p => instance.update(p)", {**payload, "strips": strips})

    assert [commit["events"] for commit in asked] == [[]]
    assert asked[0]["have"] == [bench.static["digest"]]
    expect(bench.row("a").locator(".ph-strip")).to_have_attribute("style", re.compile("linear-gradient"))


def test_mounting_again_updates_and_leaving_cleans_up(open_bench: Open) -> None:
    bench = open_bench()

    bench.page.evaluate("p => { window.mountHere(p) }", bench.payload())
    assert bench.page.locator(".ph").count() == 1
    bench.page.evaluate("instance.destroy()")

    assert bench.page.locator("#root > *").count() == 0


def test_no_request_leaves_the_origin(chromium_page: Page, open_bench: Open) -> None:
    asked: list[str] = []
    chromium_page.on("request", lambda request: asked.append(request.url))

    bench = open_bench()
    bench.drag("a", 0.2)

    assert asked
    assert [url for url in asked if not url.startswith((bench.address, "data:"))] == []


def test_on_a_phone_nothing_sticks_out_and_the_page_still_scrolls(chromium_page: Page, open_bench: Open) -> None:
    chromium_page.set_viewport_size({"width": 390, "height": 800})
    name = "a.very.long.module.path.that.does.not.fit.conv1"
    bench = open_bench(group(name, 2_000), group("b", 2_000), lines={"b": 0.03}, more={"expected": {"b": 0.4}})

    row, area = bench.row("b").bounding_box(), bench.row("b").locator(".ph-area").bounding_box()

    assert row is not None
    assert area is not None
    assert bench.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert area["width"] > 0.85 * row["width"]
    assert bench.row("b").evaluate("e => getComputedStyle(e).touchAction") == "auto"
    assert bench.thumb("b").evaluate("e => getComputedStyle(e).touchAction") == "none"
