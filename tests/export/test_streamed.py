"""Checkpoints of any size: counted and pruned from their files, with the answers that everything in memory gives."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.export.streamed import streamed
from explorer.models.reader.shards import PIECE, shards
from tests.cli.asked import refusal, result
from tests.every import for_each


def checkpoint(folder: Path, dtype: torch.dtype) -> dict[str, Tensor]:
    """Two shards with an index: matrices longer than a piece, ties, a vector, a bias, whole numbers."""
    generator = torch.Generator().manual_seed(0)
    first = {
        "layers.0.q_proj.weight": torch.randn(700, 800, generator=generator).to(dtype),
        "layers.0.norm.weight": torch.ones(800, dtype=dtype),
        "layers.0.q_proj.bias": torch.randn(700, generator=generator).to(dtype),
    }
    second = {
        "layers.1.q_proj.weight": (torch.randn(300, 300, generator=generator) * 4).round().to(dtype) / 4,
        "layers.1.steps": torch.arange(6).reshape(2, 3),
    }
    folder.mkdir()
    where = {}
    for i, tensors in enumerate((first, second)):
        save_file(tensors, folder / f"model-{i + 1:05d}-of-00002.safetensors", metadata={"format": "pt"})
        where |= dict.fromkeys(tensors, f"model-{i + 1:05d}-of-00002.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": where}))
    (folder / "config.json").write_text('{"model_type": "none"}')
    return {**first, **second}


def lowest(tensors: list[Tensor], n: int) -> list[Tensor]:
    """True goes: the n lowest magnitudes of all, ties in order, by sorting everything."""
    flat = torch.cat([t.abs().double().flatten() for t in tensors])
    gone = torch.zeros(len(flat), dtype=torch.bool)
    gone[flat.argsort(stable=True)[:n]] = True
    parts = gone.split([t.numel() for t in tensors])
    return [part.reshape(t.shape) for part, t in zip(parts, tensors, strict=True)]


@for_each("dtype", [torch.float32, torch.bfloat16, torch.float16])
@for_each("sparsity", [0.0, 0.37, 0.5, 1.0])
def test_global_magnitude_from_files_is_that_of_sorting_everything(dtype: torch.dtype, sparsity: float) -> None:
    with tempfile.TemporaryDirectory() as place:
        tensors = checkpoint(Path(place) / "in", dtype)
        matrices = ["layers.0.q_proj.weight", "layers.1.q_proj.weight"]
        assert tensors[matrices[0]].numel() * dtype.itemsize > PIECE
        counted = streamed(shards(Path(place) / "in"))
        assert list(counted.ranks) == matrices
        n = round(sparsity * counted.n_weights)
        counts = counted.counts(sparsity)
        assert sum(counts.values()) == n
        files = list(counted.write(Path(place) / "out", counts))
        new = {name: t for file in files for name, t in load_file(file).items()}
        for name, gone in zip(matrices, lowest([tensors[m] for m in matrices], n), strict=True):
            assert torch.equal(new[name], tensors[name].masked_fill(gone, 0))
        others = set(tensors) - set(matrices)
        assert all(torch.equal(new[name], tensors[name]) for name in others)
        assert (Path(place) / "out" / "config.json").read_text() == '{"model_type": "none"}'


def test_thresholds_and_quantiles_from_files_are_those_in_memory(tmp_path: Path) -> None:
    tensors = checkpoint(tmp_path / "in", torch.float32)
    counted = streamed(shards(tmp_path / "in"))
    for name, rank in counted.ranks.items():
        ranked = tensors[name].abs().flatten().sort().values
        assert counted.threshold(name, 1234) == float(ranked[1234])
        assert rank.quantile(0.5) == pytest.approx(float(ranked.double().quantile(0.5)), abs=1e-7)
    assert counted.counts(0.5, everywhere_alike=True) == {
        n: t.numel() // 2 for n, t in tensors.items() if n in counted.ranks
    }


def test_damaged_and_missing_shards_are_refused_by_name(tmp_path: Path) -> None:
    checkpoint(tmp_path / "in", torch.float32)
    last = tmp_path / "in" / "model-00002-of-00002.safetensors"
    content = last.read_bytes()
    last.write_bytes(content[:-8])
    with pytest.raises(ExplorerError, match="model-00002-of-00002"):
        shards(tmp_path / "in")
    last.unlink()
    with pytest.raises(ExplorerError, match="is not in the folder"):
        shards(tmp_path / "in")
    (tmp_path / "in" / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../outside.safetensors"}}')
    with pytest.raises(ExplorerError, match="outside"):
        shards(tmp_path / "in")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ExplorerError, match="no .safetensors"):
        shards(tmp_path / "empty")


def test_nan_is_refused_and_a_full_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    weight = torch.randn(4, 4)
    weight[0, 0] = torch.nan
    save_file({"a.weight": weight}, tmp_path / "in" / "a.safetensors")
    with pytest.raises(ExplorerError, match="NaN"):
        streamed(shards(tmp_path / "in"))
    save_file({"a.weight": torch.randn(4, 4)}, tmp_path / "in" / "a.safetensors")
    counted = streamed(shards(tmp_path / "in"))
    with pytest.raises(ExplorerError, match="is not empty"):
        list(counted.write(tmp_path / "in", counted.counts(0.5)))


def test_the_commands_answer_from_the_files_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tensors = checkpoint(tmp_path / "in", torch.bfloat16)
    rows = result(capsys, "inspect", str(tmp_path / "in"), "--stream")["tensors"]
    assert {row["name"]: row["shape"] for row in rows} == {name: list(t.shape) for name, t in tensors.items()}
    row = next(row for row in rows if row["name"] == "layers.1.q_proj.weight")
    assert row["n_zeros"] == int((tensors[row["name"]] == 0).sum())
    assert row["quantiles"]["0.5"] == float(tensors[row["name"]].abs().double().quantile(0.5))
    out = str(tmp_path / "out")
    answer = result(capsys, "prune", str(tmp_path / "in"), "--stream", "--sparsity", "0.5", "-o", out)
    assert answer["pruned"] == round(0.5 * answer["weights"]) == sum(answer["counts"].values())
    other = ("--criterion", "wanda", "--sparsity", "0.5", "-o", str(tmp_path / "no"))
    assert "by their magnitude" in refusal(capsys, "prune", str(tmp_path / "in"), "--stream", *other)
