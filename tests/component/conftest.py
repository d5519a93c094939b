from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser import serve
from tests.component.bench import Bench, group

Open = Callable[..., Bench]


@pytest.fixture
def open_bench(chromium_page: Page, tmp_path: Path) -> Iterator[Open]:
    with serve(tmp_path) as address:

        def opened(*groups: Any, **more: Any) -> Bench:
            shown = list(groups) or [group("a", 5_000), group("b", 3_000), group("c", 64, block="head")]
            bench = Bench(page=chromium_page, folder=tmp_path, address=address, groups=shown, **more)
            bench.open()
            return bench

        yield opened
