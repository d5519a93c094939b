"""Edits in groups: the same numbers however they are grouped, in float32 and where bfloat16 helps."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from explorer import data, models
from explorer.engine.cells import evaluate_edits
from explorer.engine.edits import Batch, Edit, Walk
from explorer.engine.evaluator import Evaluator
from explorer.engine.low import LowPrecision, low_precision
from explorer.engine.verified import QuickWalk, VerifiedWalk
from explorer.types import LoadedModel, Split
from tests.engine import models as tiny
from tests.every import for_each

pytestmark = pytest.mark.usefixtures("one_thread_here")


def matrices(model: LoadedModel) -> list[str]:
    return [name for name, weight in model.weights.items() if weight.dim() > 1]


def masks(model: LoadedModel, name: str, sparsity: float) -> dict[str, Tensor]:
    return dict(tiny.plan(model, sparsity, only=name).masks)


def predictions(evaluator: Evaluator, edits: list[Edit], walk: Walk | None = None) -> dict[int, Tensor]:
    updates = evaluate_edits(evaluator, edits, walk=walk)
    return {index: found.predictions for index, found in updates if found.complete}


@for_each("name", list(tiny.MODELS))
def test_logits_are_those_of_the_plain_model_within_a_hair(name: str) -> None:
    model = tiny.load(name)
    split = tiny.split(model, 64)
    ready = Evaluator(model, split).ready
    for parameter in matrices(model):
        (found,) = Walk(ready, 1 << 20).outputs([Batch(0, split.x)], [Edit(ready, masks(model, parameter, 0.5))])
        wanted = tiny.plain_logits(model, tiny.plan(model, 0.5, only=parameter), split.x)
        assert torch.equal(found[0].argmax(dim=1), wanted.argmax(dim=1))
        assert float((found[0] - wanted).abs().max()) <= 1e-4 * float(wanted.abs().max())


def test_an_edit_runs_only_the_steps_that_depend_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny.load("residual")
    split = tiny.split(model, 64)
    ready = Evaluator(model, split, fast=False).ready
    program, ran = ready.programs[0], []
    step = program._step
    monkeypatch.setattr(
        program, "_step", lambda shell, node, *rest: (ran.append(str(node.target)), step(shell, node, *rest))[1]
    )
    walk, batch = Walk(ready, 1 << 24), Batch(0, split.x)
    edits = [Edit(ready, masks(model, "conv3.weight", sparsity)) for sparsity in (0.3, 0.6, 0.9)]
    walk.outputs([batch], edits)
    assert ran.count("model.stem.0") == ran.count("model.conv2") == 1
    assert ran.count("model.conv3") == len(edits)
    ran.clear()
    walk.outputs([batch], [Edit(ready, masks(model, "head.weight", 0.5))])
    assert "model.stem.0" not in ran
    assert ran.count("model.head") == 1


@pytest.mark.parametrize("name", list(tiny.MODELS))
@pytest.mark.parametrize("memory", [1 << 26, 0])
def test_the_dense_model_runs_once_for_a_batch_where_its_values_fit_the_memory(
    name: str, memory: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny.load(name)
    split = tiny.split(model, 150)
    evaluator = Evaluator(model, split, batch_size=50, threads=1)
    edits = [Edit(evaluator.ready, masks(model, parameter, 0.7)) for parameter in matrices(model)]
    wanted = Evaluator(model, split).dense()
    passes: list[object] = []
    dense = Evaluator.dense
    monkeypatch.setattr(Evaluator, "dense", lambda self: (passes.append(self), dense(self))[1])
    for _, found in evaluate_edits(evaluator, edits, walk=Walk(evaluator.ready, memory)):
        assert torch.equal(found.dense_predictions, wanted.predictions[: found.n])
        shares = [(right == split.y[: found.n]).double().mean() for right in (wanted.predictions, found.predictions)]
        if found.complete:
            assert found.drop.value == pytest.approx(float(shares[0] - shares[1]))
    assert bool(passes) == (memory == 0)


def test_what_is_kept_of_the_batches_stays_within_its_bound() -> None:
    model = tiny.load("residual")
    split = tiny.split(model, 300)
    evaluator = Evaluator(model, split, batch_size=50)
    edits = [Edit(evaluator.ready, masks(model, name, 0.7)) for name in matrices(model)]
    ample, scarce = Walk(evaluator.ready, 1 << 30), Walk(evaluator.ready, 150_000)
    wanted, found = predictions(evaluator, edits, ample), predictions(evaluator, edits, scarce)
    assert wanted.keys() == found.keys() == set(range(len(edits)))
    assert all(torch.equal(wanted[i], found[i]) for i in wanted)
    assert (ample.full, scarce.full) == (False, True)
    assert 0 < scarce.n_bytes <= 150_000


def test_an_edit_of_several_parameters_begins_at_the_first_of_them() -> None:
    model = tiny.load("residual")
    split = tiny.split(model, 100)
    evaluator = Evaluator(model, split)
    both = {**masks(model, "conv1.weight", 0.5), **masks(model, "head.weight", 0.5)}
    edit = Edit(evaluator.ready, both)
    program = evaluator.ready.programs[0]
    assert edit.place(program) == Edit(evaluator.ready, masks(model, "conv1.weight", 0.9)).place(program)
    combined = tiny.plan(model, 0.0)
    wanted = tiny.plain_logits(model, type(combined)(**{**vars(combined), "masks": both}), split.x)
    assert torch.equal(predictions(evaluator, [edit])[0], wanted.argmax(dim=1))


def test_an_edit_may_bring_new_values_of_the_weights_it_keeps() -> None:
    model = tiny.load("residual")
    split = tiny.split(model, 100)
    evaluator = Evaluator(model, split)
    cut = masks(model, "conv3.weight", 0.5)
    doubled = {"conv3.weight": 2 * model.weights["conv3.weight"]}
    edits = [Edit(evaluator.ready, cut), Edit(evaluator.ready, cut, lambda: doubled)]
    found = predictions(evaluator, edits)
    plan = tiny.plan(model, 0.5, only="conv3.weight")
    for index, pruned in enumerate((plan, replace(plan, updates=doubled))):
        assert torch.equal(found[index], evaluator.final(pruned).predictions)
    assert not torch.equal(found[0], found[1])


def test_an_edit_that_masks_nothing_is_the_dense_model() -> None:
    model = tiny.load("recurrent")
    evaluator = Evaluator(model, tiny.split(model, 100))
    whole = {name: torch.ones_like(weight, dtype=torch.bool) for name, weight in model.weights.items()}
    found = predictions(evaluator, [Edit(evaluator.ready, {}), Edit(evaluator.ready, whole)])
    dense = evaluator.dense().predictions
    assert torch.equal(found[0], dense)
    assert torch.equal(found[1], dense)


@pytest.mark.parametrize("name", ["digits-cnn", "digits-resnet", "digits-mlp"])
def test_doubtful_samples_run_again_so_that_bfloat16_changes_no_choice(name: str) -> None:
    model = models.load(name)
    evaluator = Evaluator(model, data.load("digits", model=model).splits["test"])
    edits = [Edit(evaluator.ready, masks(model, p, s)) for p in matrices(model) for s in (0.5, 0.8)]
    walk = VerifiedWalk(evaluator.ready, 1 << 28, LowPrecision(evaluator.ready))
    found, wanted = predictions(evaluator, edits, walk), predictions(evaluator, edits)
    assert all(torch.equal(found[i], wanted[i]) for i in wanted)
    audits = [walk.audit(edit) for edit in edits]
    assert all(audit.n >= 0.5 * VerifiedWalk.n_learned for audit in audits)
    assert all(audit.n_equal == audit.n for audit in audits)


def test_quickly_too_hardly_a_choice_is_changed_whatever_else_runs() -> None:
    model = models.load("digits-resnet")
    evaluator = Evaluator(model, data.load("digits", model=model).splits["test"])
    edits = [Edit(evaluator.ready, masks(model, p, s)) for p in matrices(model) for s in (0.5, 0.8)]
    low = LowPrecision(evaluator.ready)
    wanted, found = predictions(evaluator, edits), {}
    for some in (edits, edits[::-1], edits[3:4]):
        walk = QuickWalk(evaluator.ready, 1 << 28, low)
        for index, choices in predictions(evaluator, some, walk).items():
            found.setdefault(edits.index(some[index]), []).append(choices)
    assert sum(int((found[i][0] != wanted[i]).sum()) for i in wanted) <= 1e-3 * len(edits) * len(evaluator.split)
    assert all(torch.equal(again, choices[0]) for choices in found.values() for again in choices)


def test_bfloat16_alone_would_have_changed_some() -> None:
    model = models.load("digits-cnn")
    split = data.load("digits", model=model).splits["test"]
    evaluator = Evaluator(model, split)
    ready, low = evaluator.ready, LowPrecision(evaluator.ready)
    edits = [Edit(ready, masks(model, p, s)) for p in matrices(model) for s in (0.5, 0.7, 0.8, 0.9)]
    wanted = predictions(evaluator, edits)
    changed = 0
    with torch.inference_mode():
        for index, edit in enumerate(edits):
            part = edit.part(low.program)
            known = low.program.advance(Walk(ready, 0)._shell(), split.x, part.frontier, {})
            found = low.run(part, split.x, known, edit.own(low.program, low.module)).argmax(dim=1)
            changed += int((found != wanted[index]).sum())
    assert changed > 0


def test_why_bfloat16_is_not_used_is_said_in_a_sentence() -> None:
    model = tiny.load("residual")
    few = tiny.split(model, 100)
    low, why = low_precision(Evaluator(model, few).ready, few)
    assert low is None
    assert "too few" in why
    whole = tiny.load("stubborn")
    many = Split("tune", torch.randn(1000, 1, 8, 8), None)
    low, why = low_precision(Evaluator(whole, many).ready, many)
    assert low is not None or why.endswith(".")
