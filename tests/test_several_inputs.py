"""A network with several inputs goes the whole way: criteria, report, scan, removal, files, time, recovery."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.nn.utils import prune

import explorer as ex
from explorer.analysis.costs import refined_costs
from explorer.data.splitting import tensors
from explorer.export.onnx_model import write_onnx
from explorer.export.slim import write_slim
from explorer.metrics.latency import latency
from explorer.metrics.macs import mac_table
from explorer.pruning.apply import private_shell
from explorer.pruning.gathering import gather
from explorer.pruning.spec import PruneSpec
from explorer.types import Dataset, Inputs, InputSet, LoadedModel, Split, SplitName, tensors_digest
from explorer.types.inputs import call
from tests.engine import models

CHANNELS = PruneSpec("out_channel", "lp_norm:p=1", "uniform:sparsity=0.5")
WEIGHTS = PruneSpec("weight", "lp_norm:p=1", "global:sparsity=0.6")


@pytest.fixture(scope="module")
def pair() -> LoadedModel:
    """Loaded as anybody would: with a tuple as example."""
    made = models.load("pair")
    assert made.module is not None
    example = models.samples("pair", 2)
    assert isinstance(example, InputSet)
    return ex.load(made.module, example=example.args, name="pair")


@pytest.fixture(scope="module")
def data() -> Dataset:
    model = models.load("pair")
    whole = models.split(model, 180)
    assert whole.y is not None
    names: tuple[SplitName, ...] = ("fit", "tune", "test")
    at = {name: slice(60 * i, 60 * i + 60) for i, name in enumerate(names)}
    parts = {name: Split(name, whole.x[part], whole.y[part]) for name, part in at.items()}
    return Dataset("pairs", parts, tuple("abcde"), tensors_digest(tensors(parts)))


def test_the_digest_of_data_depends_on_every_input(data: Dataset) -> None:
    x = data.splits["fit"].x
    assert isinstance(x, InputSet)
    other = InputSet((x.args[0], x.args[1] + 1))
    for changed in (other, InputSet((x.args[0] + 1, x.args[1])), InputSet((x.args[0],), {"numbers": x.args[1]})):
        digests = [tensors_digest(tensors({"fit": Split("fit", inputs, None)})) for inputs in (x, changed)]
        assert digests[0] != digests[1]


def test_a_report_says_the_accuracy_of_a_plain_loop_and_how_the_model_ran(pair: LoadedModel, data: Dataset) -> None:
    report = ex.evaluate(pair, WEIGHTS, data)
    pruned = ex.masked(pair, report.plan).module
    tune = data.splits["tune"]
    with torch.no_grad():
        answers = call(pruned, tune.x).argmax(dim=1)  # type: ignore[attr-defined]
    assert report.accuracy is not None
    assert report.accuracy.value == float((answers == tune.y).double().mean())
    assert report.to_json()["runs_as"].startswith("prefix cache")


def test_a_scan_counts_what_masking_one_layer_alone_counts(pair: LoadedModel, data: Dataset) -> None:
    tune = data.splits["tune"]
    assert pair.module is not None
    for cell in ex.scan(pair, data, WEIGHTS, levels=(0.5,), mode="exact"):
        shell = private_shell(pair.module)
        pruned = shell.get_submodule(cell.group)
        prune.l1_unstructured(pruned, "weight", amount=cell.n_pruned)
        with torch.no_grad():
            answers = call(shell, tune.x).argmax(dim=1)  # type: ignore[attr-defined]
        assert cell.accuracy.value == float((answers == tune.y).double().mean()), cell.group


def test_gradients_and_squared_gradients_are_those_of_autograd(pair: LoadedModel, data: Dataset) -> None:
    evidence = gather(pair, PruneSpec("weight", "gradient:n_samples=60").criterion, data)
    squares = gather(pair, PruneSpec("weight", "fisher:n_samples=60").criterion, data)
    assert evidence is not None
    assert squares is not None
    module = models.load("pair").module
    assert module is not None
    module.requires_grad_(True)
    fit = data.splits["fit"]
    assert fit.y is not None
    of_each = []
    for place in range(60):
        module.zero_grad()
        functional.cross_entropy(call(module, fit.x[place : place + 1]), fit.y[place : place + 1]).backward()  # type: ignore[arg-type,no-untyped-call]
        of_each.append(module.get_parameter("numbers.weight").grad)
    each = torch.stack([gradient.clone() for gradient in of_each if gradient is not None])
    batches = [batch["numbers.weight"] for batch in evidence.kinds["gradients"]]
    assert torch.allclose(batches[0], each[:8].mean(dim=0), atol=1e-6)
    (kind,) = squares.kinds
    assert torch.allclose(squares.field(kind)["numbers.weight"].float(), each.square().mean(dim=0), atol=1e-6)


def test_multiplications_are_counted_by_hand(pair: LoadedModel) -> None:
    table = mac_table(pair)
    by_hand = {"picture.weight": 4 * 9 * 64, "numbers.weight": 7 * 64, "middle.weight": 5 * 64 * 32, "last.weight": 160}
    assert {name: table.of(name) for name in table.uses if name.endswith("weight")} == by_hand


@pytest.mark.slow
def test_the_removal_of_channels_computes_what_the_masks_compute(
    pair: LoadedModel, data: Dataset, tmp_path: Path
) -> None:
    plan = ex.plan(pair, CHANNELS)
    assert plan.n_pruned
    small = ex.sliced(pair, plan).module
    x = data.splits["tune"].x
    with torch.no_grad():
        full, cut = call(ex.masked(pair, plan).module, x), call(small, x)
    assert torch.allclose(full, cut, atol=1e-5)  # type: ignore[arg-type]
    written = write_slim(pair, plan, tmp_path / "pair.safetensors", split=data.splits["tune"])
    assert written.proof.ok
    again = ex.load(str(tmp_path / "pair.safetensors"))
    assert isinstance(again.example, InputSet)
    assert again.module is not None
    assert isinstance(x, InputSet)
    with torch.no_grad():
        assert torch.allclose(again.module(*x.args), cut, atol=1e-5)  # type: ignore[arg-type]


@pytest.mark.slow
def test_its_onnx_file_answers_like_the_model(pair: LoadedModel, data: Dataset, tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    plan = ex.plan(pair, WEIGHTS)
    tune = data.splits["tune"]
    write_onnx(pair, plan, tmp_path / "pair.onnx", split=tune)
    session = onnxruntime.InferenceSession(str(tmp_path / "pair.onnx"), providers=["CPUExecutionProvider"])
    assert isinstance(tune.x, InputSet)
    fed = {given.name: x.numpy() for given, x in zip(session.get_inputs(), tune.x.args, strict=True)}
    (answers,) = session.run(None, fed)
    with torch.no_grad():
        expected = call(ex.masked(pair, plan).module, tune.x)
    np.testing.assert_allclose(answers, expected, atol=1e-4)  # type: ignore[arg-type]


def test_time_and_memory_of_both_forms_are_measured(pair: LoadedModel) -> None:
    plan = ex.plan(pair, CHANNELS)
    *_, costs = refined_costs(pair, plan, pairs=5, batch=2)
    assert costs.latency.dense.value > 0
    assert costs.form == "sliced"
    assert pair.module is not None
    assert pair.example is not None
    assert latency(pair.module, pair.module, pair.example, pairs=5, batch=3).batch == 3


def test_recovery_trains_on_all_inputs_and_keeps_what_is_pruned_at_zero(pair: LoadedModel, data: Dataset) -> None:
    tuning = ex.recipes.tuning_for(pair, data, epochs=2)
    *_, last = ex.recover(pair, ex.recipes.one_shot(WEIGHTS, tuning), data)
    assert last.recovered is not None
    model, masks = last.recovered.model, last.recovered.state.masks
    assert all(not bool(model.weights[name][~mask].any()) for name, mask in masks.items())
    assert any(not torch.equal(model.weights[name], pair.weights[name] * mask) for name, mask in masks.items())
    tune = data.splits["tune"]
    assert model.module is not None
    with torch.no_grad():
        answers = call(model.module, tune.x).argmax(dim=1)  # type: ignore[attr-defined]
    assert last.accuracy is not None
    assert last.accuracy.value == float((answers == tune.y).double().mean())


def test_data_at_hand_keep_every_input_with_its_own_targets() -> None:
    x = models.samples("words", 90)
    assert isinstance(x, InputSet)
    y = x.named["ids"][:, 0] % 5
    module = models.load("words").module
    assert module is not None
    model = ex.load(module, example=dict(x.named))
    for given in ((dict(x.named), y), {"fit": (dict(x.named), y), "tune": (x[:30], y[:30])}):
        loaded = ex.load_data(given, model=model)
        tune = loaded.splits["tune"]
        assert isinstance(tune.x, InputSet)
        assert tune.y is not None
        assert torch.equal(tune.x.named["ids"][:, 0] % 5, tune.y)
        assert torch.equal(tune.x.named["mask"], (tune.x.named["ids"] > 4) | (torch.arange(6) == 0))
        assert ex.evaluate(model, WEIGHTS, loaded).accuracy is not None


def test_inputs_by_name_open_from_a_dict() -> None:
    module = models.load("words").module
    assert module is not None
    x = models.samples("words", 50)
    assert isinstance(x, InputSet)
    model = ex.load(module, example=dict(x.named))
    example: Inputs | None = model.example
    assert isinstance(example, InputSet)
    assert list(example.named) == ["ids", "mask"]
