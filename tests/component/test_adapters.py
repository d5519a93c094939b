from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from streamlit.testing.v1 import AppTest

from explorer.component import anywidget_js, streamlit_js, streamlit_parts_js
from tests.browser import serve
from tests.component.bench import Bench, group

pytest_plugins = ("tests.browser",)
ROOT = Path(__file__).resolve().parents[2]

SCRIPT = """
import json
import streamlit as st
from explorer.component import ListState, dynamic_part, strips_part
from explorer.errors import ExplorerError
from explorer.types import LayerTable, Plan
from explorer.ui.widgets import histogram
from tests.component.bench import group, scores_of
from explorer.component import static_part
from explorer.types import GroupPlan

@st.cache_data
def fixed():
    return static_part(groups, values)

groups = [group("a", 5_000), group("b", 3_000)]
values = {k.name: scores_of(k.n_units) for k in groups}
state = st.session_state
state.setdefault("lines", {})
state.setdefault("told", [])

@st.fragment
def control():
    for event in histogram.new_events("lines_here", lambda error: state.told.append(["refused", error.what, True])):
        state.told.append([event.kind, event.group, event.final])
        state.lines[event.group] = event.value
    planned = [
        GroupPlan(k, int((values[k.name] < state.lines.get(k.name, 0.0)).sum()), state.lines.get(k.name, 0.0), False)
        for k in groups
    ]
    plan = Plan(spec={}, groups=tuple(planned), masks={}, layers=LayerTable(()), asked=0.0, digest="")
    static = fixed()
    histogram.draw(static, dynamic_part(static, plan, ListState(len(state.told))), "lines_here")
    st.code(json.dumps(state.told), language=None)

histogram.bring_parts("lines_here")
control()
"""
MOVE = {"kind": "threshold", "group": "a", "value": 0.02, "mode": "alone", "final": True, "seq": 5}


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_string(SCRIPT, default_timeout=300).run()


def told(app: AppTest) -> list[Any]:
    assert not app.exception
    found: list[Any] = json.loads(app.code[0].value)
    return found


def sent(app: AppTest, *events: dict[str, Any], have: tuple[str, ...] = ()) -> None:
    app.session_state["lines_here"] = {"commit": {"events": list(events), "have": list(have)}}
    app.run()


def data_of(app: AppTest) -> dict[str, Any]:
    found = [element for element in app.main if getattr(element, "type", "") == "bidi_component"]
    carrying = [json.loads(element.proto.json) for element in found if element.proto.json]
    assert len(carrying) == 1
    data: dict[str, Any] = carrying[0]
    return data


def test_each_event_is_given_out_once(app: AppTest) -> None:
    sent(app, MOVE)
    sent(app, MOVE, {**MOVE, "group": "b", "seq": 6})

    assert told(app) == [["threshold", "a", True], ["threshold", "b", True]]


def test_the_answer_names_the_last_event_and_the_large_part_is_not_sent_twice(app: AppTest) -> None:
    first = data_of(app)
    sent(app, MOVE, have=(first["static"]["digest"],))
    second = data_of(app)

    assert len(first["static"]["groups"]) == 2
    assert second["static"] == {"digest": first["static"]["digest"]}
    assert second["dynamic"]["ack"] == 5


def test_a_browser_that_lacks_the_large_part_gets_it_again(app: AppTest) -> None:
    digest = data_of(app)["static"]["digest"]
    sent(app, MOVE, have=(digest,))
    sent(app, have=())

    assert "groups" in data_of(app)["static"]


def test_a_value_no_histogram_sends_is_refused_once(app: AppTest) -> None:
    sent(app, {**MOVE, "kind": "delete"})
    app.run()

    assert [entry[0] for entry in told(app)] == ["refused"]


@pytest.fixture
def real_app(tmp_path: Path) -> Iterator[str]:
    script = tmp_path / "app.py"
    script.write_text(SCRIPT, encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {"port": port, "address": "127.0.0.1", "headless": "true", "fileWatcherType": "none"}
    flags = [f"--server.{name}={value}" for name, value in options.items()]
    command = [sys.executable, "-m", "streamlit", "run", str(script), *flags, "--browser.gatherUsageStats=false"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(300)


def _wait_for(port: int) -> None:
    for _ in range(1200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail("Streamlit did not start.")


@pytest.mark.slow
@pytest.mark.browser
def test_in_streamlit_a_drag_reaches_python_and_the_exact_share_comes_back(chromium_page: Page, real_app: str) -> None:
    sizes: list[int] = []
    chromium_page.on("websocket", lambda ws: ws.on("framereceived", lambda frame: sizes.append(len(frame))))
    chromium_page.goto(real_app)
    handle = chromium_page.get_by_role("slider", name="a")
    handle.wait_for()
    chromium_page.locator(".ph-area").first.scroll_into_view_if_needed()  # waits until it stands still
    area = chromium_page.locator(".ph-area").first.bounding_box()
    assert area is not None
    sizes.clear()

    chromium_page.mouse.move(area["x"], area["y"] + 20)
    chromium_page.mouse.down()
    chromium_page.mouse.move(area["x"] + 0.3 * area["width"], area["y"] + 20, steps=5)
    chromium_page.mouse.up()

    expect(chromium_page.get_by_test_id("stCode")).to_contain_text('["threshold", "a", true]')
    expect(chromium_page.locator(".ph-share").first).not_to_contain_text("≈")
    expect(chromium_page.locator(".ph-share").first).not_to_have_text("0.0%")
    assert max(sizes) < 20_000


STREAMLIT_PAGE = """<!doctype html><link rel="icon" href="data:,"><div id="root"></div><script type="module">
window.sent = [];
const data = await (await fetch("payload.json")).json();
const shadow = document.getElementById("root").attachShadow({ mode: "open" });
const args = { data, parentElement: shadow, setStateValue: (name, value) => window.sent.push([name, value]) };
const { default: draw } = await import("./streamlit.js");
const superseded = draw(args);
const kept = draw(args);
await import("./parts.js");
(await superseded)();
window.leave = await kept;
window.ready = true;
</script>"""
WIDGET_PAGE = """<!doctype html><link rel="icon" href="data:,"><div id="root"></div><script type="module">
const payload = await (await fetch("payload.json")).json();
const listeners = {};
window.model = {
  values: Object.fromEntries(Object.entries(payload).map(([name, part]) => [`_${name}`, part])), saved: 0,
  get: (name) => window.model.values[name],
  set: (name, value) => { window.model.values[name] = value; },
  save_changes: () => { window.model.saved += 1; },
  on: (name, handle) => { listeners[name] = handle; },
  off: (name) => { delete listeners[name]; },
};
window.change = (name, value) => { window.model.values[name] = value; listeners[`change:${name}`](); };
window.listening = () => Object.keys(listeners).length;
const { default: widget } = await import("./widget.js");
window.leave = widget.render({ model: window.model, el: document.getElementById("root") });
window.ready = true;
</script>"""


@pytest.fixture
def bench(chromium_page: Page, tmp_path: Path) -> Iterator[Bench]:
    for name, text in {
        "streamlit.html": STREAMLIT_PAGE,
        "widget.html": WIDGET_PAGE,
        "streamlit.js": streamlit_js(),
        "parts.js": streamlit_parts_js(),
        "widget.js": anywidget_js(),
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with serve(tmp_path) as address:
        bench = Bench(page=chromium_page, folder=tmp_path, address=address, groups=[group("a", 500)])
        (tmp_path / "payload.json").write_text(json.dumps(bench.payload()), encoding="utf-8")
        yield bench


@pytest.mark.browser
def test_streamlit_may_call_early_twice_and_clean_up_late(bench: Bench) -> None:
    bench.page.goto(f"{bench.address}/streamlit.html")
    bench.page.wait_for_function("window.ready")

    bench.thumb("a").press("End")

    assert bench.page.locator(".ph").count() == 1
    assert [name for name, _ in bench.page.evaluate("window.sent")] == ["commit"]
    bench.page.evaluate("window.leave()")
    assert bench.page.locator(".ph").count() == 0


@pytest.mark.browser
def test_in_a_notebook_the_widget_tells_and_hears(bench: Bench) -> None:
    bench.page.goto(f"{bench.address}/widget.html")
    bench.page.wait_for_function("window.ready")
    bench.thumb("a").press("End")
    commit = bench.page.evaluate("model.get('_commit')")

    bench.lines["a"], bench.revision, bench.ack = 0.04, 2, commit["events"][-1]["seq"]
    bench.page.evaluate("value => change('_dynamic', value)", bench.payload()["dynamic"])

    assert commit["events"][-1]["value"] == 1
    assert bench.page.evaluate("[model.saved, model.get('_views')]") == [2, 1]
    assert bench.share("a") == pytest.approx(bench.n_pruned("a") / 500, abs=1e-3)
    bench.page.evaluate("leave()")
    assert bench.page.evaluate("listening()") == 0
    assert bench.page.evaluate("model.get('_views')") == 0
    assert bench.page.locator(".ph").count() == 0
