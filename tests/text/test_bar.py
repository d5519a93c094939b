"""A bar beside long work: it says how far it is, and an interrupt keeps what was measured."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest

import explorer as ex
from explorer.text.bar import BarSteps, text_of, tracked

FIVE = BarSteps("count", 5)


def interrupted(after: int) -> Iterator[int]:
    yield from range(after)
    raise KeyboardInterrupt


def test_the_results_are_the_same_with_and_without_a_bar(capsys: pytest.CaptureFixture[str]) -> None:
    plain = [point.accuracy.value for point in ex.sweep("digits-mlp", ratios=(1, 4), progress=False)]
    assert capsys.readouterr().err == ""
    shown = [point.accuracy.value for point in ex.sweep("digits-mlp", ratios=(1, 4), progress=True)]
    assert shown == plain
    assert "sweep: 2 in 0:0" in capsys.readouterr().err.splitlines()[-1]


def test_an_interrupt_ends_the_work_and_what_was_measured_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(tracked(interrupted(3), FIVE, progress=True)) == [0, 1, 2]
    assert "stopped after 3 of 5; what was measured is kept" in capsys.readouterr().err


def test_without_a_bar_an_interrupt_is_raised() -> None:
    with pytest.raises(KeyboardInterrupt):
        list(tracked(interrupted(3), FIVE, progress=False))


def test_a_script_has_no_bar_and_a_prompt_has_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "IPython", None)
    list(tracked(iter(range(5)), FIVE))
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    list(tracked(iter(range(5)), FIVE))
    assert "count: 5 in 0:00" in capsys.readouterr().err


def test_work_in_work_and_work_in_another_thread_have_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    inner = tracked(iter(range(5)), BarSteps("inner", 5), progress=True)
    list(tracked(inner, BarSteps("outer", 5), progress=True))
    thread = threading.Thread(target=lambda: list(tracked(iter(range(5)), BarSteps("other", 5), progress=True)))
    thread.start()
    thread.join()
    printed = capsys.readouterr().err
    assert "outer: 5" in printed
    assert "inner" not in printed
    assert "other" not in printed


def test_the_time_left_is_what_the_steps_so_far_took() -> None:
    assert text_of(FIVE, 1, 10.0).endswith("1 of 5, 0:40 left")
    assert text_of(FIVE, 0, 10.0).endswith("0 of 5")
    assert text_of(BarSteps("more than expected", 2), 3, 10.0).endswith("3 of 2")
