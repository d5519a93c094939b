from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from explorer.component import strips_part
from tests.browser import serve
from tests.component.bench import Bench, knob

pytest_plugins = ("tests.browser",)
pytestmark = pytest.mark.browser

Open = Callable[..., Bench]


@pytest.fixture
def open_bench(chromium_page: Page, tmp_path: Path) -> Iterator[Open]:
    with serve(tmp_path) as address:

        def opened(*knobs: Any, **more: Any) -> Bench:
            shown = list(knobs) or [knob("a", 5_000), knob("b", 3_000), knob("c", 64, block="head")]
            bench = Bench(page=chromium_page, folder=tmp_path, address=address, knobs=shown, **more)
            bench.open()
            return bench

        yield opened


def test_the_readout_follows_the_pointer_before_any_answer(open_bench: Open) -> None:
    bench = open_bench(lines={"a": 0.02})
    before = bench.share("a")

    x, y, width = bench.press("a")
    bench.page.mouse.move(x + 0.2 * width, y)

    value = bench.events()[-1]["value"]
    exact = float((bench.values["a"] < value).float().mean())
    assert bench.share("a") > before + 0.1
    assert bench.share("a") == pytest.approx(exact, abs=0.005)
    expect(bench.page.locator(".ph-total")).to_contain_text("≈")


def test_a_drag_streams_moves_and_ends_with_a_final_one(open_bench: Open) -> None:
    bench = open_bench(lines={"a": 0.02})

    bench.drag("a", 0.3)

    events = bench.events()
    assert {event["kind"] for event in events} == {"threshold"}
    assert {event["knob"] for event in events} == {"a"}
    assert [event["final"] for event in events] == [False] * (len(events) - 1) + [True]
    assert [event["seq"] for event in events] == sorted(event["seq"] for event in events)


def test_the_next_move_waits_until_the_last_one_is_answered(open_bench: Open) -> None:
    bench = open_bench(lines={"a": 0.01})
    x, y, width = bench.press("a")
    for step in range(1, 30):
        bench.page.mouse.move(x + 0.01 * step * width, y)
        bench.page.wait_for_timeout(10)
    assert len(bench.commits()) == 1

    bench.lines["a"] = bench.events()[-1]["value"]
    bench.answer()
    bench.page.wait_for_timeout(200)

    assert len(bench.commits()) == 2
    at_rest = bench.events()[-1]["value"]
    bench.page.mouse.up()
    assert bench.events()[-1] == {**bench.events()[-1], "value": at_rest, "final": True}


def test_exact_numbers_replace_the_estimate_after_the_answer(open_bench: Open) -> None:
    bench = open_bench(lines={"a": 0.02})
    bench.drag("a", 0.25)
    bench.lines["a"] = bench.events()[-1]["value"]

    bench.answer()

    n = bench.n_pruned("a")
    expect(bench.row("a").locator(".ph-share")).to_have_text(f"{100 * n / 5_000:.1f}%")
    expect(bench.page.locator(".ph-total")).to_contain_text(f"{n:,} of 8,064 weights")
    expect(bench.page.locator(".ph-total")).not_to_contain_text("≈")


def test_a_server_value_is_not_taken_while_a_line_is_held(open_bench: Open) -> None:
    bench = open_bench(lines={"a": 0.02})
    x, y, width = bench.press("a")
    bench.page.mouse.move(x + 0.3 * width, y, steps=4)
    held = bench.thumb("a").bounding_box()

    bench.lines["a"] = 0.001
    bench.answer()

    assert bench.thumb("a").bounding_box() == held
    bench.page.mouse.up()
    bench.answer()
    expect(bench.thumb("a")).to_have_attribute("aria-valuetext", _spoken(bench, "a", "0.00100"))


def test_a_revision_that_was_seen_is_not_taken_again(open_bench: Open) -> None:
    bench = open_bench(lines={"a": 0.05})
    before = bench.share("a")
    bench.lines["a"] = 0.001

    bench.answer(new=False)
    assert bench.share("a") == before
    bench.answer(new=True)

    assert bench.share("a") == pytest.approx(bench.n_pruned("a") / 5_000, abs=0.001)


def _spoken(bench: Bench, name: str, line: str) -> str:
    share = 100 * bench.n_pruned(name) / len(bench.values[name])
    return f"threshold {line}, {share:.1f} percent of weights pruned"


def test_a_slider_says_its_layer_its_share_and_its_threshold(open_bench: Open) -> None:
    bench = open_bench(lines={"a": 0.0599})

    thumb = bench.thumb("a")

    expect(thumb).to_have_attribute("aria-label", "a")
    expect(thumb).to_have_attribute("aria-valuetext", _spoken(bench, "a", "0.0599"))
    expect(thumb).to_have_attribute("aria-valuenow", f"{100 * bench.n_pruned('a') / 5_000:.1f}")
    assert [thumb.get_attribute(f"aria-value{end}") for end in ("min", "max")] == ["0", "100"]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("ArrowRight", 0.51),
        ("ArrowLeft", 0.49),
        ("Shift+ArrowRight", 0.501),
        ("Shift+ArrowLeft", 0.499),
        ("PageUp", 0.6),
        ("PageDown", 0.4),
        ("Home", 0.0),
        ("End", 1.0),
    ],
)
def test_a_key_moves_the_line_by_its_share(open_bench: Open, key: str, expected: float) -> None:
    bench = open_bench(knob("a", 5_000))
    bench.lines["a"] = float(bench.values["a"].sort().values[2_500])
    bench.answer()

    bench.thumb("a").press(key)

    event = bench.events()[-1]
    assert (event["kind"], event["knob"], event["final"]) == ("share", "a", True)
    assert event["value"] == pytest.approx(expected)
    assert bench.share("a") == pytest.approx(expected, abs=5e-4)


def test_up_and_down_go_from_layer_to_layer_with_one_tab_stop(open_bench: Open) -> None:
    bench = open_bench()
    bench.thumb("a").focus()

    bench.page.keyboard.press("ArrowDown")

    expect(bench.thumb("b")).to_be_focused()
    assert bench.page.locator('.ph-thumb[tabindex="0"]').count() == 1
    bench.page.keyboard.press("ArrowUp")
    expect(bench.thumb("a")).to_be_focused()
    assert bench.events() == []


def test_the_focused_handle_wears_a_visible_ring(open_bench: Open) -> None:
    bench = open_bench()

    bench.thumb("a").focus()
    bench.page.keyboard.press("ArrowDown")

    assert bench.thumb("b").evaluate("e => getComputedStyle(e).outlineStyle") == "solid"


def test_together_all_unlocked_lines_stand_at_one_value(open_bench: Open) -> None:
    bench = open_bench(lines={"a": 0.02, "b": 0.01, "c": 0.03}, locked={"c"}, more={"mode": "together"})
    locked_before = bench.share("c")

    bench.drag("a", 0.2)

    value = bench.events()[-1]["value"]
    assert bench.events()[-1]["mode"] == "together"
    assert bench.share("b") == pytest.approx(float((bench.values["b"] < value).float().mean()), abs=0.005)
    assert bench.share("c") == locked_before


def test_with_the_same_share_all_unlocked_layers_lose_it(open_bench: Open) -> None:
    bench = open_bench(lines={"a": 0.02}, more={"mode": "share"})

    bench.drag("a", 0.2)

    event = bench.events()[-1]
    assert (event["kind"], event["mode"]) == ("share", "share")
    assert bench.share("b") == pytest.approx(event["value"], abs=1e-3)
    assert bench.share("c") == pytest.approx(event["value"], abs=1 / 64)


def test_alone_no_other_line_moves(open_bench: Open) -> None:
    bench = open_bench(lines={"a": 0.02, "b": 0.02})
    before = bench.share("b")

    bench.drag("a", 0.3)

    assert bench.share("b") == before


def test_a_locked_line_stays_and_says_why(open_bench: Open) -> None:
    shown = knob("a", 5_000, locked_by="the classifier layer")
    bench = open_bench(shown, lines={"a": 0.03}, locked={"a"})
    before = bench.share("a")

    bench.drag("a", 0.3)
    bench.thumb("a").press("End")

    assert bench.share("a") == before
    assert bench.events() == []
    expect(bench.thumb("a")).to_have_attribute("aria-disabled", "true")
    assert "locked: the classifier layer" in (bench.thumb("a").get_attribute("aria-valuetext") or "")
    assert "the classifier layer" in (bench.row("a").locator(".ph-lock").get_attribute("title") or "")


def test_the_lock_button_tells_the_lock_and_the_share_it_holds(open_bench: Open) -> None:
    bench = open_bench(lines={"a": 0.03})

    bench.row("a").locator(".ph-lock").click()

    event = bench.events()[-1]
    assert (event["kind"], event["knob"], event["locked"]) == ("lock", "a", True)
    assert event["value"] == pytest.approx(bench.n_pruned("a") / 5_000)
    expect(bench.row("a").locator(".ph-lock")).to_have_attribute("aria-pressed", "true")


def test_a_double_click_resets_the_line(open_bench: Open) -> None:
    bench = open_bench(lines={"a": 0.05})

    bench.thumb("a").dblclick()

    assert [(event["kind"], event["knob"]) for event in bench.events()] == [("reset", "a")]
    expect(bench.row("a").locator(".ph-share")).to_have_text("0.0%")
    expect(bench.row("a").locator(".ph-line")).to_have_text("all kept")


def test_limits_are_told_and_hold_the_line_at_once(open_bench: Open) -> None:
    bench = open_bench(lines={"a": 0.02})

    bench.row("a").locator(".ph-more").click()
    most = bench.page.get_by_label("Remove at most")
    most.fill("30")
    most.press("Enter")
    bench.page.keyboard.press("Escape")
    bench.drag("a", 0.5)

    limit = next(event for event in bench.events() if event["kind"] == "limit")
    assert (limit["knob"], limit["floor"], limit["cap"]) == ("a", 0, 0.3)
    assert bench.share("a") == pytest.approx(0.3, abs=1e-3)


def test_undo_and_redo_are_buttons_and_keys(open_bench: Open) -> None:
    bench = open_bench(more={"can_undo": True, "can_redo": False})
    expect(bench.page.get_by_role("button", name="Redo")).to_be_disabled()

    bench.page.get_by_role("button", name="Undo").click()
    bench.thumb("a").press("Control+z")

    assert [event["kind"] for event in bench.events()] == ["undo", "undo"]


def test_the_switches_tell_the_mode_and_the_axis(open_bench: Open) -> None:
    bench = open_bench()
    bars = bench.row("a").locator(".ph-kept path")
    linear = bars.get_attribute("d")

    bench.page.get_by_role("radio", name="same share").click()
    bench.page.get_by_role("radio", name="log").click()

    told = [(event["kind"], event.get("mode"), event.get("scale")) for event in bench.events()]
    assert told == [("mode", "share", None), ("scale", None, "log")]
    assert bars.get_attribute("d") != linear


def test_on_the_log_axis_the_readout_is_exact_too(open_bench: Open) -> None:
    bench = open_bench(lines={"a": 0.01}, more={"scale": "log"})

    bench.drag("a", 0.15)

    value = bench.events()[-1]["value"]
    assert bench.share("a") == pytest.approx(float((bench.values["a"] < value).float().mean()), abs=0.005)


def test_a_hostile_name_is_shown_as_the_text_it_is(open_bench: Open) -> None:
    name = "<img src=x onerror=alert(1)>${7*7}"
    bench = open_bench(knob(name, 500, block="<b onclick=alert(2)>x</b>", locked_by="<i>no</i>"))

    assert bench.page.locator(".ph-label").inner_text() == name
    assert bench.page.locator(".ph-title").inner_text() == "<b onclick=alert(2)>x</b>"
    assert bench.page.locator("img, b, .ph i:not(.ph-swatch)").count() == 0


def test_a_layer_that_cannot_be_pruned_says_why_and_has_no_slider(open_bench: Open) -> None:
    bench = open_bench(knob("a", 500), knob("norm", 64, why_not="Normalisation weights stay."))

    expect(bench.row("norm")).to_contain_text("Normalisation weights stay.")
    assert bench.thumb("norm").count() == 0
    expect(bench.page.locator(".ph-total")).to_contain_text("of 500 weights")


def test_of_150_layers_only_those_in_sight_are_drawn(open_bench: Open) -> None:
    bench = open_bench(*(knob(f"layer{i // 10}.{i}", 1_000, block=f"layer{i // 10}") for i in range(150)))
    drawn = bench.page.locator(".ph-kept path[d]")
    at_first = drawn.count()

    bench.row("layer14.149").scroll_into_view_if_needed()
    expect(bench.row("layer14.149").locator(".ph-kept path[d]")).to_have_count(1)

    assert 5 < at_first < 40
    assert drawn.count() < 90


def test_search_and_order_choose_the_rows(open_bench: Open) -> None:
    bench = open_bench(*(knob(f"fc{i}", 100 * (i + 1)) for i in range(7)), knob("conv", 10))
    rows = bench.page.locator(".ph-row:visible")

    bench.page.get_by_label("Order of the layers").select_option("size")
    by_size = rows.locator(".ph-label").all_inner_texts()
    bench.page.get_by_label("Find a layer").fill("CONV")
    found = rows.locator(".ph-label").all_inner_texts()
    bench.page.get_by_label("Find a layer").fill("<none>")

    assert by_size == [f"fc{i}" for i in reversed(range(7))] + ["conv"]
    assert found == ["conv"]
    expect(bench.page.locator(".ph-empty")).to_contain_text("<none>")


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
    bench = open_bench(knob(name, 2_000), knob("b", 2_000), lines={"b": 0.03}, more={"expected": {"b": 0.4}})

    row, area = bench.row("b").bounding_box(), bench.row("b").locator(".ph-area").bounding_box()

    assert row is not None
    assert area is not None
    assert bench.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert area["width"] > 0.85 * row["width"]
    assert bench.row("b").evaluate("e => getComputedStyle(e).touchAction") == "auto"
    assert bench.thumb("b").evaluate("e => getComputedStyle(e).touchAction") == "none"
