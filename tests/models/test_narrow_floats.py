"""Weights in floats of 16 and 8 bits: computed as float32, counted and written in the type of their file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from explorer import models
from explorer.export.packed import write_bitmask
from explorer.export.sizes import file_sizes
from explorer.export.weights import pruned_file, write_pruned
from explorer.pruning.plan import plan
from explorer.pruning.spec import PruneSpec
from explorer.ranking.order import Magnitudes
from tests.models.weights_on_disk import mlp_state

FLOAT8 = (torch.float8_e4m3fn, torch.float8_e5m2)


@pytest.mark.parametrize("dtype", FLOAT8)
def test_float8_weights_are_shown_pruned_and_written_as_float8(dtype: torch.dtype, tmp_path: Path) -> None:
    weight = torch.randn(16, 16, generator=torch.Generator().manual_seed(0)).to(dtype)
    save_file({"l.weight": weight, "l.weight_scale": torch.tensor(0.02)}, tmp_path / "w.safetensors")
    model = models.load(str(tmp_path / "w.safetensors"))
    assert torch.equal(model.weights["l.weight"], weight.float())
    assert Magnitudes.from_weights(model.weights["l.weight"]).quantile(1.0) == float(weight.float().abs().max())
    assert any("float32" in text for text in model.repairs)
    assert any("l.weight_scale" in finding.what for finding in model.findings)

    half = plan(model, PruneSpec("weight", "lp_norm", "global:sparsity=0.5"))
    write_pruned(model, half, tmp_path / "p.safetensors")
    write_bitmask(model, half, tmp_path / "b.safetensors")
    expected = weight.float() * half.masks["l.weight"]
    written = load_file(tmp_path / "p.safetensors")["l.weight"]
    assert written.dtype == dtype
    assert torch.equal(written.float(), expected)
    assert torch.equal(models.load(str(tmp_path / "b.safetensors")).weights["l.weight"], expected)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, *FLOAT8])
def test_a_file_of_narrow_floats_is_counted_as_large_as_it_will_be_written(dtype: torch.dtype, tmp_path: Path) -> None:
    save_file({name: t.to(dtype) for name, t in mlp_state().items()}, tmp_path / "w.safetensors")
    for arch in (None, "digits-mlp"):
        model = models.load(str(tmp_path / "w.safetensors"), arch=arch)
        half = plan(model, PruneSpec("weight", "lp_norm", "global:sparsity=0.5"))
        counted = file_sizes(model, half, compress=True)
        assert counted["dense_file"].value == len(pruned_file(model, half))
        assert counted["dense_file_compressed"].value < counted["dense_file"].value
