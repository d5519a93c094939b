"""Files that torch opens only by running their code show their weights, and nothing of them is imported or called."""

from __future__ import annotations

import argparse
import io
import os
import pickle
import sys
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from explorer import models
from explorer.errors import ExplorerError
from explorer.types import LoadedModel
from tests.models.weights_on_disk import assert_plain, mlp_state

WRITES = """
import pathlib
pathlib.Path({marker!r}).write_text("imported")
from torch import nn
class Mine(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
        self.shared = self.inner[0].weight
    def forward(self, x): return self.inner(x)
class Odd(dict):
    pass
"""


class Calls:
    """An object whose pickle calls a function."""

    def __init__(self, function: Any, *args: object) -> None:
        self.call = (function, args)

    def __reduce__(self) -> Any:
        return self.call


def mine(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module of somebody's own, whose import leaves a marker."""
    (folder / "somebodys_own.py").write_text(WRITES.format(marker=str(folder / "marker")))
    with monkeypatch.context() as patch:
        patch.syspath_prepend(str(folder))
        import somebodys_own  # type: ignore[import-not-found]
    (folder / "marker").unlink()
    return somebodys_own


def opened(value: object, folder: Path, *, legacy: bool = False, arch: str | None = None) -> LoadedModel:
    torch.save(value, folder / "w.pt", _use_new_zipfile_serialization=not legacy)
    return models.load(str(folder / "w.pt"), arch=arch)


def assert_holds(model: LoadedModel, state: dict[str, Tensor]) -> None:
    held = {**model.weights, **model.buffers}
    assert held.keys() == state.keys()
    assert all(torch.equal(held[name], tensor) for name, tensor in state.items())


def test_a_whole_module_shows_the_weights_of_its_state_dict_and_its_class_is_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = mine(tmp_path, monkeypatch)
    torch.manual_seed(0)
    module = package.Mine().eval()
    state = {name: tensor for name, tensor in module.state_dict().items() if name != "inner.0.weight"}
    for legacy in (False, True):
        del sys.modules["somebodys_own"]
        sys.modules["somebodys_own"] = package
        model = opened(module, tmp_path, legacy=legacy)
        assert_holds(model, state)
        assert model.meta["tied"] == {"inner.0.weight": "shared"}
        assert "somebodys_own.Mine" in " ".join(model.repairs)
    assert not (tmp_path / "marker").exists()


def test_what_stands_beside_the_weights_is_left_out_and_named_and_the_weights_run(tmp_path: Path) -> None:
    beside = {
        "args": argparse.Namespace(lr=0.1, path=Path("runs/3")),
        "best": np.float64(0.5),
        "epoch": 3,
        "scores": np.arange(3),
    }
    for legacy in (False, True):
        model = opened({"model": mlp_state(), **beside}, tmp_path, legacy=legacy, arch="digits-mlp")
        assert model.module is not None
        assert all(torch.equal(model.weights[name], tensor) for name, tensor in mlp_state().items())
        assert "argparse.Namespace" in " ".join(model.repairs)


@pytest.mark.slow
def test_programs_show_their_weights(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2)).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(net).save(str(tmp_path / "scripted.pt"))
        torch.export.save(torch.export.export(net, (torch.randn(2, 4),)), str(tmp_path / "exported.pt2"))
    for name, kind in (("scripted.pt", "a TorchScript program"), ("exported.pt2", "an exported program (.pt2)")):
        model = models.load(str(tmp_path / name))
        assert_holds(model, dict(net.state_dict()))
        assert model.repairs[0] == f"It is {kind}: its weights were read, and nothing of it was run."


def test_views_narrow_types_and_quantized_weights_are_the_numbers_that_torch_reads(tmp_path: Path) -> None:
    numbers = torch.randn(6, 4)
    by_tensor = torch.quantize_per_tensor(numbers, 0.1, 3, torch.qint8)
    by_row = torch.quantize_per_channel(numbers, torch.rand(6) + 0.1, torch.zeros(6, dtype=torch.long), 0, torch.qint8)
    saved = {
        "strided.weight": numbers.t(),
        "part.weight": numbers[2:, 1:],
        "half.weight": numbers.bfloat16(),
        "quantized.weight": by_tensor,
        "rows.weight": by_row,
        "narrow.weight": numbers.to(torch.float8_e4m3fn),
        "args": argparse.Namespace(),
    }
    model = opened(saved, tmp_path)
    expected = {
        "strided.weight": numbers.t(),
        "part.weight": numbers[2:, 1:],
        "half.weight": numbers.bfloat16(),
        "quantized.weight": by_tensor.dequantize(),
        "rows.weight": by_row.dequantize(),
        "narrow.weight": numbers.to(torch.float8_e4m3fn).float(),
    }
    for name, tensor in expected.items():
        assert torch.allclose(model.weights[name].float(), tensor.float(), atol=1e-6), name


@pytest.mark.slow
def test_a_file_that_would_run_something_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    calls = {
        "os.system": Calls(os.system, f"touch {marker}"),
        "exec": Calls(exec, f"open({str(marker)!r}, 'w')"),
        "open": Calls(io.open, str(marker), "w"),
        "getattr": Calls(getattr, "x", "upper"),
        "import": Calls(__import__, "os"),
    }
    for name, payload in calls.items():
        for legacy in (False, True):
            with pytest.raises(ExplorerError) as caught:
                opened({"model": mlp_state(), "x": payload}, tmp_path, legacy=legacy)
            assert_plain(caught.value)
            assert "Python objects" in caught.value.why, name
    assert not marker.exists()


def pickled_with(program: bytes, folder: Path) -> Path:
    """A checkpoint with a pickle of one's own."""
    torch.save({"a": torch.ones(4), "b": argparse.Namespace()}, folder / "plain.pt")
    target = folder / "w.pt"
    with zipfile.ZipFile(folder / "plain.pt") as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            new.writestr(info.filename, program if info.filename.endswith("data.pkl") else old.read(info))
    return target


@pytest.mark.slow
def test_a_tensor_outside_its_storage_and_nests_without_end_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(pickled_with(b"", tmp_path).with_name("plain.pt")) as archive:
        whole = archive.read("plain/data.pkl")
    assert b"K\x04\x85" in whole  # the shape (4,)
    deep: Any = argparse.Namespace()
    for _ in range(200):
        deep = argparse.Namespace(inner=deep)
    programs = {
        "too long": whole.replace(b"K\x04\x85", b"K\x40\x85", 1),
        "extension": pickle.PROTO + b"\x02" + pickle.EXT1 + b"\x01.",
        "unknown storage": whole.replace(b"FloatStorage", b"GhostStorage"),
        "endless text": b"\x80\x02X\xff\xff\xff\x7f.",
        "calls a text": b"\x80\x02X\x01\x00\x00\x00aX\x01\x00\x00\x00b\x85R.",
        "deep": pickle.dumps(deep, 2),
    }
    for name, program in programs.items():
        with pytest.raises(ExplorerError) as caught:
            models.load(str(pickled_with(program, tmp_path)))
        assert_plain(caught.value)
        assert "cannot be opened" in caught.value.what, name


def test_an_onnx_file_shows_its_weights_and_opens_no_other_file(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    weights = {"fc.weight": np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)}
    weights["steps"] = np.arange(3)
    stored = [onnx.numpy_helper.from_array(array, name) for name, array in weights.items()]
    away = onnx.helper.make_tensor("away", onnx.TensorProto.FLOAT, [2], np.zeros(2, np.float32))
    away.ClearField("float_data")
    away.data_location = onnx.TensorProto.EXTERNAL
    away.external_data.add(key="location", value="/etc/passwd")
    graph = onnx.helper.make_graph([], "g", [], [], [*stored, away])
    onnx.save(onnx.helper.make_model(graph), tmp_path / "w.onnx")
    model = models.load(str(tmp_path / "w.onnx"))
    assert_holds(model, {name: torch.from_numpy(array) for name, array in weights.items()})
    assert [finding.what for finding in model.findings] == ["Left out, as they stand in other files: away."]


@pytest.mark.slow
def test_files_of_other_frameworks_are_called_by_their_names(tmp_path: Path) -> None:
    keras = io.BytesIO()
    with zipfile.ZipFile(keras, "w") as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", b"x")
    files = {
        "ONNX": b"\x08\x08\x12\x07pytorch\x1a\x032.0",
        "TFLite": b"\x1c\x00\x00\x00TFL3" + bytes(40),
        "Keras": keras.getvalue(),
        "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(40),
        "SavedModel": b"\x08\x01\x12\x02xx" + bytes(40),
    }
    for name, content in files.items():
        with pytest.raises(ExplorerError) as caught:
            models.open_upload(content, "w.bin")
        assert name in caught.value.why, name
        assert_plain(caught.value)
