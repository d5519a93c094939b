from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from explorer.analysis.histogram import LayerMap, layer_map, magnitude_histogram
from explorer.errors import ExplorerError
from explorer.ranking.order import Magnitudes
from tests.every import for_each


@pytest.mark.parametrize("n", [500, 300_000])
def test_linear_counts_equal_numpys_histogram_of_the_magnitudes(n):
    values = torch.randn(n, generator=torch.Generator().manual_seed(0))
    found = magnitude_histogram(values, bins=40)
    # The edges are float32 numbers, so numpy compares the very same values.
    counts, _ = np.histogram(values.abs().double().numpy(), np.array(found.edges))
    assert list(found.counts) == counts.tolist()
    assert len(found.counts) == 40
    assert found.n == n
    assert found.edges[0] == 0.0
    assert found.edges[-1] == values.abs().max().item()


@for_each("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@for_each("scale", ["linear", "log"])
def test_zeros_are_split_off_and_nothing_is_lost(dtype, scale):
    values = torch.randn(4000, generator=torch.Generator().manual_seed(0)).to(dtype)
    values[::4] = 0.0
    values[1] = -0.0
    found = magnitude_histogram(values, bins=32, scale=scale)
    assert found.n_zeros == 1001
    assert sum(found.counts) == 2999
    assert found.cumulative[0] == 1001
    assert found.cumulative[-1] == 4000


def test_log_edges_have_equal_ratios_and_the_first_bin_takes_the_stray_small_ones():
    values = torch.tensor([1e-30, 1e-3, 1e-2, 1e-1, 1.0])
    found = magnitude_histogram(values, bins=6, scale="log")
    assert found.edges == pytest.approx([1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0])
    assert sum(found.counts) == 5
    assert found.counts[0] == 1


def test_values_that_are_all_equal_fill_one_bin():
    for scale in ("linear", "log"):
        found = magnitude_histogram(torch.full((7,), -2.5), bins=8, scale=scale)
        assert sum(found.counts) == max(found.counts) == 7
        assert found.n_zeros == 0


def test_nothing_but_zeros_or_nothing_at_all_has_no_bins():
    assert magnitude_histogram(torch.zeros(5)).counts == ()
    assert magnitude_histogram(torch.zeros(5)).n_zeros == 5
    assert magnitude_histogram(torch.zeros(0)).n == 0


def test_nan_and_infinity_are_counted_apart():
    found = magnitude_histogram(torch.tensor([1.0, math.nan, -math.inf, 0.0, 2.0]), bins=2)
    assert (found.n_not_finite, found.n_zeros, found.n) == (2, 1, 5)
    assert found.counts == (0, 2)


def test_magnitudes_counted_before_give_the_same_histogram():
    values = torch.randn(1000, generator=torch.Generator().manual_seed(0))
    assert magnitude_histogram(Magnitudes.from_weights(values)) == magnitude_histogram(values)


def test_signed_scores_keep_their_sign_on_a_linear_scale_and_are_refused_on_a_log_scale():
    scores = Magnitudes.from_scores(torch.tensor([-1.0, -0.5, 0.0, 0.0, 0.5, 1.0]))
    found = magnitude_histogram(scores, bins=2)
    assert found.edges == (-1.0, 0.0, 1.0)
    assert found.counts == (2, 2)
    assert found.n_zeros == 2
    with pytest.raises(ExplorerError, match="log scale"):
        magnitude_histogram(scores, scale="log")


def test_a_histogram_without_bins_is_refused():
    with pytest.raises(ExplorerError, match="0 bins"):
        magnitude_histogram(torch.ones(3), bins=0)


def test_a_layer_map_counts_all_layers_over_common_bins_and_loses_nothing():
    torch.manual_seed(0)
    layers = {"a": torch.randn(3000), "b": 0.01 * torch.randn(200_000), "half": torch.randn(500).half()}
    layers["b"][:50_000] = 0.0
    found = layer_map(layers, bins=20)
    assert found.names == ("a", "b", "half")
    assert found.zeros == (0.0, 0.25, 0.0)
    for shares, zeros, values in zip(found.shares, found.zeros, layers.values(), strict=True):
        assert sum(shares) + zeros == pytest.approx(1.0)
        edges = torch.tensor(found.edges, dtype=torch.float64).to(values.dtype).double().numpy()
        edges[0], edges[-1] = 1e-300, math.inf
        counts, _ = np.histogram(values.abs().double().numpy(), edges)
        assert shares == pytest.approx(counts / values.numel())


def test_a_layer_map_of_nothing_but_zeros_has_no_bins():
    assert layer_map({"a": torch.zeros(3), "b": torch.zeros(0)}) == LayerMap(("a",), (), ((),), (1.0,))
