"""Memory of a pass, against sums written out by hand. A float takes 4 bytes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.metrics.memory import activation_memory, memory, traffic, weight_memory


def small() -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)).eval()


class Residual(nn.Module):
    """x is needed until the sum, so it lives beside everything in between."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(10, 10, bias=False), nn.Linear(10, 10, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.b(torch.relu(self.a(x))) + x
        return made


def test_the_fullest_moment_of_a_small_network_is_the_two_sides_of_its_widest_layer() -> None:
    # linear: 4 + 8 live; relu: 8 + 8; linear: 8 + 2. Floats, so times 4.
    found = activation_memory(small(), torch.randn(1, 4))
    assert (found.value, found.unit, found.origin) == (4 * 16, "bytes", "counted")


def test_what_moves_is_what_each_operation_reads_and_writes() -> None:
    # (4 + 8) + (8 + 8) + (8 + 2)
    assert traffic(small(), torch.randn(1, 4)).moved == 4 * 38


def test_a_batch_of_three_needs_three_times_the_activations() -> None:
    assert activation_memory(small(), torch.randn(1, 4), batch=3).value == 3 * 4 * 16
    assert traffic(small(), torch.randn(1, 4), batch=3).moved == 3 * 4 * 38


def test_a_shortcut_keeps_its_input_alive() -> None:
    # While relu runs: x, a(x) and its output. While the sum runs: x, b(...) and the sum.
    assert activation_memory(Residual().eval(), torch.randn(1, 10)).value == 4 * 30


def test_a_convolution_by_hand() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.MaxPool2d(2, return_indices=False)).eval()
    # 1 x 4 x 4 in, 2 x 4 x 4 out; then 32 floats beside 2 x 2 x 2 floats and as many int64 places.
    assert activation_memory(net, torch.randn(1, 1, 4, 4)).value == max(4 * (16 + 32), 4 * (32 + 8) + 8 * 8)


def test_views_and_operations_in_place_need_no_memory_of_their_own() -> None:
    plain = nn.Sequential(nn.Linear(4, 8), nn.ReLU()).eval()
    inplace = nn.Sequential(nn.Linear(4, 8), nn.ReLU(inplace=True), nn.Flatten()).eval()
    assert activation_memory(plain, torch.randn(1, 4)).value == 4 * 16
    assert activation_memory(inplace, torch.randn(1, 4)).value == 4 * 12


def test_weights_count_parameters_and_buffers_and_tied_ones_once() -> None:
    net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4), nn.BatchNorm1d(4))
    net[1].weight = net[0].weight
    # one 4 x 4 matrix, two biases; scale, shift, mean and variance; an int64 counter.
    assert weight_memory(net).value == 4 * (16 + 8 + 16) + 8


def test_zeros_take_as_much_memory_as_other_values_and_smaller_tensors_take_less() -> None:
    dense, masked = small(), small()
    nn.init.zeros_(masked[0].weight)
    cut = nn.Sequential(nn.Linear(4, 2), nn.ReLU(), nn.Linear(2, 2)).eval()
    x = torch.randn(1, 4)
    same, less = memory(dense, masked, x), memory(dense, cut, x)
    assert same["weights_pruned"].value == same["weights_dense"].value == 4 * (32 + 8 + 16 + 2)
    assert same["activations_pruned"].value == same["activations_dense"].value
    assert less["weights_pruned"].value == 4 * (8 + 2 + 4 + 2)
    assert less["activations_pruned"].value == 4 * 6


def test_the_number_belongs_to_the_network_not_to_how_its_code_keeps_names() -> None:
    class Hoarder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net, self.kept = small(), list[Tensor]()

        def forward(self, x: Tensor) -> Tensor:
            for part in self.net:
                x = part(x)
                self.kept.append(x)
            return x

    assert activation_memory(Hoarder().eval(), torch.randn(1, 4)).value == 4 * 16


def test_the_model_is_not_touched() -> None:
    net = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3)).eval()
    before = {name: t.clone() for name, t in net.state_dict().items()}
    traffic(net, torch.randn(1, 3), batch=2)
    assert all(torch.equal(before[name], t) for name, t in net.state_dict().items())


def test_a_model_that_takes_no_such_input_says_so() -> None:
    with pytest.raises(ExplorerError, match="does not run with a batch of 2"):
        activation_memory(small(), torch.randn(1, 5), batch=2)
