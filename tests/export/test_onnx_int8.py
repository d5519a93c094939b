"""Int8 files are really smaller, answer in ONNX Runtime as was said, and hold zeros where weights were pruned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from explorer import data, models
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError, Refusal
from explorer.export import onnx_int8 as module
from explorer.export.onnx_int8 import (
    INT8_METHODS,
    Int8Method,
    Int8Onnx,
    Int8Runtime,
    evaluation,
    int8_latency,
    int8_onnx,
    speed_sentence,
    why_not_int8,
    write_onnx_int8,
)
from explorer.export.proof import Proof
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.recovery.quantization import quantized_weights
from explorer.types import Dataset, LoadedModel
from tests.export.made import cut_in_half

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

HALF = PruneSpec("weight", "lp_norm", "global:sparsity=0.5")


@pytest.fixture(scope="module")
def mlp() -> LoadedModel:
    return models.load("digits-mlp")


@pytest.fixture(scope="module")
def digits(mlp: LoadedModel) -> Dataset:
    return data.load("digits", model=mlp)


@pytest.fixture(scope="module")
def made(mlp: LoadedModel, digits: Dataset) -> dict[str, Int8Onnx]:
    """Half of the weights pruned, then both forms."""
    return {how: int8_onnx(mlp, make_plan(mlp, HALF), how, data=digits) for how in INT8_METHODS}


def answers(content: bytes, x: torch.Tensor) -> np.ndarray[Any, Any]:
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"input": x.numpy()})
    return np.asarray(found)


def initializers(content: bytes) -> dict[str, np.ndarray[Any, Any]]:
    return {t.name: onnx.numpy_helper.to_array(t) for t in onnx.load_from_string(content).graph.initializer}


@pytest.mark.slow
@pytest.mark.parametrize("how", INT8_METHODS)
def test_the_int8_file_is_smaller_and_its_accuracy_is_that_of_a_session_of_ones_own(
    mlp: LoadedModel, digits: Dataset, made: dict[str, Int8Onnx], how: Int8Method
) -> None:
    split = digits.splits["tune"]
    assert split.y is not None
    found = evaluation(made[how].outputs, split, Evaluator(mlp, split).dense_results())

    assert len(made[how].content) < 0.35 * len(made[how].float_content)
    assert made[how].int8_share == 1.0
    right = answers(made[how].content, split.x).argmax(1) == split.y.numpy()
    assert found.accuracy.value == pytest.approx(right.mean(), abs=1e-9)
    assert found.complete
    with torch.no_grad():
        dense = (mlp.module(split.x).argmax(1) == split.y).double().mean()  # type: ignore[misc]
    assert found.drop.value == pytest.approx(float(dense) - right.mean())


def test_the_static_files_weights_are_the_simulated_ones(mlp: LoadedModel, made: dict[str, Int8Onnx]) -> None:
    plan = make_plan(mlp, HALF)
    content = made["static"].content
    stored = initializers(content)
    theirs = {}
    for node in onnx.load_from_string(content).graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in stored and stored[node.input[0]].ndim == 2:
            values, scales = stored[node.input[0]], stored[node.input[1]]
            axis = next(a.i for a in node.attribute if a.name == "axis")
            theirs[node.input[0]] = values * (scales[:, None] if axis == 0 else scales[None, :])
    ours = {name: t.numpy() for name, t in quantized_weights(mlp, plan).items()}
    assert len(theirs) == len(ours) == 3
    for found, expected in zip(theirs.values(), ours.values(), strict=True):
        expected = expected if found.shape == expected.shape else expected.T
        step = np.abs(expected).max() / 127
        # Numbers halfway between two steps may fall to either side.
        assert np.isclose(found, expected, atol=1e-6).mean() > 0.999
        assert np.abs(found - expected).max() < 1.01 * step
        assert (found[expected == 0] == 0).mean() > 0.999


def test_pruned_weights_are_the_zero_point_in_the_dynamic_file_too(mlp: LoadedModel, made: dict[str, Int8Onnx]) -> None:
    plan = make_plan(mlp, HALF)
    stored = initializers(made["dynamic"].content)
    n_zero = sum(
        int((values == stored[name.replace("_quantized", "_zero_point")]).sum())
        for name, values in stored.items()
        if name.endswith("_quantized") and values.ndim == 2
    )
    assert n_zero >= plan.n_pruned > 0


@pytest.mark.slow
def test_removed_channels_make_the_int8_file_smaller_again() -> None:
    model = models.load("digits-resnet")
    digits = data.load("digits", model=model)
    whole, cut = (
        len(int8_onnx(model, plan, "static", data=digits).content)
        for plan in (make_plan(model, PruneSpec(allocation="uniform:sparsity=0")), cut_in_half(model))  # type: ignore[arg-type]
    )
    assert cut < 0.7 * whole


def test_ranges_are_found_on_the_fit_split_and_without_one_on_generated_inputs(
    mlp: LoadedModel, made: dict[str, Int8Onnx]
) -> None:
    assert "256 samples of the fit split" in made["static"].notes[-1]
    assert "64 generated inputs" in int8_onnx(mlp, make_plan(mlp, HALF), "static").notes[-1]
    assert made["dynamic"].notes == ()


@pytest.mark.parametrize("how", INT8_METHODS)
def test_a_network_of_gru_layers_is_refused_with_the_reason(how: Int8Method) -> None:
    model = models.load("digits-gru")
    with pytest.raises(ExplorerError, match=f"no {how} int8 form of GRU: 98.4% of the weights would stay float"):
        int8_onnx(model, make_plan(model, HALF), how)


def test_an_lstm_has_a_dynamic_form_only() -> None:
    network = nn.LSTM(8, 16, batch_first=True)
    weights = {name: p.detach() for name, p in network.named_parameters()}
    model = LoadedModel("made", network.eval(), weights, "made", example=torch.zeros(1, 4, 8))
    assert why_not_int8(model, "dynamic") is None
    assert "no static int8 form of LSTM" in str(why_not_int8(model, "static"))


def test_without_onnx_the_refusal_says_what_to_install(mlp: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "why_no_onnx", lambda: Refusal("onnxruntime is not installed."))
    with pytest.raises(ExplorerError, match=r"onnxruntime is not installed. Install it: pip install -r"):
        int8_onnx(mlp, make_plan(mlp, HALF), "static")


def test_a_quantiser_that_breaks_is_one_sentence_and_what_was_there_stays(
    mlp: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "a.onnx"
    target.write_bytes(b"before")
    monkeypatch.setattr(module, "run_module", lambda *_: "first line\nKilled")
    with pytest.raises(ExplorerError, match="The quantiser broke: Killed"):
        write_onnx_int8(mlp, make_plan(mlp, HALF), target, "dynamic", force=True)
    assert target.read_bytes() == b"before"


@pytest.mark.slow
def test_the_written_file_has_the_bytes_that_were_said_and_is_not_replaced_unasked(
    mlp: LoadedModel, digits: Dataset, tmp_path: Path
) -> None:
    target, plan = tmp_path / "a.onnx", make_plan(mlp, HALF)
    made = write_onnx_int8(mlp, plan, target, "dynamic", data=digits)
    assert made.n_bytes == target.stat().st_size == len(made.file.content)
    with pytest.raises(ExplorerError, match="is there already"):
        write_onnx_int8(mlp, plan, target, "dynamic", data=digits)


def test_time_is_measured_between_the_two_files(mlp: LoadedModel, made: dict[str, Int8Onnx]) -> None:
    found = int8_latency(made["dynamic"], mlp.example, pairs=10)
    assert (found.runtime, found.total, found.ratio.origin) == ("onnx", 10, "measured")
    assert speed_sentence(found).startswith("Measured: ")


def test_answers_that_are_not_one_for_each_sample_have_no_accuracy(mlp: LoadedModel, digits: Dataset) -> None:
    split = digits.splits["tune"]
    with pytest.raises(ExplorerError, match="one output for each sample"):
        evaluation(
            [torch.zeros(len(split), 10), torch.zeros(len(split), 3)], split, Evaluator(mlp, split).dense_results()
        )


@pytest.mark.slow
def test_a_grid_gets_both_forms_from_one_float_file(
    mlp: LoadedModel, digits: Dataset, made: dict[str, Int8Onnx], monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluator = Evaluator(mlp, digits.splits["tune"])
    runtime, plan, n_exports = Int8Runtime(digits, evaluator, timed=False), make_plan(mlp, HALF), [0]

    def exported(*_: object) -> tuple[bytes, Proof]:
        n_exports[0] += 1
        return made["static"].float_content, made["static"].proof

    monkeypatch.setattr(module, "onnx_and_proof", exported)
    found = {how: runtime(mlp, plan, how) for how in INT8_METHODS}
    assert n_exports == [1]
    assert {how: int(f.size.value) for how, f in found.items()} == {how: len(m.content) for how, m in made.items()}
    assert all(f.size.origin == "measured" and f.latency is None for f in found.values())
    assert all(abs(f.evaluation.drop.value) < 0.05 for f in found.values())
    assert runtime(mlp, make_plan(mlp, PruneSpec()), "dynamic").size.value > 0
    assert n_exports == [2]
