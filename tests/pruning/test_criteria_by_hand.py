"""Criteria that look at the weights alone, against the papers' formulas worked out by hand and by brute force."""

from __future__ import annotations

import math

import pytest
import torch
from builders import Plain, Residual, loaded
from scored import seeded
from torch import Tensor, nn

from explorer.pruning.criteria import BnScale, GeometricMedian, Lamp
from explorer.pruning.criteria.base import Units
from explorer.pruning.granularity import OutChannel
from explorer.pruning.granularity.layer import Layer
from explorer.pruning.layers import layer_table
from explorer.pruning.plan import plan
from explorer.pruning.scoring import score
from explorer.pruning.spec import PruneSpec


def test_lamp_is_the_share_of_the_energy_that_outlives_a_weight() -> None:
    ours = Lamp().score(Units(torch.tensor([[3.0], [-1.0], [2.0]])))
    assert ours.tolist() == pytest.approx([1.0, 1 / 14, 4 / 13])
    units = Lamp().score(Units(torch.tensor([[3.0, 4.0], [0.0, 5.0], [1.0, 1.0], [0.0, 0.0]])))
    # Energies 25, 25, 2, 0: of equal ones the earlier goes first.
    assert units.tolist() == pytest.approx([25 / 50, 1.0, 2 / 52, 0.0])
    assert Lamp().score(Units(torch.zeros(3, 1))).tolist() == [0, 0, 0]
    tiny_ones = Lamp().score(Units(torch.tensor([[1e-30], [2e-30]])))
    assert tiny_ones.tolist() == pytest.approx([1 / 5, 1.0])


def test_lamp_equals_a_loop_over_all_weights_and_prunes_as_one_ranking() -> None:
    model = loaded(Plain(), 1, 8, 8)
    found, everything = score(model, PruneSpec("weight", "lamp")), []
    for layer in layer_table(model).prunable:
        weights = model.weights[layer.parameter].flatten().double().tolist()
        order = sorted(range(len(weights)), key=lambda i: abs(weights[i]))
        wanted = [0.0] * len(weights)
        for rank, i in enumerate(order):
            wanted[i] = weights[i] ** 2 / sum(weights[j] ** 2 for j in order[rank:])
        assert found.values[layer.name].tolist() == pytest.approx(wanted, rel=1e-6)
        everything += [(value, layer.name) for value in wanted]
    gone = [name for _, name in sorted(everything)[:307]]
    made = plan(model, PruneSpec("weight", "lamp", "global:sparsity=0.5"), found)
    assert {k.group.name: k.n_pruned for k in made.groups} == {
        k.group.name: gone.count(k.group.name) for k in made.groups
    }


def test_the_geometric_median_goes_first() -> None:
    # Distances along a line at 0, 3 and 4: sums 7, 4 and 5; means over two others, root mean square over two weights.
    vectors = torch.tensor([[0.0, 0.0], [3.0, 0.0], [4.0, 0.0]])
    ours = GeometricMedian().score(Units(vectors))
    assert ours.tolist() == pytest.approx([x / (2 * math.sqrt(2)) for x in (7, 4, 5)])
    assert GeometricMedian().score(Units(torch.ones(1, 4))).tolist() == [0]


def test_the_geometric_median_equals_a_loop_over_all_pairs() -> None:
    model = loaded(Plain(), 1, 8, 8)
    found = score(model, PruneSpec("out_channel", "geometric_median"))
    rows = model.weights["conv2.weight"].flatten(1).double()
    wanted = [
        sum(math.dist(a, b) for b in rows.tolist()) / ((len(rows) - 1) * math.sqrt(rows.shape[1]))
        for a in rows.tolist()
    ]
    assert found.values["conv2"].tolist() == pytest.approx(wanted, rel=1e-5)


def test_distances_are_not_asked_of_units_that_have_none() -> None:
    model = loaded(Residual(), 1, 8, 8)
    for granularity in ("weight", "n_of_m:n=1,m=2", "layer"):
        found = score(model, PruneSpec(granularity, "geometric_median"))
        assert not found.values
        assert all(group.why_not for group in found.groups)
    many = Units(torch.zeros(20_000, 2))
    assert "20,000" in str(GeometricMedian().why_not(many))


def test_the_batch_norm_scale_is_that_of_the_channel_or_the_mean_of_all_that_share_it() -> None:
    model = loaded(Plain(), 1, 8, 8)
    found = score(model, PruneSpec("out_channel", "bn_scale"))
    assert torch.equal(found.values["conv1"], model.weights["bn1.weight"].abs())
    assert set(found.values) == {"conv1", "conv2"}
    coupled = loaded(Residual(), 1, 8, 8)
    with torch.no_grad():
        coupled.weights["bn0.weight"].neg_()
    shared = score(coupled, PruneSpec("out_channel", "bn_scale")).values
    mean = (coupled.weights["bn0.weight"].abs() + coupled.weights["bn2.weight"].abs()) / 2
    torch.testing.assert_close(shared["stem"], mean)
    assert torch.equal(shared["conv1"], coupled.weights["bn1.weight"].abs())


def test_a_residual_block_has_the_mean_of_its_batch_norms() -> None:
    model = loaded(Residual(), 1, 8, 8)
    found = score(model, PruneSpec("layer", "bn_scale")).values["residual blocks"]
    gamma = torch.cat([model.weights["bn1.weight"], model.weights["bn2.weight"]]).abs()
    assert found.tolist() == pytest.approx([float(gamma.mean())])


def test_where_no_batch_norm_scales_the_units_the_layer_says_so() -> None:
    class Half(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.bn = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4)
            self.conv2, self.fc = nn.Conv2d(4, 5, 3), nn.Linear(5, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(self.conv2(torch.relu(self.bn(self.conv1(x)))).mean((2, 3)))

    found = score(loaded(Half(), 1, 8, 8), PruneSpec("out_channel", BnScale()))
    assert set(found.values) == {"conv1"}
    why = {group.name: group.why_not for group in found.groups}["conv2"]
    assert why == "No batch norm scales each channel of this layer."


class Uneven(nn.Module):
    """Two residual blocks of 4 and of 1 layer."""

    def __init__(self) -> None:
        super().__init__()
        self.long = nn.Sequential(nn.Linear(6, 10, bias=False), nn.ReLU(), nn.Linear(10, 6, bias=False))
        self.short = nn.Sequential(nn.Linear(6, 6, bias=False), nn.ReLU())
        self.fc = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.long(x)
        return self.fc(x + self.short(x))


def test_sums_over_residual_blocks_count_every_weight_once() -> None:
    model = seeded(Uneven, 6)
    layers = layer_table(model)
    group = Layer().groups(model, layers)[0]
    groups = Layer().unit_weights(model, group)
    sums = Units(groups, group.name, group, Layer(), model).totals(groups)
    wanted = [
        float(model.weights["long.0.weight"].sum() + model.weights["long.2.weight"].sum()),
        float(model.weights["short.0.weight"].sum()),
    ]
    assert groups.shape == (2, 120)
    assert sums.tolist() == pytest.approx(wanted, rel=1e-5)


def test_sums_over_coupled_channels_are_those_of_all_their_rows() -> None:
    model = loaded(Residual(), 1, 8, 8)
    group = next(k for k in OutChannel().groups(model, layer_table(model)) if k.name == "stem")
    groups = OutChannel().unit_weights(model, group)
    rows = model.weights["stem.weight"].flatten(1).sum(1) + model.weights["conv2.weight"].flatten(1).sum(1)
    torch.testing.assert_close(Units(groups, group.name, group, OutChannel(), model).totals(groups), rows)
