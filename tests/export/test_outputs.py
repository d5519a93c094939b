"""Changed choices of two forms of one model: by the sign of a single logit, by the highest score of several."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

import explorer as ex
from explorer.export.outputs import flips

LOGITS, OTHERS = torch.tensor([[2.0], [-1.0], [0.5]]), torch.tensor([[2.0], [1.0], [-0.5]])


def test_a_single_logit_chooses_by_its_sign_and_a_predicted_number_chooses_nothing() -> None:
    assert flips([LOGITS], [OTHERS], torch.tensor([1, 0, 1])) == 2
    assert flips([LOGITS], [OTHERS], torch.tensor([1.5, 0.0, 1.0])) == 0
    assert flips([LOGITS], [OTHERS]) == 0
    assert flips([LOGITS.T], [OTHERS.T], torch.tensor([0.5])) == 0  # three numbers of one sample


def test_texts_choose_in_every_place_and_rows_once() -> None:
    one = torch.zeros(2, 3, 4)
    one[..., 1] = 1.0
    other = one.clone()
    other[0, 2, 3] = 2.0  # one token of six
    assert flips([one], [other]) == 1
    rows = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    assert flips([rows], [rows.flip(0)]) == 2


def test_names_of_classes_go_with_every_file_of_weights(tmp_path: Path) -> None:
    model = ex.load("digits-mlp")
    named = replace(model, meta={**model.meta, "classes": [f"digit {i}" for i in range(10)]})
    ex.save(named, ex.plan(named, ex.PruneSpec("weight", "lp_norm", "global:sparsity=0.5")), tmp_path / "a.safetensors")
    assert ex.load(str(tmp_path / "a.safetensors")).meta["classes"][3] == "digit 3"
    assert "classes" not in ex.load("digits-mlp").meta
