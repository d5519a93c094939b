"""LSTM and GRU of an ONNX file: layers of torch that answer as ONNX Runtime does, pruned into their own places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import explorer as ex
from explorer.export.onnx_model import onnx_and_proof
from explorer.pruning.apply import masked
from explorer.pruning.plan import plan
from explorer.pruning.spec import PruneSpec
from tests.models.onnx_files import by_runtime, exported, tokens

onnx: Any = pytest.importorskip("onnx")
pytest.importorskip("onnx2fx")
pytest.importorskip("onnxruntime")
pytestmark = pytest.mark.slow
HALF = PruneSpec("weight", "lp_norm:p=1", "uniform:sparsity=0.5")
UNITS = PruneSpec("hidden_unit", "lp_norm:p=1", "uniform:sparsity=0.25")


class Reader(nn.Module):
    """Two recurrent layers over words."""

    def __init__(self, kind: type[nn.RNNBase], *, both: bool) -> None:
        super().__init__()
        self.words = nn.Embedding(50, 8)
        self.rnn = kind(8, 12, 2, batch_first=True, bidirectional=both)  # type: ignore[call-arg, arg-type]
        self.head = nn.Linear(24 if both else 12, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.rnn(self.words(x))[0].mean(1))  # type: ignore[no-any-return]


def pruned_alike(path: Path | str, x: Tensor, output: str, folder: Path) -> ex.LoadedModel:
    """The opened file, once it answers as ONNX Runtime does, dense and half pruned into its own graph."""
    model = ex.load(str(path))
    assert model.module is not None, model.why_not_runnable
    half = plan(model, HALF)
    content, proof = onnx_and_proof(model, half)
    assert proof.ok
    (folder / "half.onnx").write_bytes(content)
    zeros = sum(
        int((onnx.numpy_helper.to_array(t) == 0).sum()) for t in onnx.load(folder / "half.onnx").graph.initializer
    )
    assert zeros >= half.n_pruned > 0
    with torch.no_grad():
        assert torch.allclose(model.module(x), by_runtime(path, x, output), atol=1e-5)
        ours = masked(model, half).module
        assert torch.allclose(ours(x), by_runtime(folder / "half.onnx", x, output), atol=1e-5)
    return model


@pytest.mark.parametrize(("kind", "both"), [(nn.GRU, False), (nn.LSTM, True)])
def test_recurrent_layers_become_layers_of_torch_and_their_units_are_removed(
    kind: type[nn.RNNBase], both: bool, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    net = Reader(kind, both=both)
    path = exported(net, tokens(2), tmp_path / "rnn.onnx")
    model = pruned_alike(path, tokens(6), "logits", tmp_path)
    assert model.module is not None
    layers = [part for part in model.module.modules() if isinstance(part, kind)]
    assert [layer.bidirectional for layer in layers] == [both, both]
    ours = torch.cat([p.flatten() for layer in layers for p in layer.parameters()])
    theirs = torch.cat([p.flatten() for p in net.rnn.parameters()])
    assert torch.equal(ours.sort().values, theirs.sort().values)
    units = plan(model, UNITS)
    content, proof = onnx_and_proof(model, units)
    assert proof.ok
    (tmp_path / "smaller.onnx").write_bytes(content)
    with torch.no_grad():
        expected = masked(model, units).module(tokens(6))
    smaller = onnx.load(tmp_path / "smaller.onnx")
    assert torch.allclose(
        by_runtime(tmp_path / "smaller.onnx", tokens(6), smaller.graph.output[0].name), expected, atol=1e-5
    )
    assert sum(onnx.numpy_helper.to_array(t).size for t in smaller.graph.initializer) < 0.9 * model.n_parameters


N_TIMES, WIDTH, SIZE = 7, 5, 6


def made(kind: str, direction: str) -> Any:
    """A graph by hand: one step that starts from states of the file, and all that it gives side by side."""
    gates, n = {"LSTM": 4, "GRU": 3}[kind], 1 + (direction == "bidirectional")
    draw = np.random.default_rng(0)

    def stored(name: str, *shape: int) -> Any:
        return onnx.numpy_helper.from_array(draw.normal(size=shape).astype(np.float32), name)

    weights = [stored("w", n, gates * SIZE, WIDTH), stored("r", n, gates * SIZE, SIZE)]
    weights.append(stored("b", n, 2 * gates * SIZE))
    starts = [stored(name, n, 1, SIZE) for name in ("h", "c")][: 2 if kind == "LSTM" else 1]
    make, about = onnx.helper.make_node, {"linear_before_reset": 1} if kind == "GRU" else {}
    steps = [make("Transpose", ["x"], ["t"], perm=[1, 0, 2]), make("Shape", ["t"], ["s"], start=1, end=2)]
    steps.append(make("Concat", ["one", "s", "one"], ["sizes"], axis=0))
    steps += [make("Expand", [state.name, "sizes"], [f"{state.name}0"]) for state in starts]
    inputs = ["t", "w", "r", "b", "", *[f"{state.name}0" for state in starts]]
    steps.append(make(kind, inputs, ["y", "last"], hidden_size=SIZE, direction=direction, **about))
    steps.append(make("Transpose", ["last"], ["turned"], perm=[1, 0, 2]))
    steps.append(make("Transpose", ["y"], ["times"], perm=[2, 0, 1, 3]))
    steps += [make("Reshape", [one, "flat"], [other]) for one, other in (("turned", "end"), ("times", "all"))]
    steps.append(make("Concat", ["end", "all"], ["out"], axis=1))
    numbers = [onnx.numpy_helper.from_array(np.array(v), k) for k, v in (("one", [1]), ("flat", [0, -1]))]
    value, float_type = onnx.helper.make_tensor_value_info, onnx.TensorProto.FLOAT
    ends = [value("x", float_type, ["n", N_TIMES, WIDTH])], [value("out", float_type, ["n", n * SIZE * (N_TIMES + 1)])]
    graph = onnx.helper.make_graph(steps, "g", *ends, [*weights, *starts, *numbers])
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize("direction", ["reverse", "bidirectional"])
@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_every_direction_and_initial_states_answer_as_in_onnx_runtime(
    kind: str, direction: str, tmp_path: Path
) -> None:
    path = tmp_path / "made.onnx"
    onnx.save(made(kind, direction), path)
    model = pruned_alike(path, torch.randn(4, N_TIMES, WIDTH), "out", tmp_path)
    assert model.module is not None
    assert any(isinstance(part, nn.RNNBase) for part in model.module.modules())
