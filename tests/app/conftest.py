from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.app.screen import Screen
from tests.app.server import REPOSITORY, running_app
from tests.browser import needed

Visit = Callable[..., Screen]
BESIDE = REPOSITORY.parent / "shared" / "data"


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the app may open paths in."""
    return tmp_path_factory.mktemp("allowed")


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[str]:
    """The address of one app for all tests of a process."""
    needed()
    with running_app(tmp_path_factory.mktemp("app"), root=root) as address:
        yield address


@pytest.fixture(scope="session")
def real_data(root: Path) -> Path:
    """ResNet-20 from the wild and 2,000 pictures, where the app may open them."""
    if not (BESIDE / "cifar10-test-2000").is_dir():
        pytest.skip(f"the real checkpoint and its pictures are not at {BESIDE.name} beside the repository")
    shutil.copytree(BESIDE, root / "real")
    return root / "real"


@pytest.fixture
def visit(chromium: Browser, app: str) -> Iterator[Visit]:
    """Makes visitors, each with a browser profile of their own.

    A test fails when a page of theirs complains, or asks anyone but the app for anything.
    """
    screens: list[Screen] = []

    def arrive(width: int = 1316, height: int = 923, **more: Any) -> Screen:
        context = chromium.new_context(viewport={"width": width, "height": height}, **more)
        screens.append(Screen(context.new_page(), app))
        return screens[-1]

    yield arrive
    for screen in screens:
        screen.page.context.close()
    assert [screen.errors for screen in screens if screen.errors] == []
    assert [screen.elsewhere for screen in screens if screen.elsewhere] == []
    assert all(screen.n_requests > 5 for screen in screens)
