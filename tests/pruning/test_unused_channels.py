"""Input channels: what every reader drops is not made any more, what one still reads stays."""

from __future__ import annotations

import pytest
import torch
from builders import loaded
from torch import Tensor, nn
from zoo import ZOO, inputs_for, model_of

from explorer.errors import ExplorerError
from explorer.metrics.macs import macs
from explorer.metrics.size import parameters
from explorer.pruning.apply import masked
from explorer.pruning.granularity import get
from explorer.pruning.plan import plan
from explorer.pruning.slicing import largest_difference, sliced
from explorer.pruning.spec import Limit, PruneSpec
from tests.every import for_each


class TwoReaders(nn.Module):
    """One layer makes six channels that two layers read."""

    def __init__(self) -> None:
        super().__init__()
        self.make = nn.Linear(3, 6)
        self.one, self.two = nn.Linear(6, 4, bias=False), nn.Linear(6, 4, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.make(x))
        return self.one(x) + self.two(x)


def two_readers(weak_in_one: list[int], weak_in_two: list[int]):  # type: ignore[no-untyped-def]
    net = TwoReaders().eval()
    with torch.no_grad():
        net.one.weight[:, weak_in_one] *= 1e-3
        net.two.weight[:, weak_in_two] *= 1e-3
    return loaded(net, 3)


HALF = PruneSpec("in_channel", "lp_norm", "uniform:sparsity=0.5", {"make": Limit(locked=True)})


def test_a_channel_that_all_its_readers_drop_goes_with_the_row_that_made_it() -> None:
    model = two_readers([0, 2, 5], [0, 2, 4])
    ours = plan(model, HALF)
    assert ours.kept_shapes == {"make.weight": (4, 3), "make.bias": (4,), "one.weight": (4, 4), "two.weight": (4, 4)}
    assert (~ours.masks["make.weight"].any(dim=1)).nonzero().flatten().tolist() == [0, 2]
    assert (~ours.masks["one.weight"].any(dim=0)).nonzero().flatten().tolist() == [0, 2, 5]
    small = sliced(model, ours).module
    assert torch.equal(small.make.weight, model.weights["make.weight"][[1, 3, 4, 5]])
    # Channel 5 is still read by the second layer, so the first keeps a column of zeros for it.
    assert small.one.weight[:, 3].abs().sum() == 0
    left = 4 * 3 + 4 + 2 * 4 * 3
    assert parameters(model, ours)["kept"].value == left
    assert macs(model, ours)["removed"].value == 4 * 3 + 2 * 4 * 4


def test_a_channel_that_one_layer_still_reads_stays_and_the_refusal_says_so() -> None:
    model = two_readers([0, 1, 2], [3, 4, 5])
    ours = plan(model, HALF)
    assert ours.n_pruned == 24
    assert not ours.kept_shapes
    assert "make.weight" not in ours.masks
    with pytest.raises(ExplorerError, match="still read by another one"):
        sliced(model, ours)


@for_each("name", sorted(ZOO))
def test_in_every_network_what_nobody_reads_is_cut_and_the_answers_stay(name: str) -> None:
    model = model_of(name)
    if name == "tied weights":
        with pytest.raises(ExplorerError, match="Not one input channel of this network can go"):
            plan(model, PruneSpec("in_channel", "lp_norm", "uniform:sparsity=0.9"))
        return
    ours = plan(model, PruneSpec("in_channel", "lp_norm", "uniform:sparsity=0.9"))
    small = sliced(model, ours).module
    assert largest_difference(masked(model, ours).module, small, inputs_for(model)) <= 1e-5
    shapes = {n: tuple(t.shape) for n, t in small.named_parameters()}
    assert {n: s for n, s in ours.kept_shapes.items() if n in shapes} == {
        n: s for n, s in shapes.items() if n in ours.kept_shapes
    }


def test_the_unit_says_what_becomes_of_it() -> None:
    assert "Where every layer that reads a channel drops it" in (type(get("in_channel")).__doc__ or "")
