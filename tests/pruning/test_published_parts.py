"""Parts of published architectures: what can go of them, and the proof that what is left computes the same."""

from __future__ import annotations

from itertools import product

import torch
from builders import loaded
from torch import nn
from zoo_published import PUBLISHED, Norm2d

from explorer.pruning.apply import masked
from explorer.pruning.coupling.groups import coupling
from explorer.pruning.layers import layer_table
from explorer.pruning.plan import plan
from explorer.pruning.slicing import largest_difference, sliced
from explorer.pruning.spec import Limit, PruneSpec
from explorer.types import LoadedModel
from tests.every import for_each

CHANNELS = {
    "convolutions like a transformer": {"stem": 10, "up": 20, "last": 12},
    "class tokens": {"patch": 12, "up": 16},
    "windows": {"patch": 8, "reduce": 12},
    "root mean squares": {"gate": 14, "down": 12},
    "turned heads": {"enter": 12, "across_weight": 10},
}
HEADS = {"class tokens": {"attend.in_proj_weight": 3}, "windows": {"qkv": 2}, "turned heads": {"q": 2}}


def model_of(name: str) -> LoadedModel:
    build, shape = PUBLISHED[name]
    torch.manual_seed(0)
    network = build()
    for parameter in network.parameters():  # scales that start at 1 and shifts at 0 would hide a mistake
        nn.init.normal_(parameter, std=0.5)
    return loaded(network, *shape)


def free(model: LoadedModel, unit: str, share: float) -> PruneSpec:
    spec = PruneSpec(unit, "lp_norm", f"uniform:sparsity={share}")  # type: ignore[arg-type]
    for group in spec.granularity.groups(model, layer_table(model)):
        spec = spec.with_limit(group.name, Limit(locked=False)) if group.locked_by else spec
    return spec


@for_each("name", PUBLISHED)
def test_every_part_lets_its_channels_and_heads_go(name: str) -> None:
    model = model_of(name)
    for unit, expected in (("out_channel", CHANNELS), ("head", HEADS)):
        groups = free(model, unit, 0.0).granularity.groups(model, layer_table(model))
        assert {g.name: g.n_units for g in groups if g.why_not is None} == expected.get(name, {})


@for_each(("name", "share"), list(product(PUBLISHED, (0.3, 0.5, 0.8))))
def test_what_is_left_computes_what_the_masked_network_computes(name: str, share: float) -> None:
    model = model_of(name)
    for unit, expected in (("out_channel", CHANNELS), ("head", HEADS)):
        if name not in expected:
            continue
        ours = plan(model, free(model, unit, share))
        assert {k.group.name for k in ours.groups if k.n_pruned} == set(expected[name])
        full, small = masked(model, ours).module, sliced(model, ours).module
        for n in (1, 5):
            assert model.example is not None
            x = torch.randn(n, *model.example.shape[1:], generator=torch.Generator().manual_seed(n))
            assert largest_difference(full, small, x * 4) <= 1e-5
        assert sum(p.numel() for p in small.parameters()) < model.n_parameters


def test_channels_that_are_not_zero_when_they_go_stay_for_the_sake_of_a_normalisation() -> None:
    network = nn.Sequential(nn.Conv2d(1, 6, 1), nn.Sigmoid(), Norm2d(6), nn.Conv2d(6, 4, 1), nn.Flatten())
    model = loaded(network, 1, 2, 2)
    groups = {g.name: g.why_not for g in free(model, "out_channel", 0.0).granularity.groups(model, layer_table(model))}
    assert "not zero when they go" in (groups["0"] or "")


def test_what_a_network_couples_is_found_once() -> None:
    model = model_of("class tokens")
    assert coupling(model) is coupling(model)
    assert coupling(model_of("class tokens")) is not coupling(model)


def test_the_size_of_the_pictures_does_not_change_how_many_labels_are_looked_at() -> None:
    entries = []
    for size in (8, 64):
        network = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.Flatten(2), nn.Unflatten(2, (size, size)))
        shaped = coupling(loaded(network, 1, size, size)).shaped
        assert len(shaped) == 2
        entries.append([made.untyped_storage().size() for _, made in shaped.values()])
    assert entries[0] == entries[1]
