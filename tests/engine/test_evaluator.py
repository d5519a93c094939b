"""The engine against a plain loop, for every kind of model and every way of running it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.engine.evaluator import Evaluator
from explorer.engine.tracers.exported import exported
from explorer.engine.tracers.symbolic import symbolic
from explorer.errors import ExplorerError
from explorer.pruning.apply import private_shell
from explorer.pruning.tracing import traced
from explorer.types import Evaluation, LoadedModel, Split, tensors_digest
from tests.engine import models
from tests.every import for_each

every_model = for_each("name", list(models.MODELS))

pytestmark = pytest.mark.usefixtures("one_thread_here")


def state(model: LoadedModel) -> str:
    assert model.module is not None
    return tensors_digest(model.module.state_dict())


def same(first: Evaluation, second: Evaluation) -> bool:
    """Bit for bit."""
    assert first.loss is not None
    assert second.loss is not None
    return torch.equal(first.predictions, second.predictions) and first.loss.value == second.loss.value


@every_model
@for_each("fast", [True, False])
def test_an_evaluation_counts_what_a_plain_loop_counts(name: str, fast: bool) -> None:
    model = models.load(name)
    split = models.split(model)
    evaluator = Evaluator(model, split, fast=fast)
    for sparsity in (0.0, 0.3, 0.6, 0.9):
        plan = models.plan(model, sparsity)
        wanted = models.plain_logits(model, plan, split.x)
        found = evaluator.final(plan)
        assert torch.equal(found.predictions, wanted.argmax(dim=1))
        assert found.accuracy.value == (wanted.argmax(dim=1) == split.y).double().mean()
        assert found.loss.value == pytest.approx(float(functional.cross_entropy(wanted, split.y)), rel=1e-4)


@every_model
def test_single_layer_edits_in_any_order_count_what_a_plain_loop_counts(name: str) -> None:
    model = models.load(name)
    split = models.split(model, 200)
    evaluator = Evaluator(model, split)
    base = models.plan(model, 0.4)
    evaluator.final(base)
    matrices = [key for key, weight in model.weights.items() if weight.dim() > 1]
    for key in [*matrices, *reversed(matrices)]:
        for sparsity in (0.2, 0.7):
            edit = models.plan(model, sparsity, only=key)
            plan = replace(base, masks={**base.masks, **edit.masks}, digest=f"{key} {sparsity}")
            wanted = models.plain_logits(model, plan, split.x).argmax(dim=1)
            assert torch.equal(evaluator.final(plan).predictions, wanted)


@every_model
def test_new_values_of_kept_weights_count_and_are_told_apart(name: str) -> None:
    model = models.load(name)
    split = models.split(model)
    evaluator = Evaluator(model, split)
    base = models.plan(model, 0.5)
    changed = next(key for key in reversed(base.masks) if key in model.weights)
    for factor in (1.0, -3.0, 0.25):
        updates = {changed: factor * model.weights[changed]}
        found = evaluator.final(replace(base, updates=updates))
        module = models.MODELS[name]().eval()
        module.load_state_dict({**model.module.state_dict(), **updates}, strict=False)  # type: ignore[union-attr]
        wanted = models.plain_logits(replace(model, module=module), base, split.x)
        assert torch.equal(found.predictions, wanted.argmax(dim=1))
        assert found.loss.value == pytest.approx(float(functional.cross_entropy(wanted, split.y)), rel=1e-4)


@every_model
def test_the_dense_model_and_the_samples_stay_bit_for_bit(name: str) -> None:
    model = models.load(name)
    split = models.split(model)
    before, samples = state(model), split.x.clone()
    Evaluator(model, split).final(models.plan(model, 0.5))
    assert state(model) == before
    assert torch.equal(split.x, samples)


@every_model
def test_four_threads_give_the_bits_that_one_thread_gives(name: str) -> None:
    model = models.load(name)
    split = models.split(model)
    plans = [models.plan(model, share) for share in (0.2, 0.5, 0.8, 0.95)]
    wanted = [Evaluator(model, split, threads=1).final(plan) for plan in plans]
    before = state(model)
    shared = Evaluator(model, split, threads=4)
    found: dict[tuple[int, int], Evaluation] = {}

    def work(worker: int) -> None:
        for turn in range(4):
            which = (worker + turn) % 4
            found[worker, which] = shared.final(plans[which])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 16
    assert all(same(evaluation, wanted[which]) for (_, which), evaluation in found.items())
    assert state(model) == before


@pytest.mark.parametrize("tracer", [symbolic, exported, traced], ids=["engine", "exported", "pruning"])
def test_tracing_in_one_thread_does_not_disturb_evaluations_in_others(
    tracer: Callable[[nn.Module, Tensor], object],
) -> None:
    model = models.load("residual")
    split = models.split(model)
    plan = models.plan(model, 0.5)
    evaluator = Evaluator(model, split)
    wanted = evaluator.final(plan)
    stop = threading.Event()
    failures: list[Exception] = []

    def keep_tracing() -> None:
        while not stop.is_set():
            try:
                tracer(private_shell(model.module), model.example)
            except Exception as error:  # noqa: BLE001 - whatever goes wrong in the thread is a failure here
                failures.append(error)

    threads = [threading.Thread(target=keep_tracing) for _ in range(2)]
    for thread in threads:
        thread.start()
    found = [Evaluator(model, split, memory_limit=0).final(plan) for _ in range(5)]
    stop.set()
    for thread in threads:
        thread.join()
    assert not failures
    assert all(same(evaluation, wanted) for evaluation in found)


def test_results_are_the_same_with_and_without_kept_values() -> None:
    model = models.load("residual")
    split = models.split(model)
    plans = [models.plan(model, 0.5, only="conv3.weight"), models.plan(model, 0.6, only="conv3.weight")]
    ample, none = Evaluator(model, split), Evaluator(model, split, memory_limit=0)
    scarce = Evaluator(model, split, memory_limit=100_000)
    for plan in plans * 2:
        wanted = none.final(plan)
        assert same(ample.final(plan), wanted)
        assert same(scarce.final(plan), wanted)
    assert none.cache.n_bytes == 0
    assert 0 < scarce.cache.n_bytes <= 100_000
    assert ample.cache.n_bytes > 100_000


def test_moving_one_threshold_again_runs_only_what_depends_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    model = models.load("residual")
    evaluator = Evaluator(model, models.split(model), fast=False, threads=1)
    base = models.plan(model, 0.4)
    ran: list[str] = []

    def edited(sparsity: float) -> None:
        ran.clear()
        edit = models.plan(model, sparsity, only="conv3.weight")
        evaluator.final(replace(base, masks={**base.masks, **edit.masks}))

    evaluator.final(base)
    program = evaluator.ready.programs[0]
    step = program._step
    monkeypatch.setattr(
        program, "_step", lambda shell, node, *rest: (ran.append(str(node.target)), step(shell, node, *rest))[1]
    )
    edited(0.5)
    edited(0.6)
    assert "model.conv3" in ran
    assert not {"model.stem.0", "model.conv1", "model.conv2", "model.down.0"} & set(ran)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("residual", "prefix cache, folded"),
        ("mlp", "prefix cache"),
        ("recurrent", "prefix cache"),
        ("attention", "prefix cache"),
        ("branching", "prefix cache (as a whole: part)"),
    ],
)
def test_the_evaluator_names_how_the_model_runs(name: str, path: str) -> None:
    model = models.load(name)
    assert Evaluator(model, models.split(model, 70)).path == path


def test_what_cannot_be_taken_apart_runs_whole_and_says_why() -> None:
    model = models.load("stubborn")
    assert Evaluator(model, models.split(model, 70)).path.startswith("whole: symbolically traced variables")


def test_results_come_progressively_and_the_parts_are_prefixes_of_the_whole() -> None:
    model = models.load("residual")
    evaluations = list(Evaluator(model, models.split(model, 300), batch_size=64).run(models.plan(model, 0.5)))
    assert [e.n for e in evaluations] == [32, 96, 160, 224, 288, 300]
    last = evaluations[-1]
    assert [e.complete for e in evaluations] == [False] * 5 + [True]
    for part in evaluations:
        assert torch.equal(part.predictions, last.predictions[: part.n])
        assert part.accuracy.n == part.n
        assert part.accuracy.low <= part.accuracy.value <= part.accuracy.high
        assert part.drop.low <= part.drop.value <= part.drop.high
    widths = [e.accuracy.high - e.accuracy.low for e in evaluations]
    assert widths[-1] < widths[0]


def test_drop_is_the_difference_of_the_two_accuracies_on_the_same_samples() -> None:
    model = models.load("mlp")
    split = models.split(model)
    evaluator = Evaluator(model, split)
    pruned = evaluator.final(models.plan(model, 0.8))
    dense = evaluator.dense()
    assert pruned.drop.value == pytest.approx(dense.accuracy.value - pruned.accuracy.value)
    assert (dense.drop.value, dense.agreement.value) == (0.0, 1.0)
    assert pruned.agreement.value == (pruned.predictions == dense.predictions).double().mean()
    assert torch.equal(pruned.dense_predictions, dense.predictions)


def test_without_labels_the_model_is_judged_by_agreement_with_the_dense_one() -> None:
    model = models.load("mlp")
    found = Evaluator(model, models.split(model, labelled=False)).final(models.plan(model, 0.8))
    assert found.judged_by == "agreement"
    assert found.loss is None
    assert found.accuracy == found.agreement
    assert found.drop.value == pytest.approx(1 - found.agreement.value)


def test_a_measurement_says_how_many_samples_which_batch_machine_and_date() -> None:
    model = models.load("residual")
    accuracy = Evaluator(model, models.split(model, 100), batch_size=25).dense().accuracy
    assert (accuracy.origin, accuracy.n, accuracy.batch_size) == ("measured", 100, 25)
    assert accuracy.machine
    assert accuracy.date


def test_stopping_early_leaves_the_evaluator_usable() -> None:
    model = models.load("residual")
    evaluator = Evaluator(model, models.split(model))
    plan = models.plan(model, 0.5)
    assert next(evaluator.run(plan)).n == 64
    assert evaluator.final(plan).complete


def test_close_calls_are_decided_by_the_plain_model() -> None:
    model = models.load("residual")
    assert model.module is not None
    with torch.no_grad():  # two classes that always tie, but for the last digits
        model.module.head.weight[1] = model.module.head.weight[0] * (1 + 1e-7)
        model.module.head.bias[1] = model.module.head.bias[0]
    split = models.split(model)
    plan = models.plan(model, 0.3)
    found = Evaluator(model, split).final(plan)
    assert torch.equal(found.predictions, models.plain_logits(model, plan, split.x).argmax(dim=1))


def test_nan_weights_that_are_pruned_are_zero_and_those_that_stay_give_no_interval_for_the_loss() -> None:
    model = models.load("mlp")
    split = models.split(model)
    assert model.module is not None
    with torch.no_grad():
        model.module.last.weight[0, 0] = torch.nan
    mask = torch.ones(5, 32, dtype=torch.bool)
    mask[0, 0] = False
    pruned = replace(models.plan(model, 0.0, only="last.weight"), masks={"last.weight": mask})
    evaluator = Evaluator(model, split)
    assert evaluator.final(pruned).loss.low is not None
    dense = evaluator.dense()
    assert dense.loss.low is None
    assert "not finite" in dense.loss.note


def test_the_default_number_of_torch_threads_is_left_as_it_was() -> None:
    torch.set_num_threads(2)
    model = models.load("mlp")
    Evaluator(model, models.split(model)).dense()
    seen: list[int] = []
    thread = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert (torch.get_num_threads(), seen) == (2, [2])


def test_refusals_say_what_to_do() -> None:
    model = models.load("mlp")
    split = models.split(model)
    weights_only = replace(model, module=None, why_not_runnable="No architecture was given.")
    with pytest.raises(ExplorerError, match="No architecture was given"):
        Evaluator(weights_only, split)
    with pytest.raises(ExplorerError, match="has no samples"):
        Evaluator(model, Split("tune", split.x[:0], split.y[:0]))
    with pytest.raises(ExplorerError, match=r"does not take samples of shape \(1, 9, 9\)"):
        Evaluator(model, Split("tune", torch.zeros(10, 1, 9, 9), split.y[:10])).dense()
    with pytest.raises(ExplorerError, match="classes up to 7"):
        Evaluator(model, Split("tune", split.x, torch.full((300,), 7))).dense()
    stranger = models.plan(models.load("recurrent"), 0.5)
    with pytest.raises(ExplorerError, match=r"gru\.weight_ih_l0"):
        Evaluator(model, split).final(stranger)
