"""Code that takes more steps, or more time, than following it is worth is run as a whole."""

from __future__ import annotations

import threading
import time

import pytest
import torch
from torch import Tensor, nn

import explorer as ex
from explorer.engine.evaluator import Evaluator
from explorer.engine.tracers.base import TooLongError
from explorer.engine.tracers.exported import exported
from explorer.engine.tracers.symbolic import symbolic
from explorer.pruning.coupling import coupling
from explorer.types import Split, step_limit
from explorer.types.endless import ended
from explorer.types.stopping import Stopped, stoppable

pytestmark = pytest.mark.usefixtures("one_thread_here")
X, Y = torch.randn(40, 6, generator=torch.Generator().manual_seed(1)), torch.arange(40) % 3


class Looping(nn.Module):
    """More steps than are followed here; its own code catches every exception."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.fc1, self.fc2 = nn.Linear(6, 8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(2_000):
            try:
                x = x * 1.001
            except Exception:  # noqa: BLE001 - what a user's own code may do
                continue
        return self.fc2(self.fc1(x).relu())


class Checking(Looping):
    """It refuses what plain tracing gives it; exporting follows it."""

    def forward(self, x: Tensor) -> Tensor:
        if not isinstance(x, Tensor):
            raise TypeError("numbers are needed")
        return super().forward(x)


def test_code_of_too_many_steps_runs_as_a_whole_with_the_same_numbers_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(step_limit, "MOST_STEPS", 500)
    model = ex.load(Looping(), example=X[:1])
    evaluator = Evaluator(model, Split("tune", X, Y))
    plan = ex.plan(model, ex.PruneSpec("weight", "lp_norm", "global:sparsity=0.5"))

    assert evaluator.path == "whole: its forward takes more than 500 steps"
    assert "takes more than 500 steps" in str(coupling(model).why_not)
    with torch.no_grad():
        right = ex.masked(model, plan).module(X).argmax(1) == Y
    assert evaluator.final(plan).accuracy.value == pytest.approx(float(right.float().mean()))


def test_exporting_ends_at_the_same_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_limit, "MOST_STEPS", 500)

    with pytest.raises(TooLongError, match="500 steps"):
        exported(Checking(), X[:1])


def test_what_takes_too_long_is_given_up_whatever_the_number_of_its_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_limit, "SECONDS", 0.0)

    for tracer in (symbolic, exported):
        with pytest.raises(TooLongError, match="more than 0 s"):
            tracer(Checking() if tracer is exported else Looping(), X[:1])


class Endless(Looping):
    """A network that loops for ever, without a step, where it is given anything but numbers."""

    def forward(self, x: Tensor) -> Tensor:
        while type(x) is not Tensor:
            pass
        return self.fc2(self.fc1(x).relu())


def test_code_that_loops_for_ever_without_a_step_is_ended_and_runs_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_limit, "SECONDS", 0.3)
    model = ex.load(Endless(), example=X[:1])
    evaluator = Evaluator(model, Split("tune", X, Y))

    assert evaluator.path == "whole: following its forward takes more than 0.3 s"
    with torch.no_grad():
        right = Endless().eval()(X).argmax(1) == Y
    dense = evaluator.final(ex.plan(model, ex.PruneSpec()))
    assert dense.accuracy.value == pytest.approx(float(right.float().mean()))


def test_a_stop_ends_code_that_loops_for_ever() -> None:
    token = threading.Event()
    threading.Timer(0.3, token.set).start()
    with stoppable(token), pytest.raises(Stopped):
        symbolic(Endless(), X[:1])


def test_code_that_catches_what_ends_it_once_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_limit, "SECONDS", 0.2)
    caught = []

    class Stubborn(Endless):
        def forward(self, x: Tensor) -> Tensor:
            try:
                return super().forward(x)
            except BaseException as error:  # noqa: BLE001 - what a user's own code may do
                caught.append(error)
                return super().forward(x)

    with pytest.raises(TooLongError, match="more than 0.2 s"):
        symbolic(Stubborn(), X[:1])
    assert caught


def test_nothing_is_thrown_after_the_code_has_come_back() -> None:
    class LateError(BaseException):
        pass

    for _ in range(30):
        try:
            with ended(lambda: LateError):
                ends = time.monotonic() + 0.1  # about when the first look is taken
                while time.monotonic() < ends:
                    pass
        except LateError:
            pass
    n_late, ends = 0, time.monotonic() + 0.5
    while time.monotonic() < ends:
        try:
            time.sleep(0.001)
        except LateError:
            n_late += 1
    assert n_late == 0
