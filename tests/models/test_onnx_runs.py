"""An ONNX file that runs: it answers like ONNX Runtime, has named layers, and is pruned into its own graph."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils import prune

import explorer as ex
from explorer import models
from explorer.__main__ import main
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError
from explorer.export.onnx_model import onnx_and_proof
from explorer.pruning.apply import masked
from explorer.pruning.plan import plan
from explorer.pruning.spec import PruneSpec
from explorer.types import LoadedModel
from tests.models.onnx_files import Pictures, Texts, Two, by_runtime, exported, mlp, pictures, tokens

onnx: Any = pytest.importorskip("onnx")
pytest.importorskip("onnx2fx")
pytest.importorskip("onnxruntime")
HALF = PruneSpec("weight", "lp_norm:p=1", "uniform:sparsity=0.5")
NETS = {"pictures": (Pictures, pictures), "mlp": (mlp, pictures), "texts": (Texts, tokens)}


@pytest.fixture(params=["mlp", *(pytest.param(name, marks=pytest.mark.slow) for name in ("pictures", "texts"))])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[LoadedModel, nn.Module, str, Any]:
    """(the model, the module that it was exported from, its path, what makes inputs)."""
    torch.manual_seed(0)
    make, samples = NETS[request.param]
    net = make()
    path = exported(net, samples(2), tmp_path / f"{request.param}.onnx")
    return ex.load(path), net, path, samples


def test_it_answers_like_onnx_runtime_and_has_the_layers_it_was_exported_from(
    opened: tuple[LoadedModel, nn.Module, str, Any], tmp_path: Path
) -> None:
    model, net, path, samples = opened
    module = model.module
    assert module is not None, model.why_not_runnable
    x = samples(7)
    with torch.no_grad():
        assert torch.allclose(module(x), by_runtime(path, x), atol=1e-5)
        assert torch.allclose(module(x), net(x), atol=1e-5)
    theirs, ours = dict(net.named_parameters()), dict(module.named_parameters())
    assert theirs.keys() == ours.keys()
    assert all(torch.equal(ours[name], parameter) for name, parameter in theirs.items())
    kinds = {
        name: type(part) for name, part in module.named_modules() if type(part).__module__.startswith("torch.nn.m")
    }
    assert {type(part) for part in net.modules() if list(part.parameters(recurse=False))} - {Texts} <= {*kinds.values()}
    # Pruned by our plan and by torch alone: the same network.
    half = plan(model, HALF)
    for name, mask in half.masks.items():
        part, _, key = name.rpartition(".")
        prune.custom_from_mask(net.get_submodule(part), key, mask)
    with torch.no_grad():
        expected = net(x)
        assert torch.allclose(masked(model, half).module(x), expected, atol=1e-5)
    # And written into its own graph: ONNX Runtime answers the same.
    content, proof = onnx_and_proof(model, half)
    assert proof.ok
    (tmp_path / "pruned.onnx").write_bytes(content)
    assert torch.allclose(by_runtime(tmp_path / "pruned.onnx", x), expected, atol=1e-5)
    before, after = onnx.load(path), onnx.load(tmp_path / "pruned.onnx")
    assert [n.op_type for n in before.graph.node] == [n.op_type for n in after.graph.node]
    zeros = sum(int((onnx.numpy_helper.to_array(tensor) == 0).sum()) for tensor in after.graph.initializer)
    assert zeros >= half.n_pruned


@pytest.mark.slow
def test_prefixes_are_reused_and_channels_removed_as_in_a_network_written_in_torch(tmp_path: Path) -> None:
    torch.manual_seed(0)
    x = pictures(40)
    model = ex.load(exported(Pictures(), pictures(2), tmp_path / "p.onnx"))
    data = ex.load_data((x, torch.arange(40) % 10), model=model)
    evaluator = Evaluator(model, data.splits["tune"])
    assert evaluator.path.startswith("prefix cache")
    channels = plan(model, PruneSpec("out_channel", "lp_norm:p=1", "uniform:sparsity=0.3"))
    content, proof = onnx_and_proof(model, channels)
    assert proof.ok
    (tmp_path / "smaller.onnx").write_bytes(content)
    with torch.no_grad():
        expected = masked(model, channels).module(x)
    session_output = onnx.load(tmp_path / "smaller.onnx").graph.output[0].name
    smaller = by_runtime(tmp_path / "smaller.onnx", x, session_output)
    assert torch.allclose(smaller, expected, atol=1e-4)
    n_before = sum(t.numel() for t in model.weights.values())
    n_after = sum(
        int(onnx.numpy_helper.to_array(t).size) for t in onnx.load(tmp_path / "smaller.onnx").graph.initializer
    )
    assert n_after < 0.85 * n_before


@pytest.mark.slow
def test_a_file_fixed_to_one_sample_takes_any_number_or_says_why_not(tmp_path: Path) -> None:
    torch.manual_seed(0)
    path = exported(Pictures(), pictures(1), tmp_path / "one.onnx", fixed=True)
    model, x = ex.load(path), pictures(5)
    assert model.module is not None
    with torch.no_grad():
        together = model.module(x)
    assert torch.allclose(together, torch.cat([by_runtime(path, row[None]) for row in x]), atol=1e-5)
    assert any("takes 1 at a time" in repair for repair in model.repairs)
    content, proof = onnx_and_proof(model, plan(model, HALF))
    assert proof.ok
    assert onnx.ModelProto.FromString(content).graph.input[0].type.tensor_type.shape.dim[0].dim_value == 1

    class Mixing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(8, 10)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.fc(x.reshape(8, 8).sum(0, keepdim=True))

    shown = ex.load(exported(Mixing(), pictures(1), tmp_path / "mixing.onnx", fixed=True))
    assert shown.weights.keys() == {"fc.weight", "fc.bias"}
    assert "fixed at 1 sample at a time" in str(shown.why_not_runnable)


@pytest.mark.slow
def test_of_several_outputs_the_one_that_is_measured_is_asked_for_by_name(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = Two().eval()
    path = exported(net, pictures(2), tmp_path / "two.onnx", ("one", "other"))
    asked = ex.load(path)
    assert asked.module is None
    assert "2 outputs (one, other)" in str(asked.why_not_runnable)
    assert {"one.weight", "other.weight"} <= asked.weights.keys()
    x = pictures(3)
    for model in (ex.load(path, output="other"), ex.load(f"{path}#other")):
        assert model.module is not None
        assert model.address == f"{path}#other"
        with torch.no_grad():
            assert torch.allclose(model.module(x), net(x)[1], atol=1e-6)
    with pytest.raises(ExplorerError, match="no output 'third'"):
        ex.load(path, output="third")
    upload = models.open_upload(Path(path).read_bytes(), "two.onnx", "output:one")
    assert upload.module is not None
    assert upload.n_classes == 4


def test_the_command_line_evaluates_and_prunes_an_onnx_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.manual_seed(0)
    path = exported(mlp(), pictures(2), tmp_path / "m.onnx")
    assert main(["prune", path, "--sparsity", "0.5", "-o", str(tmp_path / "half.onnx"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["proof"]["ok"]
    again = ex.load(str(tmp_path / "half.onnx"))
    assert again.module is not None
    zeros = sum(int((w == 0).sum()) for w in again.weights.values())
    assert zeros == report["n_zero_in_all"] == report["n_pruned"]
    assert main(["evaluate", str(tmp_path / "half.onnx"), "--data", "digits", "--json"]) == 0
    accuracy = json.loads(capsys.readouterr().out)["metrics"]["accuracy"]["value"]
    data = ex.load_data("digits", model=again).splits["tune"]
    right = by_runtime(tmp_path / "half.onnx", data.x).argmax(1) == data.y
    assert accuracy == pytest.approx(float(right.double().mean()), abs=1e-9)
