"""Visits without a browser: a page opened by its link, with jobs that end when the test does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
import torch
from safetensors.torch import save_file
from streamlit.testing.v1 import AppTest

from explorer.engine.jobs import JobQueue
from explorer.ui.shell import cache, session
from tests.ui.pages import VISITOR, Open

APP = Path(__file__).parents[2] / "app.py"


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What each download button would give, by its label; made only when asked for, as on the real page."""
    found: dict[str, Any] = {}

    def button(label: str, data: Any, *_: Any, **options: Any) -> bool:
        if not options.get("disabled"):
            found[label] = data
        return False

    monkeypatch.setattr(st, "download_button", button)
    return found


@pytest.fixture
def visit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Open]:
    """Open a page by its link; jobs that the visit began are over when the test is."""
    monkeypatch.setenv("PRUNING_EXPLORER_ROOT", str(tmp_path))
    # Who the visitor is comes from a cookie, and nobody sends one here.
    monkeypatch.setattr(session, "owner", lambda: VISITOR)
    queue = JobQueue()
    monkeypatch.setattr(cache, "jobs", lambda: queue)

    def opened(page: str = "explore", **query: str) -> AppTest:
        at = AppTest.from_file(str(APP), default_timeout=300)
        for name, value in query.items():
            at.query_params[name] = value
        at.run()
        return at if page == "explore" else at.switch_page(f"pages/{page}.py").run()

    yield opened
    for job in queue.of(VISITOR):
        job.cancel()
        job.wait(300)


@pytest.fixture
def own_file(tmp_path: Path) -> str:
    """A checkpoint whose network nobody knows: a matrix, kernels, a bias, a lone number, and a broken layer."""
    torch.manual_seed(0)
    tensors = {
        "encoder.0.weight": torch.randn(12, 7),
        "encoder.0.bias": torch.zeros(12),
        "stem.weight": torch.randn(4, 3, 3, 3),
        "steps": torch.tensor(3),
        "=cmd|'/C calc'!A0": torch.randn(3, 5),
        "broken.weight": torch.tensor([[1.0, float("nan")], [2.0, 3.0]]),
    }
    path = tmp_path / "wild.safetensors"
    save_file(tensors, path)
    return str(path)
