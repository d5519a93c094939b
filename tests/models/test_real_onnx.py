"""Trained ONNX networks that packages bring: as good here as in ONNX Runtime, dense and pruned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import explorer as ex
from explorer.export.onnx_model import onnx_and_proof
from explorer.pruning.apply import masked
from explorer.pruning.plan import plan
from explorer.pruning.spec import PruneSpec
from tests.models.onnx_files import by_runtime
from tests.models.packages import unpacked

pytest.importorskip("onnx2fx")
pytest.importorskip("onnxruntime")
pytestmark = pytest.mark.slow
HALF = PruneSpec("weight", "lp_norm:p=1", "uniform:sparsity=0.5")
N_EACH = 40


def of_site_packages(suffix: str) -> list[Path]:
    """Some files of this kind, each from a folder of its own, always the same ones."""
    place = Path(torch.__file__).parents[1]
    files: dict[Path, Path] = {}
    for path in sorted(place.rglob(f"*{suffix}")):
        if path.is_file() and path.stat().st_size > 2000:
            files.setdefault(path.parent, path)
    return list(files.values())[:N_EACH]


def features(path: Path, config: dict[str, Any]) -> list[int]:
    """What magika looks at: the first and the last bytes, stripped, padded with a number of its own."""
    n_first, n_last, padding = config["beg_size"], config["end_size"], config["padding_token"]
    content = path.read_bytes()
    block = config["block_size"]
    first = list(content[:block].lstrip())[:n_first]
    last = list(content[-block:].rstrip())[-n_last:]
    return first + [padding] * (n_first - len(first)) + [padding] * (n_last - len(last)) + last


def test_magika_tells_files_apart_as_well_as_in_onnx_runtime_and_half_pruned(tmp_path: Path) -> None:
    folder = next(unpacked("magika", tmp_path).rglob("model.onnx")).parent
    config = json.loads((folder / "config.min.json").read_text())
    names: list[str] = config["target_labels_space"]
    kinds = {".py": "python", ".json": "json", ".h": "c", ".js": "javascript", ".css": "css", ".md": "markdown"}
    rows = [(features(p, config), names.index(kind)) for s, kind in kinds.items() for p in of_site_packages(s)]
    if len(rows) < 2 * N_EACH:
        pytest.skip("too few files of known kinds are installed")
    x, y = torch.tensor([row for row, _ in rows], dtype=torch.int32), torch.tensor([label for _, label in rows])
    model = ex.load(str(folder / "model.onnx"))
    assert model.module is not None, model.why_not_runnable
    theirs = by_runtime(folder / "model.onnx", x, "target_label")
    data = ex.load_data((x, y), model=model)
    dense, pruned = ex.evaluate(model, None, data).accuracy, ex.evaluate(model, HALF, data).accuracy
    assert dense is not None
    assert pruned is not None
    assert dense.value == pytest.approx(float((theirs.argmax(1) == y).double().mean()), abs=1e-9)
    assert dense.value > 0.75
    assert pruned.value > dense.value - 0.15


def answers(model: Any, x: Tensor) -> Tensor:
    with torch.no_grad():
        return model(x)  # type: ignore[no-any-return]


def test_text_recognition_answers_as_in_onnx_runtime_and_is_pruned_into_its_own_file(tmp_path: Path) -> None:
    folder = next(unpacked("rapidocr-onnxruntime", tmp_path).rglob("*cls_infer.onnx")).parent
    for name in ("ch_ppocr_mobile_v2.0_cls_infer.onnx", "ch_PP-OCRv4_det_infer.onnx"):
        path = folder / name
        model = ex.load(str(path))
        assert model.module is not None, model.why_not_runnable
        size = (48, 192) if "cls" in name else (64, 64)
        x = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))
        output = model.meta["onnx"]["output"]
        assert torch.allclose(answers(model.module, x), by_runtime(path, x, output), rtol=1e-3, atol=1e-6)
        half = plan(model, HALF)
        content, proof = onnx_and_proof(model, half)
        assert proof.ok, proof.checks
        (tmp_path / "half.onnx").write_bytes(content)
        expected = answers(masked(model, half).module, x)
        assert torch.allclose(by_runtime(tmp_path / "half.onnx", x, output), expected, rtol=1e-3, atol=1e-6)


def test_a_network_with_a_state_shows_its_weights_and_says_why_it_does_not_run(tmp_path: Path) -> None:
    folder = next(unpacked("silero-vad", tmp_path).rglob("silero_vad_16k_op15.onnx")).parent
    model = ex.load(str(folder / "silero_vad_16k_op15.onnx"), output="output")
    assert model.module is None
    assert model.n_parameters > 250_000
    assert "Its input 'sr' is no batch of samples." in str(model.why_not_runnable)
