"""The user's own code that never comes back, wherever it is run: a sentence once its time is over, and no waiting."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from explorer import data, models
from explorer.analysis.costs import refined_costs
from explorer.errors import ExplorerError
from explorer.export.outputs import outputs
from explorer.export.slim import slim_file
from explorer.metrics.latency import latency
from explorer.pruning.plan import plan
from explorer.pruning.spec import PruneSpec
from explorer.recovery.recipe import recover
from explorer.recovery.recipes import one_shot
from explorer.recovery.steps import Finetune
from explorer.types import LoadedModel
from explorer.types.code_limit import Limited
from explorer.types.stopping import Stopped, stoppable

SECONDS = 0.4
FOREVER = threading.Event()


@pytest.fixture(autouse=True)
def let_go() -> Iterator[None]:
    """What a test left waiting ends with it: a step that is left behind holds the lock on random numbers."""
    FOREVER.clear()
    yield
    FOREVER.set()


def stuck(when: Callable[[nn.Module], bool], seconds: float | None = SECONDS) -> LoadedModel:
    """A bundled model whose forward waits for ever where ``when`` says so."""
    model = models.load("digits-cnn")
    assert model.module is not None
    module = copy.deepcopy(model.module)

    def hook(called: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if when(called):
            FOREVER.wait(120)

    module.register_forward_pre_hook(hook)
    return replace(model, module=module, code_seconds=seconds)


def test_whatever_runs_the_code_gives_up_once_its_time_is_over() -> None:
    channels = PruneSpec("out_channel", "lp_norm", "uniform:sparsity=0.5")
    never, training, always = (stuck(when) for when in (lambda m: False, lambda m: m.training, lambda m: True))
    digits, cut = data.load("digits", model=never), plan(never, channels)
    spec = PruneSpec("weight", "lp_norm", "global:sparsity=0.5")
    zeros, recipe = plan(never, spec), one_shot(spec, Finetune(epochs=1))
    assert always.module is not None
    assert always.example is not None
    works: dict[str, Callable[[], object]] = {
        "training": lambda: list(recover(training, recipe, digits)),
        "timing": partial(latency, always.module, always.module, always.example, code_seconds=SECONDS),
        "costs": lambda: list(refined_costs(stuck(after(9)), zeros, pairs=50)),
        "export": lambda: slim_file(always, cut, digits.splits["tune"]),
        "outputs": partial(outputs, always.module, always.example, SECONDS),
    }
    for name, work in works.items():
        began = time.monotonic()
        with pytest.raises(ExplorerError, match="own code did not come back"):
            work()
        assert time.monotonic() - began < 60, name


def after(n: int) -> Callable[[nn.Module], bool]:
    """True from the ``n``-th call on."""
    calls = iter(range(n))
    return lambda module: next(calls, None) is None


def test_what_comes_back_in_time_is_what_it_is_without_a_limit() -> None:
    spec = PruneSpec("weight", "lp_norm", "global:sparsity=0.5")
    free, limited = stuck(lambda m: False, None), stuck(lambda m: False, 60.0)
    digits = data.load("digits", model=free)
    ends = [list(recover(model, one_shot(spec, Finetune(epochs=1)), digits))[-1].recovered for model in (free, limited)]
    assert ends[0] is not None
    assert ends[1] is not None
    assert ends[0].model.digest == ends[1].model.digest

    assert free.module is not None
    assert limited.module is not None
    assert free.example is not None
    for one, other in zip(outputs(free.module, free.example), outputs(limited.module, free.example, 60.0), strict=True):
        assert torch.equal(one, other)


def test_an_error_in_the_code_is_that_error_also_under_a_limit() -> None:
    with Limited(5.0, "A pass") as limited:
        with pytest.raises(ZeroDivisionError):
            limited(lambda: 1 / 0)
        with pytest.raises(TimeoutError, match="its own"):
            limited(partial(_raise, TimeoutError("its own")))
        assert limited(lambda: 7) == 7


def test_work_that_is_stopped_does_not_wait_for_the_code() -> None:
    token = threading.Event()
    threading.Timer(0.2, token.set).start()
    began = time.monotonic()
    with stoppable(token), Limited(60.0, "A pass") as limited, pytest.raises(Stopped):
        limited(lambda: FOREVER.wait(120))
    assert time.monotonic() - began < 10


def _raise(error: Exception) -> None:
    raise error
