"""Headless Chromium for tests. Use it with ``pytest_plugins = ("tests.browser",)`` in a test module.

Without Chromium the tests that need it are skipped, with one loud line; where ``CI`` is set they fail.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
FOREVER_MS = 120_000
expect.set_options(timeout=FOREVER_MS)


def executable() -> str | None:
    """The path of the first browser found."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@cache
def say_loudly(line: str) -> None:
    """One line on the real standard error, once in a process, whatever pytest captures."""
    sys.__stderr__.write(f"\n*** {line} ***\n")  # type: ignore[union-attr]
    sys.__stderr__.flush()  # type: ignore[union-attr]


def needed() -> str:
    """The browser's path; without one the test is skipped, or fails on CI."""
    found = executable()
    if found:
        return found
    line = "NO BROWSER: tests in headless Chromium cannot run. Install chromium to run them."
    if os.environ.get("CI"):
        pytest.fail(line)
    say_loudly(line)
    pytest.skip(line)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for a file of tests."""
    path = needed()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def chromium_page(chromium: Browser) -> Iterator[Page]:
    """A fresh page of 1000 x 900 pixels; an error in its scripts fails the test."""
    context = chromium.new_context(viewport={"width": 1000, "height": 900})
    context.set_default_timeout(FOREVER_MS)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []


class _Quiet(SimpleHTTPRequestHandler):
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".js": "text/javascript"}

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not worth a line each."""


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """The address, on this machine only, of a folder's files."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
