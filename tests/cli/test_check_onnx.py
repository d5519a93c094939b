"""An ONNX file as the candidate of a check and of a comparison: float, int8 with fixed ranges, int8 without."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import explorer as ex
from explorer.cli import main

onnx: Any = pytest.importorskip("onnx")
pytest.importorskip("onnx2fx")
runtime: Any = pytest.importorskip("onnxruntime")

QUICK = [f"--set={key}.level=off" for key in ("corruptions", "generalisation", "calibration")]
Asked = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def ask(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Asked:
    """Runs a command; its exit status and its JSON."""

    def run(*words: object) -> tuple[int, dict[str, Any]]:
        status = main([*map(str, words), "--json"])
        return status, json.loads(capsys.readouterr().out)

    return run


def exported(ask: Asked, path: Path, *flags: str) -> Path:
    status, _ = ask("export", "digits-mlp", "--to", "onnx", "--sparsity", 0.5, "-o", path, *flags)
    assert status == 0
    return path


def share_of_zeros(path: Path) -> float:
    """Of the matrices in the file, by numpy: whole numbers are zero where they equal their zero point."""
    tensors = {t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(str(path)).graph.initializer}
    matrices = {name: value for name, value in tensors.items() if value.ndim == 2 and value.size > 64}
    ending = "_quantized"
    points = {name: name.replace(ending, "_zero_point") if name.endswith(ending) else "" for name in matrices}
    zero = {name: tensors.get(point, np.zeros(1)) for name, point in points.items()}
    counts = [int((value == np.reshape(zero[name], (-1, 1))).sum()) for name, value in matrices.items()]
    return sum(counts) / sum(value.size for value in matrices.values())


def test_the_answers_of_an_onnx_file_and_of_one_in_int8_are_those_of_onnx_runtime(ask: Asked, tmp_path: Path) -> None:
    split = ex.load_data("digits").splits["tune"]
    labels = split.y
    assert labels is not None
    dense = ex.evaluate("digits-mlp").accuracy.value
    for name, flags in (("float.onnx", ()), ("int8.onnx", ("--int8", "static"))):
        path = exported(ask, tmp_path / name, *flags)
        _, document = ask("check", path, "--against", "digits-mlp", *QUICK)
        session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        right = session.run(None, {session.get_inputs()[0].name: split.x.numpy()})[0].argmax(axis=1) == labels.numpy()
        seen = {check["key"]: check for check in document["checks"]}
        assert dense - seen["accuracy"]["value"]["value"] == pytest.approx(float(right.mean())), name
        assert seen["provenance"]["value"]["value"] == pytest.approx(share_of_zeros(path)), name
        assert seen["provenance"]["value"]["value"] >= 0.5, name
        assert seen["cost"]["value"]["value"] == path.stat().st_size
        assert seen["parity"]["status"] in ("pass", "warn"), name


def test_weights_that_are_not_seen_in_an_int8_file_are_not_said_to_be_without_zeros(ask: Asked, tmp_path: Path) -> None:
    path = exported(ask, tmp_path / "dynamic.onnx", "--int8", "dynamic")
    _, document = ask("check", path, "--against", "digits-mlp", "--set=parity.level=off", *QUICK)
    (seen,) = (check for check in document["checks"] if check["key"] == "provenance")
    assert seen["value"] is None
    assert "no zeros are counted" in " ".join(row["why"] for row in seen["rows"])
    status, document = ask("compare", "digits-mlp", path)
    assert status == 0
    assert document["models"][0]["sparsity"]["value"] == 0
    assert document["models"][1]["sparsity"] is None
    assert document["models"][1]["macs"] is None
