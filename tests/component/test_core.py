from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.component.bench import Bench, group

pytest_plugins = ("tests.browser",)
pytestmark = pytest.mark.browser

Open = Callable[..., Bench]


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
    assert {event["group"] for event in events} == {"a"}
    assert [event["final"] for event in events] == [False] * (len(events) - 1) + [True]
    assert [event["seq"] for event in events] == sorted(event["seq"] for event in events)


def test_the_next_move_waits_until_the_last_one_is_answered(open_bench: Open) -> None:
    bench = open_bench(lines={"a": 0.01})
    x, y, width = bench.press("a")
    for step in range(1, 30):
        bench.page.mouse.move(x + 0.01 * step * width, y)
        bench.drawn()
    assert len(bench.commits()) == 1

    bench.lines["a"] = bench.events()[-1]["value"]
    bench.answer()
    bench.page.wait_for_function("window.sent.length > 1")
    bench.drawn()

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
        ("ArrowUp", 0.51),
        ("ArrowDown", 0.49),
        ("Shift+ArrowRight", 0.501),
        ("Shift+ArrowLeft", 0.499),
        ("PageUp", 0.6),
        ("PageDown", 0.4),
        ("Home", 0.0),
        ("End", 1.0),
    ],
)
def test_a_key_moves_the_line_by_its_share(open_bench: Open, key: str, expected: float) -> None:
    bench = open_bench(group("a", 5_000))
    bench.lines["a"] = float(bench.values["a"].sort().values[2_500])
    bench.answer()

    bench.thumb("a").press(key)

    event = bench.events()[-1]
    assert (event["kind"], event["group"], event["final"]) == ("share", "a", True)
    assert event["value"] == pytest.approx(expected)
    assert bench.share("a") == pytest.approx(expected, abs=5e-4)


def test_control_with_up_and_down_goes_from_layer_to_layer_with_one_tab_stop(open_bench: Open) -> None:
    bench = open_bench()
    bench.thumb("a").focus()

    bench.page.keyboard.press("Control+ArrowDown")

    expect(bench.thumb("b")).to_be_focused()
    assert bench.page.locator('.ph-thumb[tabindex="0"]').count() == 1
    bench.page.keyboard.press("Control+ArrowUp")
    expect(bench.thumb("a")).to_be_focused()
    assert bench.events() == []


def test_the_focused_handle_wears_a_visible_ring(open_bench: Open) -> None:
    bench = open_bench()

    bench.thumb("a").focus()
    bench.page.keyboard.press("Control+ArrowDown")

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
    shown = group("a", 5_000, locked_by="the classifier layer")
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
    assert (event["kind"], event["group"], event["locked"]) == ("lock", "a", True)
    assert event["value"] == pytest.approx(bench.n_pruned("a") / 5_000)
    expect(bench.row("a").locator(".ph-lock")).to_have_attribute("aria-pressed", "true")


def test_a_double_click_resets_the_line(open_bench: Open) -> None:
    bench = open_bench(lines={"a": 0.05})

    bench.thumb("a").dblclick()

    assert [(event["kind"], event["group"]) for event in bench.events()] == [("reset", "a")]
    expect(bench.row("a").locator(".ph-share")).to_have_text("0.0%")
    expect(bench.row("a").locator(".ph-line")).to_have_text("all kept")


def test_limits_are_told_and_hold_the_line_at_once(open_bench: Open) -> None:
    bench = open_bench(lines={"a": 0.02})

    bench.row("a").locator(".ph-more").click()
    most = bench.page.get_by_label("At most")
    most.fill("30")
    most.press("Enter")
    bench.page.keyboard.press("Escape")
    bench.drag("a", 0.5)

    limit = next(event for event in bench.events() if event["kind"] == "limit")
    assert (limit["group"], limit["floor"], limit["cap"]) == ("a", 0, 0.3)
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

    bench.page.get_by_role("radio", name="uniform").click()
    bench.page.get_by_role("radio", name="log").click()

    told = [(event["kind"], event.get("mode"), event.get("scale")) for event in bench.events()]
    assert told == [("mode", "share", None), ("scale", None, "log")]
    assert bars.get_attribute("d") != linear


def test_on_the_log_axis_the_readout_is_exact_too(open_bench: Open) -> None:
    bench = open_bench(lines={"a": 0.01}, more={"scale": "log"})

    bench.drag("a", 0.15)

    value = bench.events()[-1]["value"]
    assert bench.share("a") == pytest.approx(float((bench.values["a"] < value).float().mean()), abs=0.005)


def test_the_plots_are_as_wide_before_the_first_cost_is_known_as_after(open_bench: Open) -> None:
    """A column that came with the first cost would take the handle away from under the pointer."""
    bench = open_bench()
    width = bench.page.locator(".ph-area").first.evaluate("e => e.getBoundingClientRect().width")
    bench.more["expected"] = {"a": "−12.5 pt"}
    bench.answer()
    expect(bench.page.get_by_text("−12.5 pt")).to_be_visible()
    assert bench.page.locator(".ph-area").first.evaluate("e => e.getBoundingClientRect().width") == width


def test_a_slider_out_of_sight_says_its_share_too(open_bench: Open) -> None:
    bench = open_bench(*(group(f"layer{i}", 1_000) for i in range(60)))
    last = bench.page.get_by_role("slider", name="layer59")
    expect(last).to_have_attribute("aria-valuenow", f"{100 * bench.n_pruned('layer59') / 1_000:.1f}")


def test_a_line_stays_where_it_was_put_when_it_is_locked(open_bench: Open) -> None:
    bench = open_bench(group("a", 40))
    bench.drag("a", 0.31)
    put = bench.events()[-1]["value"]
    bench.lines["a"] = float(bench.values["a"][bench.values["a"] >= put].min())  # as the server has it: the lowest kept
    bench.answer()
    words = bench.page.locator('.ph-row[data-group="a"] .ph-line').text_content()
    assert words == f"|w| < {put:.3g}" != f"|w| < {bench.lines['a']:.3g}"
    bench.locked.add("a")
    bench.answer()
    expect(bench.thumb("a")).to_have_attribute("aria-disabled", "true")
    assert bench.page.locator('.ph-row[data-group="a"] .ph-line').text_content() == words
