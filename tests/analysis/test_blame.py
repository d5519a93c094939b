"""Which layer is to blame for what a class lost: each is given back alone, and that is measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

import explorer as ex
from explorer.cli import main
from explorer.errors import ExplorerError
from explorer.pruning.plan import group_masks
from explorer.pruning.select import keep_masks
from tests.cli.asked import Capture

SPECS = (
    ex.PruneSpec(allocation="global:sparsity=0.8"),
    ex.PruneSpec("out_channel", "lp_norm", "global:sparsity=0.4"),
)


def rights(weights: dict[str, torch.Tensor], of_class: int) -> int:
    """How many samples of the class are right with these weights, by the network alone."""
    model = ex.load("digits-resnet")
    split = ex.load_data("digits", model=model).splits["tune"]
    assert model.module is not None
    assert split.y is not None
    which = split.y == of_class
    with torch.inference_mode():
        scores = torch.func.functional_call(model.module, weights, (split.x[which],))
    return int((scores.argmax(dim=1) == of_class).sum())


def test_each_layer_given_back_alone_is_what_the_network_does_with_just_these_weights() -> None:
    model = ex.load("digits-resnet")
    plan = ex.plan(model, SPECS[0])
    masked = {
        name: weight * plan.masks[name] if name in plan.masks else weight for name, weight in model.weights.items()
    }
    blame = ex.blame(0, against="digits-resnet", spec=SPECS[0])
    assert (blame.n, blame.right_before, blame.right_after) == (45, rights({}, 0), rights(masked, 0))
    for layer in blame.layers:
        name = f"{layer.group}.weight"
        assert layer.right == rights({**masked, name: model.weights[name]}, 0), layer.group
        assert layer.n_weights == int((~plan.masks[name]).sum())
        assert layer.gain.value == pytest.approx((layer.right - blame.right_after) / blame.n)
    assert [layer.right for layer in blame.layers] == sorted((layer.right for layer in blame.layers), reverse=True)
    assert blame.worst is not None
    assert blame.worst.group == "block3.conv2"


def test_a_group_of_channels_comes_back_with_all_that_went_with_it_and_no_other_group() -> None:
    model = ex.load("digits-resnet")
    scores = ex.score(model, SPECS[1])
    plan = ex.plan(model, SPECS[1], scores)
    blame = ex.blame(0, against="digits-resnet", spec=SPECS[1])
    counts = {group.group.name: group.n_pruned for group in plan.groups if group.n_pruned}
    assert {layer.group for layer in blame.layers} == set(counts)
    keeps = keep_masks(scores.values, counts)
    cuts = {g.name: group_masks(model, SPECS[1], scores, g, keeps[g.name]) for g in scores.groups if g.name in counts}
    for layer in blame.layers:
        masks: dict[str, torch.Tensor] = {}
        for name, cut in cuts.items():
            if name != layer.group:
                masks |= {p: mask & masks[p] if p in masks else mask for p, mask in cut.items()}
        assert layer.right == rights({p: model.weights[p] * mask for p, mask in masks.items()}, 0), layer.group


def test_a_pruned_file_blames_the_same_layer_as_its_request(tmp_path: Path, capsys: Capture) -> None:
    model, path = ex.load("digits-resnet"), tmp_path / "pruned.safetensors"
    ex.save(model, ex.plan(model, SPECS[0]), path)
    of_file, of_request = ex.blame(0, str(path)), ex.blame("0", against="digits-resnet", spec=SPECS[0])
    assert [(layer.group, layer.right) for layer in of_file.layers] == [
        (layer.group, layer.right) for layer in of_request.layers
    ]
    off = [word for key in ex.Policy.of().to_json() if key != "classes" for word in ("--set", f"{key}.level=off")]
    folder = ("--data-dir", str(tmp_path / "data"))
    assert main(["check", "digits-resnet", "--sparsity", "0.8", *off, "--blame", "--json", *folder]) == 1
    document = json.loads(capsys.readouterr().out)["blame"]
    assert (document["class_name"], document["worst"]) == ("0", "block3.conv2")
    expected = json.loads(json.dumps(of_request.to_json()))
    assert {**document, "seconds": 0} == {**expected, "seconds": 0}


def test_classes_that_are_none_and_smaller_shapes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ExplorerError, match="no class 'ten'"):
        ex.blame("ten", against="digits-mlp", spec=SPECS[0])
    with pytest.raises(ExplorerError, match="does not choose|no class|No class"):
        ex.blame(0, against="topics-gpt", spec=SPECS[0])
