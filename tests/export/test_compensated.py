"""Where a pruning gave kept weights new values, every file, every smaller network and every count has them."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from explorer import data, models
from explorer.analysis.sensitivity.scan import scan
from explorer.engine.evaluator import Evaluator
from explorer.export import measured_sizes
from explorer.export.packed import write_bitmask
from explorer.export.script import masks_sha256, write_script
from explorer.export.sizes import file_sizes
from explorer.export.slim import write_slim
from explorer.export.weights import pruned_tensors, write_pruned
from explorer.metrics.size import parameters
from explorer.models.sample import FOLDER
from explorer.pruning.apply import compensated, masked, masked_weights
from explorer.pruning.plan import plan
from explorer.pruning.slicing import largest_difference, sliced
from explorer.pruning.spec import PruneSpec
from explorer.types import Dataset, Evaluation, LoadedModel, Plan, tensors_digest

SPECS = {"weight": "global:sparsity=0.7", "out_channel": "uniform:sparsity=0.5"}


@cache
def made(granularity: str) -> tuple[LoadedModel, Dataset, Plan]:
    model = models.load("digits-cnn")
    digits = data.load("digits", model=model)
    return model, digits, plan(model, PruneSpec(granularity, "obs", SPECS[granularity]), data=digits)  # type: ignore[arg-type]


@cache
def measured(granularity: str) -> Evaluation:
    model, digits, ours = made(granularity)
    return Evaluator(model, digits.splits["tune"], threads=1).final(ours)


def accuracy(module: nn.Module | None, digits: Dataset) -> float:
    split = digits.splits["tune"]
    with torch.inference_mode():
        return float((module(split.x).argmax(1) == split.y).float().mean())  # type: ignore[misc]


@pytest.mark.parametrize("granularity", SPECS)
def test_the_plan_changes_what_it_keeps_and_that_is_worth_it(granularity: str) -> None:
    model, digits, ours = made(granularity)
    assert ours.updates
    assert all(not torch.equal(masked_weights(model, ours)[n], model.weights[n] * ours.masks[n]) for n in ours.updates)
    assert measured(granularity).accuracy.value == pytest.approx(accuracy(masked(model, ours).module, digits))
    bare = plan(model, PruneSpec(granularity, "lp_norm", SPECS[granularity]))  # type: ignore[arg-type]
    assert measured(granularity).accuracy.value > accuracy(masked(model, bare).module, digits) + 0.05


@pytest.mark.slow
@pytest.mark.parametrize("granularity", SPECS)
def test_files_of_weights_open_as_the_model_that_was_measured(granularity: str, tmp_path: Path) -> None:
    model, digits, ours = made(granularity)
    write_pruned(model, ours, tmp_path / "pruned.safetensors")
    write_bitmask(model, ours, tmp_path / "packed.safetensors")
    for name in ("pruned", "packed"):
        again = models.load(str(tmp_path / f"{name}.safetensors"))
        assert accuracy(again.module, digits) == pytest.approx(measured(granularity).accuracy.value)


@pytest.mark.slow
def test_the_smaller_network_is_the_masked_one(tmp_path: Path) -> None:
    model, digits, ours = made("out_channel")
    assert model.example is not None
    assert largest_difference(masked(model, ours).module, sliced(model, ours).module, model.example) < 1e-5
    write_slim(model, ours, tmp_path / "slim.safetensors")
    again = models.load(str(tmp_path / "slim.safetensors"))
    assert accuracy(again.module, digits) == pytest.approx(measured("out_channel").accuracy.value)
    assert json.loads((tmp_path / "slim.arch.json").read_text())["layers"]


@pytest.mark.parametrize("granularity", SPECS)
def test_an_onnx_file_answers_like_the_model_that_was_measured(granularity: str, tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    from explorer.export.onnx_model import write_onnx

    model, digits, ours = made(granularity)
    write_onnx(model, ours, tmp_path / "pruned.onnx")
    session = runtime.InferenceSession(str(tmp_path / "pruned.onnx"), providers=["CPUExecutionProvider"])
    split = digits.splits["tune"]
    (answers,) = session.run(None, {session.get_inputs()[0].name: split.x.numpy()})
    right = torch.from_numpy(answers).argmax(1) == split.y
    assert float(right.float().mean()) == pytest.approx(measured(granularity).accuracy.value)


def test_the_script_carries_the_values_that_it_cannot_compute(tmp_path: Path) -> None:
    model, _, ours = made("weight")
    write_script(model, ours, tmp_path / "prune.py")
    command = [sys.executable, "-I", "prune.py", str(FOLDER / "digits-cnn.safetensors"), "out.safetensors"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["masks_sha256"] == masks_sha256(ours)
    assert tensors_digest(load_file(tmp_path / "out.safetensors")) == tensors_digest(pruned_tensors(model, ours))


@pytest.mark.parametrize("granularity", SPECS)
def test_counted_and_written_sizes_are_of_the_new_values(granularity: str, tmp_path: Path) -> None:
    model, _, ours = made(granularity)
    counted, written = file_sizes(model, ours, compress=True), measured_sizes.measure_sizes(model, ours, tmp_path)
    assert {kind: m.value for kind, m in counted.items()} == {kind: m.value for kind, m in written.items()}
    new: dict[str, Tensor] = {**compensated(model, ours).weights, **masked_weights(model, ours)}
    assert parameters(model, ours)["nonzero"].value == sum(int(t.count_nonzero()) for t in new.values())


def test_a_cell_of_a_scan_is_the_plan_of_its_layer_alone() -> None:
    model, digits, _ = made("weight")
    cells = list(scan(model, digits, PruneSpec("weight", "obs"), levels=(0.8,), layers=("block2.conv2",)))
    alone = PruneSpec("weight", "obs", "per_layer").to_json()
    alone["allocation"]["shares"] = {"block2.conv2": 0.8}
    ours = plan(model, PruneSpec.from_json(alone), data=digits)
    assert list(ours.updates) == ["block2.conv2.weight"]
    assert cells[-1].accuracy.value == pytest.approx(accuracy(masked(model, ours).module, digits))
    bare = plan(model, PruneSpec("weight", "lp_norm", "uniform:sparsity=0.5"))
    assert not bare.updates
