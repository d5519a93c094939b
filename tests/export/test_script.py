"""The script repeats a pruning in a Python that knows nothing of this project, to the last bit of every mask."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from explorer import models
from explorer.export.script import masks_sha256, recipe_of, script_text, write_script
from explorer.export.weights import pruned_tensors
from explorer.models.sample import FOLDER
from explorer.pruning.granularity import GRANULARITIES
from explorer.pruning.plan import plan
from explorer.pruning.slicing import sliced
from explorer.pruning.spec import PruneSpec
from explorer.types import LoadedModel, tensors_digest
from tests.every import for_each


def replayed(script: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", script.name, *map(str, arguments)]
    return subprocess.run(command, cwd=script.parent, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.slow
def test_the_script_says_how_it_is_used_and_never_ends_with_a_traceback(tmp_path: Path) -> None:
    model = models.load("digits-mlp")
    write_script(model, plan(model, PruneSpec("weight", "lp_norm", "uniform:sparsity=0.5")), tmp_path / "prune.py")
    asked = replayed(tmp_path / "prune.py", "--help")
    assert (asked.returncode, asked.stderr) == (0, "")
    assert "python THIS_FILE WEIGHTS" in asked.stdout
    for mistake in ([], ["--cat", "x"], ["absent.safetensors"]):
        ended = replayed(tmp_path / "prune.py", *mistake)
        assert ended.returncode == 2, mistake
        assert "Traceback" not in ended.stderr
        assert ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize("criterion", ["lp_norm:p=1", "random:seed=3"])
@pytest.mark.parametrize("granularity", ["weight", "out_channel"])
def test_the_script_finds_the_same_masks_and_writes_the_same_weights(
    granularity: str, criterion: str, tmp_path: Path
) -> None:
    model = models.load("digits-resnet")
    ours = plan(model, PruneSpec(granularity, criterion, "uniform:sparsity=0.5"))  # type: ignore[arg-type]
    write_script(model, ours, tmp_path / "prune.py")
    ended = replayed(tmp_path / "prune.py", FOLDER / "digits-resnet.safetensors", "out.safetensors")
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["masks_sha256"] == masks_sha256(ours)
    assert tensors_digest(load_file(tmp_path / "out.safetensors")) == tensors_digest(pruned_tensors(model, ours))
    assert recipe_of(model, ours)["given"] == {}, "the units are ranked again, not listed"


def test_the_script_cuts_the_tensors_as_we_do(tmp_path: Path) -> None:
    model = models.load("digits-resnet")
    ours = plan(model, PruneSpec("out_channel", "lp_norm", "uniform:sparsity=0.5"))
    write_script(model, ours, tmp_path / "prune.py")
    assert (
        replayed(tmp_path / "prune.py", FOLDER / "digits-resnet.safetensors", "o.safetensors", "--cut").returncode == 0
    )
    assert tensors_digest(load_file(tmp_path / "o.safetensors")) == tensors_digest(
        sliced(model, ours).module.state_dict()
    )


@for_each("granularity", list(GRANULARITIES.members))
def test_every_granularity_has_a_script_that_is_known_to_find_its_masks(granularity: str) -> None:
    model = models.load("digits-gru" if granularity == "hidden_unit" else "digits-vit")
    ours = plan(model, PruneSpec(granularity, "lp_norm", "uniform:sparsity=0.5"))  # type: ignore[arg-type]
    assert recipe_of(model, ours)["masks_sha256"] == masks_sha256(ours)
    compile(script_text(model, ours), "prune.py", "exec")


def test_ties_go_in_the_order_of_their_index(tmp_path: Path) -> None:
    weights = {"w": torch.tensor([[1.0, -1.0, 1.0, 1.0], [2.0, 1.0, -1.0, 1.0]])}
    model = LoadedModel("hand", None, weights, tensors_digest(weights), why_not_runnable="No.")
    ours = plan(model, PruneSpec("weight", "lp_norm", "global:sparsity=0.375"))
    write_script(model, ours, tmp_path / "prune.py")
    save_file(weights, tmp_path / "in.safetensors")
    assert replayed(tmp_path / "prune.py", "in.safetensors", "out.safetensors").returncode == 0
    assert load_file(tmp_path / "out.safetensors")["w"].tolist() == [[0, 0, 0, 1], [2, 1, -1, 1]]


def test_other_weights_are_noticed(tmp_path: Path) -> None:
    model = models.load("digits-mlp")
    write_script(model, plan(model, PruneSpec(allocation="global:sparsity=0.5")), tmp_path / "prune.py")
    save_file({n: t.flip(0).contiguous() for n, t in model.weights.items()}, tmp_path / "in.safetensors")
    ended = replayed(tmp_path / "prune.py", "in.safetensors", "out.safetensors")
    assert ended.returncode == 1
    assert "not the recorded ones" in ended.stderr
    assert not (tmp_path / "out.safetensors").exists()


def test_a_checkpoint_with_wrapped_names_is_read_too(tmp_path: Path) -> None:
    model = models.load("digits-mlp")
    ours = plan(model, PruneSpec(allocation="global:sparsity=0.5"))
    write_script(model, ours, tmp_path / "prune.py")
    torch.save({"epoch": 3, "state_dict": {f"module.{n}": t for n, t in model.weights.items()}}, tmp_path / "in.pt")
    assert replayed(tmp_path / "prune.py", "in.pt").returncode == 0


def test_names_that_would_end_a_text_do_no_harm(tmp_path: Path) -> None:
    evil = "a'''+open('ran','w').name+r'''\\"
    weights = {evil: torch.arange(8.0).reshape(2, 4)}
    model = LoadedModel("x'''\n", None, weights, tensors_digest(weights), why_not_runnable="No.")
    write_script(model, plan(model, PruneSpec(allocation="global:sparsity=0.5")), tmp_path / "prune.py")
    save_file(weights, tmp_path / "in.safetensors")
    assert replayed(tmp_path / "prune.py", "in.safetensors").returncode == 0
    assert not (tmp_path / "ran").exists()
