"""ONNX files are checked by onnx and answer in ONNX Runtime as the model does in torch."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from explorer import data, models
from explorer.errors import ExplorerError
from explorer.export import onnx_process as onnx_module
from explorer.export.graph import describe_graph
from explorer.export.onnx_model import onnx_file
from explorer.export.onnx_process import convert
from explorer.export.outputs import apart, in_order, judging_inputs, outputs
from explorer.export.slim import proven
from explorer.pruning.apply import masked
from explorer.pruning.plan import plan
from explorer.pruning.spec import PruneSpec
from tests.every import for_each
from tests.export.made import CHANNELS, cut_in_half
from tests.export.test_zoo import CUT, smaller

from zoo import model_of  # isort: skip

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

HALF = PruneSpec("weight", "lp_norm", "global:sparsity=0.5")


def test_a_true_removal_is_proven_in_six_ways() -> None:
    model = models.load("digits-resnet")
    ours = plan(model, CHANNELS)
    split = data.load("digits", model=model).splits["tune"]
    proof = proven(model, ours, split).proof
    assert [(c.name, c.ok) for c in proof.checks] == [
        (f"{what}{where}", True)
        for where in ("", "_reopened", "_onnx")
        for what in ("same_outputs", "same_predictions")
    ]
    assert (proof.n, proof.ok) == (450, True)
    assert json.loads(json.dumps(proof.to_json(), allow_nan=False))["checks"][1]["value"] == 0


@pytest.mark.slow
@for_each("name", models.samples())
@for_each("form", ["masked", "sliced"])
def test_every_sample_runs_in_onnx_runtime_with_the_same_predictions(name: str, form: str) -> None:
    model = models.load(name)
    ours = plan(model, HALF) if form == "masked" else cut_in_half(model)
    split = data.load(model.data, model=model).splits["tune"]
    content = onnx_file(model, ours, split)
    onnx.checker.check_model(onnx.load_from_string(content), full_check=True)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    expected = masked(model, ours).module(split.x[:450])
    for n in (1, 3, len(expected)):
        (found,) = session.run(["output"], {"input": split.x[:n].numpy()})
        assert abs(found - expected[:n].numpy()).max() <= 1e-4 * expected.abs().max()
        assert (found.argmax(-1) == expected[:n].argmax(-1).numpy()).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["torch encoder", "gated", "cells", "u-net", "two inputs, a dictionary"])
def test_the_onnx_form_of_what_was_cut_answers_the_same(name: str) -> None:
    model = model_of(name)
    inputs = judging_inputs(model, None)
    module = next(m for unit in CUT if (m := smaller(model, unit)) is not None)
    document, tensors = describe_graph(module, model.example)
    content, answers = convert(document, tensors, in_order(inputs))
    assert content
    assert apart(outputs(module, inputs), answers) <= 1e-4


def test_a_converter_that_breaks_takes_nobody_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = onnx_module.in_folder

    def killed(command: list[str], folder: Path, more: dict[str, str]) -> str:
        return real([command[0], "-c", "import os; os.kill(os.getpid(), 9)"], folder, more)

    monkeypatch.setattr(onnx_module, "in_folder", killed)
    model = models.load("digits-mlp")
    with pytest.raises(ExplorerError, match="The converter broke: it ended with status -9"):
        onnx_file(model, plan(model, HALF))
