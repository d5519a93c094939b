"""Results drawn in the middle of a cell, and as a line where nothing draws."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

import explorer as ex
from explorer.analysis.sensitivity.result import Sensitivity
from explorer.types import TradeOff

MODEL = "digits-mlp"


def test_without_a_notebook_a_result_is_a_line_from_its_parts_or_from_the_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    cells = list(ex.scan(MODEL, levels=(0.5,), progress=False))
    points = list(ex.sweep(MODEL, ratios=(1, 2), progress=False))
    ex.show_sensitivity(iter(cells))
    ex.show_sensitivity(Sensitivity.of(cells))
    ex.show_tradeoff(iter(points), "magnitude")
    ex.show_tradeoff(TradeOff("magnitude", tuple(points)))
    lines = capsys.readouterr().out.splitlines()
    assert lines == [repr(Sensitivity.of(cells))] * 2 + [repr(TradeOff("magnitude", tuple(points)))] * 2


def test_in_a_notebook_the_front_end_draws_it(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[object] = []
    notebook = SimpleNamespace(get_ipython=object, display=SimpleNamespace(display=shown.append))
    monkeypatch.setitem(sys.modules, "IPython", notebook)  # type: ignore[arg-type]
    points = tuple(ex.sweep(MODEL, ratios=(1,), progress=False))
    ex.show_tradeoff(points, "magnitude")
    assert shown == [TradeOff("magnitude", points)]


def test_nothing_to_draw_is_refused() -> None:
    with pytest.raises(ex.ExplorerError, match="no cell"):
        ex.show_sensitivity([])
    with pytest.raises(ex.ExplorerError, match="no point"):
        ex.show_tradeoff([])
