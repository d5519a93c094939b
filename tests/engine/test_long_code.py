"""Code that takes more steps, or more time, than following it is worth is run as a whole."""

from __future__ import annotations

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
