"""A slim model is whole in its file: it opens without the original class and computes the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from explorer import data, models
from explorer.errors import ExplorerError
from explorer.export import slim
from explorer.export.clean import SNIPPET
from explorer.export.graph import describe_graph
from explorer.export.slim import slim_file, write_slim
from explorer.export.weights import write_pruned
from explorer.metrics.filesize import header
from explorer.metrics.size import sizes
from explorer.models.slim.document import read
from explorer.models.slim.network import build
from explorer.pruning.apply import masked
from explorer.pruning.plan import plan
from explorer.pruning.slicing import largest_difference, sliced
from explorer.pruning.spec import PruneSpec
from tests.export.made import CHANNELS, cut_in_half, header_of, random_model, tensors_of

from builders import Attention, Mobile, Padded, Plain, Recurrent, Residual, Tied, loaded  # isort: skip

SAMPLES = models.samples()
HAND_WRITTEN = {c.__name__: c for c in (Plain, Residual, Padded, Mobile)}


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_opens_again_and_answers_like_the_masked_model(name: str, tmp_path: Path) -> None:
    model = models.load(name)
    ours = cut_in_half(model)
    split = data.load(model.data, model=model).splits["tune"]
    written = write_slim(model, ours, tmp_path / "out.safetensors", split=split)
    again = models.load(str(written.weights))
    assert again.module is not None
    full = masked(model, ours).module
    assert largest_difference(full, again.module, split.x) <= 1e-5
    assert torch.equal(full(split.x).argmax(-1), again.module(split.x).argmax(-1))
    shapes = {n: tuple(ours.kept_shapes.get(n, w.shape)) for n, w in model.weights.items()}
    assert {n: tuple(w.shape) for n, w in again.weights.items()} == shapes
    assert (again.data, again.n_classes, again.meta["mean"]) == (model.data, model.n_classes, model.meta["mean"])
    assert written.proof.ok
    assert written.proof.largest_difference <= 1e-5


def test_the_file_is_its_header_and_the_tensors_that_are_left() -> None:
    model = models.load("digits-resnet")
    ours = cut_in_half(model)
    content = slim_file(model, ours)
    length = int.from_bytes(content[:8], "little")
    n_bytes = sum(t.numel() * t.element_size() for t in tensors_of(content).values())
    assert len(content) - 8 - length == n_bytes < sizes(model, ours)["removed"].value
    assert header([]) == (8).to_bytes(8, "little") + b"{}      "


@pytest.mark.parametrize("key", ["cifar-resnet20"])
def test_a_larger_network_goes_through_the_description_and_back(key: str) -> None:
    model = random_model(key)
    small = sliced(model, cut_in_half(model)).module
    assert isinstance(small, torch.fx.GraphModule)
    document, tensors = describe_graph(small, model.example)
    again = build(read(json.loads(json.dumps(document))), tensors)
    x = torch.randn(3, 3, 32, 32)
    assert torch.equal(again(x), small(x))


@pytest.mark.parametrize("name", HAND_WRITTEN)
def test_hand_written_networks_go_through_the_description_and_back(name: str) -> None:
    torch.manual_seed(0)
    model = loaded(HAND_WRITTEN[name](), 1, 8, 8)
    small = sliced(model, cut_in_half(model)).module
    assert isinstance(small, torch.fx.GraphModule)
    document, tensors = describe_graph(small, model.example)
    again = build(read(json.loads(json.dumps(document))), tensors)
    x = torch.randn(3, 1, 8, 8)
    assert torch.equal(again(x), small(x))


@pytest.mark.parametrize(("network", "shape"), [(Recurrent, (6,)), (Attention, (5, 6)), (Tied, (6,))])
def test_recurrent_attending_and_tied_networks_are_described_whole(
    network: type[nn.Module], shape: tuple[int, ...]
) -> None:
    torch.manual_seed(0)
    model = loaded(network(), *shape)
    assert model.module is not None
    document, tensors = describe_graph(torch.fx.symbolic_trace(model.module), model.example)
    again = build(read(json.loads(json.dumps(document))), tensors)
    x = torch.randn(3, *shape)
    assert torch.allclose(again(x), model.module(x), atol=1e-6)
    assert len(dict(again.named_parameters())) == len(dict(model.module.named_parameters()))


class TwoInputs(nn.Module):
    """Two inputs, a slice, a dict as output, a number that is infinite, a fused activation."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(4, 6), nn.Linear(3, 6)
        self.register_buffer("scale", torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))

    def forward(self, x: Tensor, y: Tensor) -> dict[str, Tensor]:
        joined = torch.cat([self.a(x), self.b(y)], dim=1)[:, 1:-1:2] * self.scale[None, 1:]
        return {"low": joined.clamp(max=float("inf"), min=-0.5), "mean": joined.mean(dim=(1,), dtype=torch.float64)}


def test_two_inputs_a_buffer_and_a_dict_of_outputs_are_described() -> None:
    module = TwoInputs().eval()
    example = (torch.randn(1, 4), torch.randn(1, 3))
    document, tensors = describe_graph(torch.fx.symbolic_trace(module), example)
    again = build(read(json.loads(json.dumps(document, allow_nan=False))), tensors)
    x, y = torch.randn(5, 4), torch.randn(5, 3)
    for name, value in module(x, y).items():
        assert torch.equal(again(x, y)[name], value)


class Foreign(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        return torch.linalg.qr(self.fc(x))[0]


def test_a_function_without_a_word_is_refused_by_its_name() -> None:
    with pytest.raises(ExplorerError, match="calls .*qr, which the format has no word for"):
        describe_graph(torch.fx.symbolic_trace(Foreign()), torch.randn(2, 4))


def test_the_documented_lines_run_a_slim_model_in_a_python_that_knows_nothing_of_us(tmp_path: Path) -> None:
    assert SNIPPET.splitlines() == [line[4:] for line in (slim.__doc__ or "").partition("::\n\n")[2].splitlines()]
    model = models.load("digits-resnet")
    ours = cut_in_half(model)
    write_slim(model, ours, tmp_path / "OUT.safetensors")
    x = data.load("digits", model=model).splits["tune"].x[:50]
    save_file({"x": x.contiguous()}, tmp_path / "x.safetensors")
    more = """
        import sys
        from safetensors.torch import save_file
        save_file({"y": model(load_file("x.safetensors")["x"]).detach()}, "y.safetensors")
        sys.exit(any(name.startswith("explorer") for name in sys.modules))
    """
    (tmp_path / "run.py").write_text(SNIPPET + textwrap.dedent(more))
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    subprocess.run([sys.executable, "-I", "run.py"], cwd=tmp_path, env=environment, check=True, timeout=300)
    y = load_file(tmp_path / "y.safetensors")["y"]
    assert largest_difference(masked(model, ours).module, _Answer(y), x) <= 1e-5


class _Answer(nn.Module):
    def __init__(self, y: Tensor) -> None:
        super().__init__()
        self.y = y

    def forward(self, x: Tensor) -> Tensor:
        return self.y


@pytest.mark.slow
def test_a_slim_model_can_be_pruned_and_made_slimmer_again(tmp_path: Path) -> None:
    model = models.load("digits-cnn")
    first = models.load(str(write_slim(model, plan(model, CHANNELS), tmp_path / "a.safetensors").weights))
    second = models.load(str(write_slim(first, plan(first, CHANNELS), tmp_path / "b.safetensors").weights))
    assert second.n_parameters < first.n_parameters < model.n_parameters
    assert [k.group.name for k in plan(first, CHANNELS).groups] == [k.group.name for k in plan(model, CHANNELS).groups]
    assert second.meta["made_from"] == "digits-cnn"


@pytest.mark.slow
def test_the_pruned_weights_of_a_slim_model_are_a_slim_model(tmp_path: Path) -> None:
    model = models.load("digits-cnn")
    first = models.load(str(write_slim(model, plan(model, CHANNELS), tmp_path / "a.safetensors").weights))
    ours = plan(first, PruneSpec("weight", allocation="global:sparsity=0.5"))
    write_pruned(first, ours, tmp_path / "b.safetensors")
    again = models.load(str(tmp_path / "b.safetensors"))
    assert again.module is not None
    assert first.example is not None
    assert torch.equal(again.module(first.example), masked(first, ours).module(first.example))


def test_the_file_keeps_the_request_its_source_and_the_proof() -> None:
    model = models.load("digits-mlp")
    ours = plan(model, CHANNELS)
    about = header_of(slim_file(model, ours))
    assert PruneSpec.from_json(about["spec"]) == CHANNELS
    assert about["source"] == {"address": "digits-mlp", "digest": model.digest}
    assert about["proof"]["ok"] is True
    assert {check["name"] for check in about["proof"]["checks"]} >= {"same_outputs", "same_outputs_reopened"}


def test_single_weights_have_no_slim_form_and_it_is_said(tmp_path: Path) -> None:
    model = models.load("digits-mlp")
    with pytest.raises(ExplorerError, match="cannot be removed"):
        write_slim(model, plan(model, PruneSpec(allocation="global:sparsity=0.5")), tmp_path / "o.safetensors")
    assert os.listdir(tmp_path) == []
