"""Files that hold more, or less, than one network's weights, and parts of weights under other names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from explorer import models
from explorer.errors import ExplorerError


def test_averaged_weights_that_are_not_read_are_named(tmp_path: Path) -> None:
    weights = dict(models.load("digits-mlp").weights)
    averaged = {name: tensor / 2 for name, tensor in weights.items()}
    momentum = {"state": {0: {"exp_avg": torch.ones(3)}}, "param_groups": []}
    saved = {"epoch": 9, "state_dict": weights, "state_dict_ema": averaged, "optimizer": momentum}
    torch.save(saved, tmp_path / "best.pth")
    model = models.load(str(tmp_path / "best.pth"), arch="digits-mlp")
    assert torch.equal(model.weights["fc1.weight"], weights["fc1.weight"])
    others = [finding.what for finding in model.findings if "other weights" in finding.what]
    assert others == ["The file holds other weights, too, which were not read: state_dict_ema."]


def test_a_checkpoint_of_one_set_says_nothing_of_others(tmp_path: Path) -> None:
    saved = {"model": dict(models.load("digits-mlp").weights), "args": {"lr": 0.1}, "epoch": 3}
    torch.save(saved, tmp_path / "one.pth")
    findings = models.load(str(tmp_path / "one.pth"), arch="digits-mlp").findings
    assert not [finding for finding in findings if "other weights" in finding.what]


def test_one_shard_of_several_says_so_and_the_index_is_called_by_its_name(tmp_path: Path) -> None:
    for i, name in enumerate("ab", 1):
        save_file({f"{name}.weight": torch.ones(3, 3)}, tmp_path / f"model-0000{i}-of-00002.safetensors")
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a.weight": "model-00001-of-00002.safetensors"}}))
    part = models.load(str(tmp_path / "model-00002-of-00002.safetensors"))
    assert part.n_parameters == 9
    assert part.findings[0].what == "This is part 2 of 2 of a model: the weights of the other parts are not counted."
    with pytest.raises(ExplorerError, match="It is the index of a model whose weights are split into several files"):
        models.load(str(index))


def test_the_whole_of_one_part_is_no_shard(tmp_path: Path) -> None:
    save_file({"a.weight": torch.ones(3, 3)}, tmp_path / "model-00001-of-00001.safetensors")
    assert models.load(str(tmp_path / "model-00001-of-00001.safetensors")).findings == ()
