"""``prune`` into a folder: block by block, resumed where it was stopped, and refused where a block cannot do it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from explorer import models
from tests.cli.asked import refusal, result

ASKED = ("topics-gpt", "--criterion", "wanda:n_samples=16", "--sparsity", "0.5")


def test_a_folder_is_written_block_by_block_and_opens_with_half_of_every_row_zero(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "half"
    answer = result(capsys, "prune", *ASKED, "-o", str(out))
    assert [block["block"] for block in answer["blocks"]] == [f"blocks.{i}" for i in range(4)]
    assert answer["pruned"] * 2 == answer["weights"] == 4 * 12 * 128**2
    where = json.loads((out / "model.safetensors.index.json").read_text())["weight_map"]
    weight = load_file(out / where["blocks.2.mlp.up.weight"])["blocks.2.mlp.up.weight"]
    assert ((weight == 0).sum(dim=1) == 64).all()
    dense = models.load("topics-gpt").weights["blocks.2.mlp.up.weight"]
    assert torch.equal(weight[weight != 0], dense[weight != 0])
    again = result(capsys, "prune", *ASKED, "-o", str(out))
    assert all(block["resumed"] for block in again["blocks"])


def test_what_needs_the_whole_network_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "out")
    assert "compares all layers" in refusal(capsys, "prune", "topics-gpt", "--sparsity", "0.5", "-o", out)
    assert "no list of blocks" in refusal(
        capsys, "prune", "digits-mlp", "--criterion", "row_magnitude", "--sparsity", "0.5", "-o", out
    )
    assert "masked weights" in refusal(capsys, "prune", *ASKED, "-o", out, "--form", "sliced")
