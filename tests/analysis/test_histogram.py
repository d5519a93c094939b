from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from explorer.analysis.histogram import LayerMap, layer_map, score_histogram
from tests.every import for_each


def seeded(n: int) -> Tensor:
    return torch.randn(n, generator=torch.Generator().manual_seed(n))


@for_each("n", [50, 500, 300_000])
def test_linear_bins_equal_numpys_histogram(n: int) -> None:
    histogram = score_histogram(seeded(n).abs(), 256)
    scores = seeded(n).abs().numpy()
    edges = np.linspace(histogram.start, histogram.high, len(histogram.linear) + 1).astype(np.float32)
    edges[0], edges[-1] = -np.inf, np.inf
    assert histogram.linear.tolist() == np.histogram(scores, edges)[0].tolist()
    assert (histogram.low, histogram.high) == (scores.min(), scores.max())


@for_each("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_zeros_are_split_off_and_nothing_is_lost(dtype: torch.dtype) -> None:
    values = seeded(4000).abs().to(dtype)
    values[::4] = 0.0
    values[1] = -0.0
    histogram = score_histogram(values, 256)
    assert histogram.log is not None
    assert (histogram.n_zeros, histogram.linear.sum(), histogram.log.sum()) == (1001, 2999, 2999)
    assert (histogram.below[0], histogram.below[-1]) == (0, 4000)


@for_each("n", [40, 3000])
def test_the_table_says_exactly_how_many_scores_lie_below(n: int) -> None:
    scores = seeded(n)
    histogram = score_histogram(scores, 256)
    assert histogram.below.tolist() == [int((scores < float(edge)).sum()) for edge in histogram.edges]
    assert histogram.is_exact is (n == 40)


def test_the_first_log_bin_takes_the_stray_small_ones() -> None:
    histogram = score_histogram(torch.tensor([1e-30, 1e-3, 1e-2, 1e-1, 1.0]), 256)
    assert histogram.log is not None
    assert histogram.floor == pytest.approx(1e-5)
    assert (histogram.log[0], histogram.log.sum()) == (1, 5)


def test_scores_without_a_place_on_a_log_axis_have_no_log_bins() -> None:
    for scores in (torch.full((7,), 2.5), torch.zeros(5), torch.tensor([-1.0, 1.0])):
        histogram = score_histogram(scores, 64)
        assert histogram.log is None
        assert histogram.linear.sum() + histogram.n_zeros == len(scores)


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
