"""The activations of each layer against hooks, NumPy and arithmetic by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import explorer as ex
from explorer.analysis.layer_activations.collecting import statistics
from explorer.analysis.layer_activations.maps import activation_maps
from explorer.errors import ExplorerError
from explorer.types import Split

HALF = ex.PruneSpec(allocation="global:sparsity=0.5")  # type: ignore[arg-type]


class Small(nn.Module):
    """A convolution whose second channel is silent, and a head that no nonlinearity reads."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(1, 3, 3), nn.Linear(3, 2)
        with torch.no_grad():
            self.conv.weight[1], self.conv.bias[1] = 0.0, -1.0  # type: ignore[index]

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.head(torch.relu(self.conv(x)).mean(dim=(2, 3)))
        return out


@pytest.fixture
def pictures() -> Split:
    return Split("fit", torch.randn(150, 1, 6, 6, generator=torch.Generator().manual_seed(1)), None)


def outputs(module: nn.Module, x: Tensor) -> Iterator[tuple[str, Tensor]]:
    """(channels, values) after the convolution's ReLU, and of the head itself, by a plain forward pass."""
    with torch.no_grad():
        after = torch.relu(module.conv(x))  # type: ignore[operator]
        yield "conv", after.movedim(1, 0).flatten(1)
        yield "head", module.head(after.mean(dim=(2, 3))).T  # type: ignore[operator]


def test_counts_zeros_means_and_deviations_are_those_of_numpy_on_a_plain_pass_dense_and_pruned(pictures: Split) -> None:
    torch.manual_seed(0)
    model = ex.load(Small(), example=pictures.x[:1])
    plan = ex.plan(model, HALF)
    counted = statistics(model, pictures, plan)
    assert [(each.layer, each.after) for each in counted] == [("conv", "relu"), ("head", "")]
    for side, module in (("dense", model.module), ("pruned", ex.masked(model, plan).module)):
        for layer, values in outputs(module, pictures.x):  # type: ignore[arg-type]
            each, rows = counted[layer], values.double().numpy()
            spread = getattr(each, side)
            assert spread.n == rows.shape[1]
            assert spread.zeros.tolist() == (rows == 0).sum(axis=1).tolist()
            assert spread.mean.numpy() == pytest.approx(rows.mean(axis=1), abs=1e-6)
            assert spread.std.numpy() == pytest.approx(rows.std(axis=1), abs=1e-6)
            assert spread.overall == pytest.approx((rows.mean(), rows.std()), abs=1e-6)
            for channel, row in enumerate(rows):
                expected = np.histogram(row[row != 0], 60, (each.low, each.high))[0]
                assert np.abs(spread.counts[channel].numpy() - expected).sum() <= 2  # a pass in other batches rounds
    conv = counted["conv"].dense
    assert conv.n_silent == 1
    assert conv.zero_shares[1] == 1.0
    assert conv.zero_share == pytest.approx(float(conv.zeros.sum()) / (150 * 3 * 16))
    json.dumps(counted.to_json(), allow_nan=False)


def test_the_samples_that_excite_a_channel_are_those_of_its_largest_values_over_all_batches(pictures: Split) -> None:
    torch.manual_seed(0)
    model = ex.load(Small(), example=pictures.x[:1])
    spread = statistics(model, pictures)["conv"].dense
    with torch.no_grad():
        largest = torch.relu(model.module.conv(pictures.x)).amax(dim=(2, 3))  # type: ignore[union-attr, operator]
    for channel in (0, 2):
        expected = torch.sort(largest[:, channel], descending=True, stable=True)
        assert spread.samples[channel].tolist() == expected.indices[:8].tolist()
        assert spread.peaks[channel].tolist() == pytest.approx(expected.values[:8].tolist())


def test_zeros_of_a_bundled_network_are_those_that_the_criterion_of_activation_zeros_counts() -> None:
    model = ex.load("digits-resnet")
    data = ex.load_data("digits", model=model)
    scores = ex.score(model, ex.PruneSpec("out_channel", "apoz"), data)  # type: ignore[arg-type]
    counted = ex.activations(model, data=data)
    zeros = counted["block1.conv1"].dense.zero_shares
    assert (1 - zeros).tolist() == pytest.approx(scores.values["block1.conv1"].tolist(), abs=1e-6)


def test_the_maps_of_a_sample_are_those_of_a_plain_pass_and_what_is_not_there_is_refused(pictures: Split) -> None:
    torch.manual_seed(0)
    model = ex.load(Small(), example=pictures.x[:1])
    plan = ex.plan(model, HALF)
    maps = activation_maps(model, pictures, "conv", 77, plan)
    for module, shown in ((model.module, maps.dense), (ex.masked(model, plan).module, maps.pruned)):
        with torch.no_grad():
            expected = torch.relu(module.conv(pictures.x[77:78]))[0]  # type: ignore[union-attr, operator]
        assert shown is not None
        torch.testing.assert_close(shown, expected)
    with pytest.raises(ExplorerError, match="no sample 150"):
        activation_maps(model, pictures, "conv", 150)
    with pytest.raises(ExplorerError, match="No activation of pool"):
        activation_maps(model, pictures, "pool", 0)


def test_values_that_are_no_numbers_are_counted_apart_and_a_constant_layer_has_bins(pictures: Split) -> None:
    torch.manual_seed(0)
    module = Small()
    with torch.no_grad():
        module.conv.bias[0] = float("nan")  # type: ignore[index]
        module.conv.weight[1:] = 0.0
        module.conv.bias[1:] = 2.0  # type: ignore[index]
    each = statistics(ex.load(module, example=pictures.x[:1]), pictures)["conv"]
    assert each.dense.not_finite.tolist() == [150 * 16, 0, 0]
    assert each.dense.counts.sum(dim=1).tolist() == [0, 150 * 16, 150 * 16]
    assert (each.low, each.high) == (1.5, 2.5)
