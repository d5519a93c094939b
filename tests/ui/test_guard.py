"""What stands around the screens: headers of every answer, the visitor's cookie, the quotas of uploads."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.types import Message, Receive, Scope, Send

from explorer.engine.jobs import JobQueue
from explorer.types.stopping import check
from explorer.ui.serving import guard, uploads
from explorer.ui.serving.guard import Guard
from explorer.ui.serving.headers import policy
from explorer.ui.serving.visitors import PRESENT
from explorer.ui.shell import cache
from explorer.workbench.quotas import VARIABLE

PAGE = {"type": "http", "method": "GET", "path": "/", "client": ("192.0.2.7", 5), "headers": []}


async def inner(scope: Scope, receive: Receive, send: Send) -> None:
    """A server that says one header of ours otherwise."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"X-Frame-Options", b"ALLOWALL")]})
    await send({"type": "http.response.body", "body": b"x"})


def answered(scope: Scope) -> tuple[int, dict[str, list[str]], bytes]:
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    asyncio.run(Guard(inner)(scope, receive, send))
    headers: dict[str, list[str]] = {}
    for name, value in messages[0]["headers"]:
        headers.setdefault(name.decode().lower(), []).append(value.decode())
    return messages[0]["status"], headers, messages[1]["body"]


def test_every_answer_forbids_frames_guessing_and_scripts_from_elsewhere() -> None:
    for scope in (PAGE, {**PAGE, "path": "/static/js/index.js"}, {**PAGE, "path": "/media/x"}):
        _, headers, _ = answered(scope)
        assert headers["x-frame-options"] == ["DENY"]
        assert headers["x-content-type-options"] == ["nosniff"]
        assert headers["referrer-policy"] == ["no-referrer"]
        (content,) = headers["content-security-policy"]
        assert content == policy()
    (scripts,) = re.findall(r"script-src ([^;]*)", policy())
    assert "'unsafe-inline'" not in scripts
    assert "'unsafe-eval'" not in scripts
    assert not re.search(r"https?:|\*", policy())


def test_a_page_gives_a_new_visitor_a_cookie_that_no_script_reads_and_keeps_a_valid_one() -> None:
    _, headers, _ = answered(PAGE)
    (cookie,) = headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    sent = [(b"cookie", cookie.partition(";")[0].encode())]
    assert "set-cookie" not in answered({**PAGE, "headers": sent})[1]
    assert "set-cookie" in answered({**PAGE, "headers": sent, "client": ("192.0.2.8", 5)})[1]
    assert "set-cookie" not in answered({**PAGE, "path": "/static/js/index.js"})[1]


def test_uploads_over_what_one_or_all_may_have_are_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    held = {"mine": 0, "theirs": 0}
    monkeypatch.setattr(uploads, "_held", lambda: dict(held))
    monkeypatch.setenv(VARIABLE, json.dumps({"upload_mb": 5, "upload_mb_each": 2}))

    def put(session: str, address: str, megabytes: int) -> tuple[int, bytes]:
        cookie = cookies.setdefault(address, first_cookie(address))
        headers = [(b"cookie", cookie), (b"content-length", str(megabytes * 1_000_000).encode())]
        path = f"/_stcore/upload_file/{session}/file"
        status, _, body = answered({**PAGE, "method": "PUT", "path": path, "headers": headers, "client": (address, 5)})
        held[session] += megabytes * 1_000_000 * (status == 200)
        return status, body

    def first_cookie(address: str) -> bytes:
        return answered({**PAGE, "client": (address, 5)})[1]["set-cookie"][0].partition(";")[0].encode()

    cookies: dict[str, bytes] = {}
    assert put("mine", "192.0.2.7", 2)[0] == 200
    status, body = put("mine", "192.0.2.7", 1)
    assert (status, b"Your uploaded files" in body) == (413, True)
    assert put("theirs", "192.0.2.8", 2)[0] == 200
    held["of somebody"] = 1_000_000
    status, body = put("theirs", "192.0.2.9", 1)
    assert (status, b"of all visitors" in body) == (413, True)
    held["mine"] = 0
    assert put("mine", "192.0.2.7", 1)[0] == 200


def test_an_upload_that_hides_its_length_is_refused() -> None:
    path = "/_stcore/upload_file/session/file"
    assert answered({**PAGE, "method": "PUT", "path": path})[0] == 411


def test_the_launcher_puts_the_guard_around_the_screens() -> None:
    text = Path(__file__).parents[2].joinpath("server.py").read_text(encoding="utf-8")
    assert 'st.App("app.py", middleware=middleware(), lifespan=lifespan)' in text


def test_work_of_a_closed_browser_ends_after_the_grace_and_that_of_one_who_is_back_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def endless() -> Iterator[int]:
        while True:
            check()
            yield 1

    queue = JobQueue(1)
    monkeypatch.setattr(cache, "jobs", lambda: queue)
    monkeypatch.setattr(guard, "GRACE_S", 0.05)
    cookie = answered(PAGE)[1]["set-cookie"][0].partition(";")[0]
    visitor = cookie.partition("=")[2].partition(".")[0]
    scope = {**PAGE, "type": "websocket", "headers": [(b"cookie", cookie.encode())]}
    job = queue.submit("scan", visitor, "scan", endless, 1)

    async def comes_and_goes(*, is_back: bool) -> None:
        await Guard(inner)(scope, no_message, nothing)
        if is_back:
            PRESENT.arrive(visitor)
        await asyncio.sleep(0.2)  # longer than the grace

    asyncio.run(comes_and_goes(is_back=True))
    assert job.active
    PRESENT.leave(visitor)
    asyncio.run(comes_and_goes(is_back=False))
    assert job.wait(60)
    assert job.state == "cancelled"


async def no_message() -> Message:
    return {"type": "websocket.disconnect"}


async def nothing(message: Message) -> None:
    """What is sent to nobody."""
