"""A class in real browsers: a teacher and three students through a step and the challenge, and a restart between."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import websockets
from playwright.sync_api import Browser, Page, expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from tests.app.server import started_app
from tests.app.test_axe import LOOKS, axe, faults

pytest_plugins = ("tests.browser",)
pytestmark = [pytest.mark.browser, pytest.mark.slow]

LOCKED = "The teacher reveals the measurement."
IDLE = "[data-test-script-state=notRunning]"
STILL = """() => [...document.querySelectorAll(".stElementContainer, .stVerticalBlock")]
  .every((element) => getComputedStyle(element).opacity === "1" && element.dataset.stale !== "true")"""
PATIENCE_MS = 150_000


class Visitors:
    """Everybody with a browser profile of their own."""

    def __init__(self, browser: Browser) -> None:
        self._browser, self.pages = browser, list[Page]()

    def arrive(self, address: str, **more: Any) -> Page:
        page = self._browser.new_context(**{"viewport": {"width": 900, "height": 900}, **more}).new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(address)
        self.pages.append(page)
        return page

    def join(self, about: dict[str, str]) -> Page:
        page = self.arrive(about["join"])
        button(page, "Join").click()
        expect(page.get_by_text("you are")).to_be_visible()
        expect(page).to_have_url(re.compile("seat="))
        return page

    def close(self) -> None:
        for page in self.pages:
            page.context.close()


def button(page: Page, name: str) -> Any:
    return page.get_by_role("button", name=name, exact=True)


def come_in(page: Page, key: str) -> None:
    page.get_by_text("For the teacher").click()
    page.get_by_label("The teacher's key", exact=True).fill(key)
    button(page, "Come in").click()


def choose(page: Page, name: str) -> None:
    page.get_by_role("combobox", name="All do").click()
    page.get_by_role("option", name=name).click()


def predict(page: Page, guess: str) -> None:
    page.get_by_role("spinbutton").fill(guess)
    page.get_by_role("spinbutton").press("Enter")
    expect(button(page, "Lock my prediction")).to_be_enabled()
    button(page, "Lock my prediction").click()
    expect(page.get_by_text(LOCKED)).to_be_visible()


def garbage(query: str) -> Iterator[bytes | str]:
    """What no browser would send: noise, half a message, and messages that ask for what is not there."""
    noise = random.Random(0)
    yield from (noise.randbytes(n) for n in (1, 17, 4_000, 300_000))
    yield "no bytes, but text"
    message = BackMsg()
    state = message.rerun_script
    state.query_string = f"{query}&seat={'x' * 5_000}"
    state.page_name, state.fragment_id = "no-such-page", "no-such-part"
    state.widget_states.widgets.append(WidgetState(id="no-such-widget", json_value="{" * 10_000))
    whole = message.SerializeToString()
    yield from (whole[: len(whole) // 2], whole)


async def send_garbage(join: str) -> None:
    """As several students at once, each until the server hangs up or all is sent."""
    parts = urlsplit(join)

    async def one() -> None:
        with contextlib.suppress(websockets.ConnectionClosed):
            address = f"ws://{parts.netloc}/_stcore/stream"
            async with websockets.connect(address, subprotocols=["streamlit"], max_size=None) as socket:
                for message in garbage(parts.query):
                    await socket.send(message)

    await asyncio.gather(*(one() for _ in range(3)))


def one_step(teacher: Page, students: list[Page], visitors: Visitors, about: dict[str, str]) -> None:
    """Predict, freeze, reload, come late, reveal."""
    choose(teacher, "Channels count twice")
    for student, guess in zip(students, ("30", "70"), strict=True):
        predict(student, guess)
    expect(teacher.get_by_text("2 of 2 have locked a prediction.")).to_be_visible()
    students[0].reload()
    expect(students[0].get_by_text("Your prediction: 30%")).to_be_visible()
    button(teacher, "Freeze").click()
    late = visitors.join(about)
    expect(late.get_by_text("The class is paused")).to_be_visible()
    late.get_by_role("spinbutton").fill("50")
    late.get_by_role("spinbutton").press("Enter")
    expect(button(late, "Lock my prediction")).to_be_disabled()
    button(teacher, "Go on").click()
    predict(late, "50")
    students.append(late)
    button(teacher, "Reveal").click()
    for student in students:
        expect(student.get_by_text("You said")).to_be_visible()


def one_challenge(teacher: Page, students: list[Page]) -> None:
    """Two settings handed in; the board shows what the server measured."""
    choose(teacher, "The challenge")
    for student, share, shown in zip(students[:2], ("30%", "50%"), ("30.0%", "50.0%"), strict=True):
        button(student, share).click()
        expect(student.locator(".facts > div").nth(2)).to_contain_text(shown)
        button(student, "Hand in").click()
        expect(student.get_by_text("On the hidden split:")).to_be_visible()
    teacher.get_by_role("tab", name="Board").click()
    expect(teacher.get_by_text("Pareto front").first).to_be_visible()


def test_a_class_predicts_pauses_reveals_competes_and_outlives_its_server(chromium: Browser, tmp_path: Path) -> None:
    visitors, class_of = Visitors(chromium), ("--class", "7b", "--port")
    try:
        with started_app(tmp_path, *class_of, "0") as (process, said):
            about = said["class"]
            stranger = visitors.arrive(about["page"])
            come_in(stranger, "AAAA-BBBB-CCCC-DDDD")
            expect(stranger.get_by_text("This is not the teacher's key.")).to_be_visible()
            teacher = visitors.arrive(about["page"])
            come_in(teacher, about["key"])
            expect(button(teacher, "Freeze")).to_be_visible()
            students = [visitors.join(about) for _ in range(2)]
            one_step(teacher, students, visitors, about)
            seats = [student.url for student in students]
            process.send_signal(signal.SIGTERM)
            process.wait(60)
        with started_app(tmp_path, *class_of, str(said["port"])) as (_, again):
            assert again["class"] == {name: value for name, value in about.items() if name != "key"}
            for student, seat in zip(students, seats, strict=True):
                student.goto(seat)
                expect(student.get_by_text("You said")).to_be_visible()
            teacher.goto(about["page"])
            come_in(teacher, about["key"])
            expect(teacher.get_by_text("3 of 3 have locked a prediction.")).to_be_visible()
            one_challenge(teacher, students)
            teacher.get_by_role("tab", name="Data").click()
            button(teacher, "End and erase").click()
            button(teacher, "End the class and erase it").click()
            expect(students[2].get_by_text("The class has ended.")).to_be_visible()
            assert list((tmp_path / "classes").iterdir()) == []
    finally:
        visitors.close()


def faults_of(page: Page, script: str) -> list[str]:
    """Those that stay. What is being drawn anew is paler for a moment, and the page of a class is every other second:
    a fault of the page itself is there each time."""
    hits: list[str] = []
    for look in range(4):
        expect(page.locator(IDLE)).to_have_count(1)
        page.wait_for_function(STILL)
        page.evaluate(script)
        again = faults(page)
        hits = [fault for fault in hits if fault in again] if look else again
        if not hits:
            break
    return hits


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_no_fault_on_the_desk_nor_at_a_students_place(chromium: Browser, tmp_path: Path, look: str) -> None:
    script, (width, scheme) = axe(), LOOKS[look]
    visitors = Visitors(chromium)
    screen = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    try:
        with started_app(tmp_path, "--class", "7b", "--port", "0") as (_, said):
            about, hits = said["class"], {}
            teacher = visitors.arrive(about["page"], **screen)
            come_in(teacher, about["key"])
            expect(button(teacher, "Freeze")).to_be_visible()
            student = visitors.arrive(about["join"], **screen)
            pages = {"desk": teacher, "door": student}
            for name, page in pages.items():
                expect(page.get_by_role("heading", level=2).first).to_be_visible()
                hits[name] = faults_of(page, script)
            button(student, "Join").click()
            choose(teacher, "The challenge")
            expect(button(student, "Hand in")).to_be_visible()
            expect(student.locator(".facts :is(.stale, .bar)")).to_have_count(0)
            student.mouse.move(1, 1)  # off the buttons, whose tooltips stand outside of the page's regions
            expect(student.locator("#stFloatingOverlayPortal > *")).to_have_count(0)
            hits["challenge"] = faults_of(student, script)
            assert {name: lines for name, lines in hits.items() if lines} == {}
    finally:
        visitors.close()


def test_a_student_who_sends_garbage_does_not_disturb_the_class(chromium: Browser, tmp_path: Path) -> None:
    visitors = Visitors(chromium)
    try:
        with started_app(tmp_path, "--class", "7b", "--port", "0") as (process, said):
            about = said["class"]
            teacher, student = visitors.arrive(about["page"]), visitors.join(about)
            come_in(teacher, about["key"])
            choose(teacher, "Channels count twice")
            with ThreadPoolExecutor(1) as own:  # this thread has a loop already, which is the browser's
                own.submit(asyncio.run, send_garbage(about["join"])).result(PATIENCE_MS / 1000)
            predict(student, "70")
            expect(teacher.get_by_text("1 of 1 have locked a prediction.")).to_be_visible()
            late = visitors.join(about)
            predict(late, "30")
            expect(teacher.get_by_text("2 of 2 have locked a prediction.")).to_be_visible()
            assert process.poll() is None
    finally:
        visitors.close()
