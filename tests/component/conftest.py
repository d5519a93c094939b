from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser import serve
from tests.component.bench import Bench, knob

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
