"""ONNX files made to do harm: refused or shown for their weights, with a sentence; no other file is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from explorer import models
from explorer.errors import ExplorerError
from explorer.types import LoadedModel
from tests.models.onnx_files import by_runtime
from tests.models.weights_on_disk import assert_plain

onnx: Any = pytest.importorskip("onnx")
pytest.importorskip("onnx2fx")
pytest.importorskip("onnxruntime")
pytestmark = pytest.mark.slow
WEIGHT = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)


def graph(nodes: list[Any], tensors: list[Any], *, sample: tuple[int, ...] = (4,), out: tuple[int, ...] = (3,)) -> Any:
    """A file whose input x and output y have any number of samples."""
    make, floats = onnx.helper.make_tensor_value_info, onnx.TensorProto.FLOAT
    inputs, outputs = [make("x", floats, ["n", *sample])], [make("y", floats, ["n", *out])]
    whole = onnx.helper.make_graph(nodes, "g", inputs, outputs, tensors)
    return onnx.helper.make_model(whole, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)


def product(name: str = "w") -> Any:
    return onnx.helper.make_node("MatMul", ["x", name], ["y"])


def away(location: str, **about: object) -> Any:
    """A tensor whose numbers stand in another file."""
    tensor = onnx.helper.make_tensor("w", onnx.TensorProto.FLOAT, [4, 3], WEIGHT.tobytes(), raw=True)
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in {"location": location, **about}.items():
        tensor.external_data.add(key=key, value=str(value))
    return tensor


def opened(model: Any, path: Path) -> LoadedModel:
    path.write_bytes(model.SerializeToString())
    return models.load(str(path))


def test_numbers_in_a_file_beside_it_are_read_and_those_elsewhere_are_not(tmp_path: Path) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    (folder / "w.data").write_bytes(b"\0" * 8 + WEIGHT.tobytes())
    model = opened(graph([product()], [away("w.data", offset=8, length=WEIGHT.nbytes)]), folder / "net.onnx")
    assert model.module is not None, model.why_not_runnable
    x = torch.randn(5, 4)
    with torch.no_grad():
        assert torch.allclose(model.module(x), x @ torch.from_numpy(WEIGHT), atol=1e-6)
        assert torch.allclose(model.module(x), by_runtime(folder / "net.onnx", x, "y"), atol=1e-6)
    secret = tmp_path / "secret"
    secret.write_bytes(WEIGHT.tobytes())
    (folder / "link").symlink_to(secret)
    (folder / "short").write_bytes(b"\0" * 8)
    bias = onnx.numpy_helper.from_array(np.ones(3, np.float32), "b")
    cases = {
        "../secret": {},
        str(secret): {},
        "link": {},
        "absent": {},
        "short": {},
        ".": {},
        "w.data": {"length": 4},
    }
    for location, about in cases.items():
        nodes = [onnx.helper.make_node("Gemm", ["x", "w", "b"], ["y"])]
        shown = opened(graph(nodes, [away(location, **about), bias]), folder / "odd.onnx")
        assert shown.module is None, location
        assert "w stand in another file" in str(shown.why_not_runnable), location
        assert list(shown.weights) == ["b"], location


def test_graphs_that_cannot_be_run_show_their_weights_and_say_why(tmp_path: Path) -> None:
    weight = onnx.numpy_helper.from_array(WEIGHT, "w")
    node, cases = onnx.helper.make_node, {}
    cases["a circle"] = graph([node("Add", ["b", "x"], ["a"]), node("MatMul", ["a", "w"], ["b"])], [weight])
    big = onnx.numpy_helper.from_array(np.array([2**20, 2**20], np.int64), "big")
    filled = [
        node("ConstantOfShape", ["big"], ["z"]),
        node("ReduceSum", ["z"], ["s"]),
        node("MatMul", ["x", "w"], ["p"]),
    ]
    cases["memory without end"] = graph([*filled, node("Add", ["p", "s"], ["y"])], [weight, big])
    cases["an unknown step"] = graph([node("Nonsense", ["x", "w"], ["y"])], [weight])
    cases["random numbers"] = graph([product(), node("RandomNormalLike", ["y"], ["r"])], [weight])
    cases["random numbers"].graph.output[0].name = "r"
    cases["a sample without end"] = graph([product()], [weight], sample=(2**20, 2**20, 4), out=(2**20, 2**20, 3))
    cases["no scores"] = graph([product("w"), node("ArgMax", ["y"], ["best"], axis=1)], [weight])
    cases["no scores"].graph.output[0].CopyFrom(
        onnx.helper.make_tensor_value_info("best", onnx.TensorProto.INT64, ["n", 1])
    )
    for name, model in cases.items():
        shown = opened(model, tmp_path / "case.onnx")
        assert shown.module is None, name
        assert "w" in shown.weights, name
        assert str(shown.why_not_runnable).endswith("."), name
        assert "Traceback" not in str(shown.why_not_runnable), name


def test_a_file_that_is_cut_off_or_claims_more_than_it_has_is_refused(tmp_path: Path) -> None:
    whole = graph([product()], [onnx.numpy_helper.from_array(WEIGHT, "w")]).SerializeToString()
    lying = onnx.numpy_helper.from_array(WEIGHT, "w")
    lying.dims[:] = [2**40, 2**20]
    contents = {"cut off": whole[: len(whole) // 2], "huge": graph([product()], [lying]).SerializeToString()}
    for name, content in contents.items():
        (tmp_path / "case.onnx").write_bytes(content)
        with pytest.raises(ExplorerError) as caught:
            models.load(str(tmp_path / "case.onnx"))
        assert "damaged or cut off" in caught.value.why, name
        assert_plain(caught.value)
