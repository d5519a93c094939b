"""The classifier is found, and a lock on it holds every weight of it."""

from __future__ import annotations

import pytest

import explorer
from explorer.pruning.classifier import classifier_of, with_locked_classifier
from explorer.pruning.plan import plan
from explorer.pruning.scoring import score
from explorer.pruning.spec import Limit, PruneSpec


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("digits-mlp", "fc3"),
        ("digits-cnn", "head.fc"),
        ("digits-resnet", "head.fc"),
        ("digits-gru", "fc"),
        ("digits-vit", "fc"),
    ],
)
def test_the_classifier_is_the_layer_that_names_the_classes(model: str, name: str) -> None:
    assert classifier_of(explorer.load(model)) == name


def test_a_locked_classifier_loses_nothing_when_everything_else_goes() -> None:
    model, spec = explorer.load("digits-mlp"), PruneSpec(allocation="global:sparsity=1")  # type: ignore[arg-type]
    locked = with_locked_classifier(spec, model, score(model, spec).groups)
    found = plan(model, locked)
    assert {layer.name: found.n_pruned_in(layer) for layer in found.layers.prunable} == {
        "fc1": 256 * 64,
        "fc2": 128 * 256,
        "fc3": 0,
    }


def test_under_channels_there_is_nothing_to_lock() -> None:
    model, spec = explorer.load("digits-mlp"), PruneSpec("out_channel")  # type: ignore[arg-type]
    assert with_locked_classifier(spec, model, score(model, spec).groups) == spec


def test_what_the_user_set_for_the_classifier_stays_beside_the_lock() -> None:
    model = explorer.load("digits-mlp")
    spec = PruneSpec(limits={"fc3": Limit(cap=0.5)})  # type: ignore[arg-type]
    assert with_locked_classifier(spec, model, score(model, spec).groups).limit("fc3") == Limit(True, 0.0, 0.5)
