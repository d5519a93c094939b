"""A model that came with zeros: they are part of sparsity, sizes and ratios on every face, and no pruning of ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

import explorer as ex
from explorer.cli import main
from explorer.export.measured_sizes import measure_sizes
from explorer.export.packed import bitmask_file
from explorer.export.sizes import file_sizes
from explorer.metrics.macs import mac_table, macs
from explorer.metrics.size import compression_ratio, parameters, sizes
from explorer.pruning.layers import already_zero

HALF = "global:sparsity=0.5"


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """digits-mlp, half of its weights zero, as this project writes it."""
    path = tmp_path_factory.mktemp("half") / "half.safetensors"
    dense = ex.load("digits-mlp")
    ex.save(dense, ex.plan(dense, ex.PruneSpec("weight", "lp_norm", HALF)), path)
    return path


def test_a_pruned_file_opened_again_counts_what_its_plan_counted(half: Path) -> None:
    dense, again = ex.load("digits-mlp"), ex.load(str(half))
    pruned = ex.plan(dense, ex.PruneSpec("weight", "lp_norm", HALF))
    as_opened = ex.plan(again, ex.PruneSpec())
    assert as_opened.n_pruned == 0
    assert as_opened.n_already_zero == sum(int((t == 0).sum()) for t in load_file(half).values() if t.dim() == 2)
    assert (as_opened.sparsity, as_opened.n_zero) == (pruned.sparsity, pruned.n_pruned)
    assert compression_ratio(again, as_opened).value == compression_ratio(dense, pruned).value
    assert parameters(again, as_opened)["kept"].value == parameters(dense, pruned)["kept"].value
    table = mac_table(dense)
    for model, plan in ((dense, pruned), (again, as_opened)):
        assert macs(model, plan, table)["sparse"].value == macs(dense, pruned, table)["sparse"].value
        assert {k: m.value for k, m in sizes(model, plan).items()} == {
            k: m.value for k, m in sizes(dense, pruned).items()
        }


def test_more_pruning_counts_each_zero_once(half: Path) -> None:
    model = ex.load(str(half))
    plan = ex.plan(model, ex.PruneSpec("weight", "random:seed=3", "uniform:sparsity=0.2"))
    zero = sum(
        int(((model.weights[layer.parameter] == 0) | ~plan.masks[layer.parameter]).sum())
        for layer in plan.layers.prunable
    )
    assert plan.n_zero == zero
    assert plan.n_pruned < zero < plan.n_pruned + plan.n_already_zero
    assert plan.sparsity == zero / plan.layers.n_prunable


def test_counted_sizes_of_a_sparse_file_are_those_of_files_really_written(half: Path) -> None:
    model = ex.load(str(half))
    plan = ex.plan(model, ex.PruneSpec("weight", "lp_norm", "global:sparsity=0.7"))
    counted, written = file_sizes(model, plan), measure_sizes(model, plan)
    assert {k: counted[k].value for k in ("dense_file", "csr", "bitmask")} == {
        k: written[k].value for k in ("dense_file", "csr", "bitmask")
    }
    packed = bitmask_file(model, ex.plan(model, ex.PruneSpec()))
    assert len(packed) < 0.7 * half.stat().st_size


def test_minus_zero_is_zero_and_packs_to_zero(tmp_path: Path) -> None:
    model = ex.load("digits-mlp")
    name = "fc1.weight"
    weight = model.weights[name]
    with torch.no_grad():
        weight[:8] = -0.0 * weight[:8].abs()
    plan = ex.plan(model, ex.PruneSpec())
    assert plan.n_already_zero == 8 * weight.shape[1]
    path = tmp_path / "packed.safetensors"
    path.write_bytes(bitmask_file(model, plan))
    with safe_open(path, "pt") as file:
        assert len(file.get_tensor(f"{name}.values")) == weight.numel() - 8 * weight.shape[1]
    assert torch.equal(ex.load(str(path)).weights[name], weight)


def test_every_face_of_the_command_line_says_what_was_zero_already(
    half: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(half), "--sparsity", "0", "--no-keep"]) == 0
    out = capsys.readouterr().out
    assert "weights already zero" in out
    assert "50.0%" in next(line for line in out.splitlines() if line.startswith("sparsity reached"))
    assert "1.98×" in next(line for line in out.splitlines() if line.startswith("compression ratio"))
    again = tmp_path / "again.safetensors"
    assert main(["prune", str(half), "--sparsity", "0.2", "-o", str(again), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["pruned_share"], found["sparsity"]) == (pytest.approx(0.2, abs=1e-4), pytest.approx(0.5, abs=1e-4))
    assert main(["prune", str(half), "--sparsity", "0.2", "-o", str(again), "--force"]) == 0
    assert "zero already" in capsys.readouterr().out


def test_a_dense_model_has_no_zeros_to_speak_of() -> None:
    model = ex.load("digits-cnn")
    plan = ex.plan(model, ex.PruneSpec())
    assert already_zero(model, plan.layers) == {}
    assert (plan.sparsity, compression_ratio(model, plan).value) == (0.0, 1.0)
    assert plan.left == {}
    assert "already" not in str(ex.report(model, plan))
