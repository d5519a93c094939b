from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import explorer as ex
from explorer.analysis.search.search import search
from explorer.analysis.sensitivity.scan import scan
from explorer.analysis.tradeoff import sweep
from explorer.engine.evaluator import Evaluator
from explorer.export import clean
from explorer.export.onnx_int8 import Int8Runtime
from explorer.export.slim import proven
from explorer.pruning.spec import PruneSpec
from explorer.recovery.activation_threshold import skipping
from explorer.recovery.grid import GridChoices, grid
from explorer.recovery.order import orders
from explorer.recovery.steps import Finetune
from explorer.types.stopping import Stopped, Token, carried, check, result, stoppable

Work = Callable[[], Iterator[Any]]
CHANNELS = PruneSpec("out_channel", "lp_norm", "uniform:sparsity=0.4")


class After(Token):
    """A token that is set once it has been looked at ``n`` times; it counts how often it is looked at."""

    def __init__(self, n: float = float("inf")) -> None:
        super().__init__()
        self.n, self.looks = n, 0
        self._counting = threading.Lock()

    def is_set(self) -> bool:
        with self._counting:
            self.looks += 1
            return self.looks > self.n


def kinds() -> dict[str, Work]:
    """Every kind of background work of the app, small."""
    return {**measuring(), **changing()}


def judge_of(of: Any, data: Any) -> Evaluator:
    return Evaluator(of, data.splits["tune"], threads=1)


def measuring() -> dict[str, Work]:
    model, small, spec = ex.load("digits-resnet"), ex.load("digits-cnn"), PruneSpec()
    data = ex.load_data("digits", model=model)

    def curve(request: PruneSpec) -> Work:
        return lambda: sweep(model, request, data, evaluator=judge_of(model, data), ratios=(2.0, 4.0))

    def scanned(request: PruneSpec, mode: Any) -> Work:
        return lambda: scan(model, data, request, mode=mode, evaluator=judge_of(model, data), levels=(0.5, 0.9))

    def searched(request: PruneSpec, budget: str, n: int) -> Work:
        return lambda: search(small, data, request, budget=budget, evaluator=judge_of(small, data), evaluations=n)

    return {
        "scan, exact": scanned(spec, "exact"),
        "scan, verified": scanned(spec, "verified"),
        "scan, estimate": scanned(spec, "estimate"),
        "scan, taylor": scanned(PruneSpec("weight", "taylor"), "exact"),
        "curve": curve(PruneSpec("weight", "random")),
        "curve, obs": curve(PruneSpec("weight", "obs")),
        "curve, channels": curve(PruneSpec("out_channel", "lp_norm", "uniform")),
        "search": searched(spec, "params=0.4", 4),
        "search, latency": searched(PruneSpec("out_channel"), "latency=0.8", 2),
        "skipped activations": lambda: skipping(model, data, shares=(0.5,), evaluator=judge_of(model, data)),
    }


def changing() -> dict[str, Work]:
    model, small, training = ex.load("digits-resnet"), ex.load("digits-cnn"), Finetune(epochs=2)
    data = ex.load_data("digits", model=model)
    pruned = PruneSpec("weight", "lp_norm", "global:sparsity=0.8")
    recipe = ex.recipes.one_shot(pruned, training, refresh=True)

    def files() -> Iterator[Any]:
        judge = judge_of(model, data)
        runtime = Int8Runtime(data, judge)
        return grid(
            model, PruneSpec(), data, GridChoices(shares=(0.5,), forms=("static",)), runtime=runtime, evaluator=judge
        )

    return {
        "training": lambda: ex.recover(model, recipe, data, evaluator=judge_of(model, data)),
        "grid, int8 files": files,
        "orders": lambda: orders(small, pruned, data, bits=4, training=training, evaluator=judge_of(small, data)),
        "removal and proof": lambda: iter([proven(model, ex.plan(model, CHANNELS), data.splits["tune"])]),
    }


@pytest.mark.slow
@pytest.mark.parametrize("kind", kinds())
def test_every_kind_of_job_ends_at_the_look_after_the_stop(kind: str) -> None:
    whole = After()
    with stoppable(whole):
        for _ in kinds()[kind]():
            pass
    stopped = After(whole.looks // 2)

    with stoppable(stopped), pytest.raises(Stopped):
        for _ in kinds()[kind]():
            pass

    assert whole.looks >= 20, "long loops between two looks"
    assert stopped.looks - stopped.n <= 4  # each thread that works for it, and whoever waits for these, looks once


def test_a_process_that_was_started_is_gone_after_the_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def popen(*args: Any, **kwargs: Any) -> Any:
        started.append(real(*args, **kwargs))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", popen)

    with stoppable(After(2)), pytest.raises(Stopped):
        clean.in_folder([sys.executable, "-c", "import time; time.sleep(600)"], tmp_path, {})

    assert [process.poll() is not None for process in started] == [True]


def test_work_in_another_thread_stops_with_the_work_that_handed_it_over() -> None:
    token, at_work = Token(), threading.Event()

    def endless() -> None:
        while True:
            at_work.set()
            check()

    with ThreadPoolExecutor(1) as pool:
        with stoppable(token):
            future = pool.submit(carried(endless))
        assert at_work.wait(60)
        token.set()

        assert isinstance(future.exception(timeout=60), Stopped)


def test_whoever_waits_for_a_thread_that_never_looks_is_free_after_the_stop() -> None:
    with stoppable(After(3)), pytest.raises(Stopped):
        result(Future())


def test_the_errors_of_another_thread_come_out_as_they_are() -> None:
    future: Future[int] = Future()
    future.set_exception(TimeoutError("its own"))

    with stoppable(Token()), pytest.raises(TimeoutError, match="its own"):
        result(future)


def test_work_is_stopped_by_its_own_token_and_only_inside() -> None:
    token = After(0)
    with stoppable(token), pytest.raises(Stopped):
        check()

    check()  # the token is set, but this is not its work

    assert token.looks == 1
