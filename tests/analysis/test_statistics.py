from __future__ import annotations

import math

import pytest
import scipy.stats
import torch
from torch import Tensor

from explorer.analysis.statistics import layer_statistics, statistics_of, unit_norms
from explorer.types import LayerInfo, LayerTable, LoadedModel, Plan


def row_of(weights: Tensor):
    return statistics_of(LayerInfo("conv", "conv.weight", "Conv2d", tuple(weights.shape), "stem"), weights)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_moments_equal_scipys_on_the_same_numbers(dtype):
    weights = torch.randn(40, 50, generator=torch.Generator().manual_seed(0)).pow(3).add(2).to(dtype)
    row, numbers = row_of(weights), weights.double().flatten().numpy()
    assert row.mean == pytest.approx(numbers.mean())
    assert row.std == pytest.approx(numbers.std())
    assert row.kurtosis == pytest.approx(scipy.stats.kurtosis(numbers, fisher=True, bias=True))
    assert (row.minimum, row.maximum) == (numbers.min(), numbers.max())


def test_moments_over_several_chunks_equal_those_of_the_whole():
    weights = torch.randn(1_500_000, generator=torch.Generator().manual_seed(0)) + 1000
    row = row_of(weights)
    assert row.std == pytest.approx(weights.double().std(correction=0).item(), rel=1e-9)
    assert row.kurtosis == pytest.approx(scipy.stats.kurtosis(weights.double().numpy()), abs=1e-6)


def test_zeros_nan_and_infinities_are_counted_and_left_out_of_the_moments():
    row = row_of(torch.tensor([0.0, -0.0, math.nan, math.inf, -math.inf, 2.0]))
    assert (row.n_zeros, row.n_nan, row.n_inf, row.n_weights) == (2, 1, 2, 6)
    assert row.mean == pytest.approx(2 / 3)
    assert (row.minimum, row.maximum) == (0.0, 2.0)


def test_what_is_not_defined_is_none_and_never_a_made_up_number():
    equal, broken, empty = row_of(torch.full((5,), 0.1)), row_of(torch.tensor([math.nan])), row_of(torch.zeros(0))
    assert equal.std == 0.0
    assert equal.kurtosis is None
    assert broken.mean is broken.std is broken.kurtosis is broken.minimum is None
    assert empty.mean is None


def test_a_table_has_one_row_a_parameter_with_what_the_plan_prunes():
    weights = {"a.weight": torch.ones(2, 3), "a.bias": torch.zeros(2)}
    model = LoadedModel("hand", None, weights, "d")
    layers = LayerTable(
        (
            LayerInfo("a", "a.weight", "Linear", (2, 3), "a"),
            LayerInfo("a.bias", "a.bias", "Linear", (2,), "a", "A bias."),
        )
    )
    mask = torch.tensor([[True, False, False], [True, True, True]])
    rows = list(layer_statistics(model, layers, Plan({}, (), {"a.weight": mask}, layers, 0.0, "d")))
    assert [(r.name, r.n_weights, r.n_zeros, r.n_pruned, r.prunable) for r in rows] == [
        ("a", 6, 0, 2, True),
        ("a.bias", 2, 2, 0, False),
    ]


def test_units_are_ranked_by_their_mean_power_norm_with_ties_in_index_order():
    weights = torch.tensor([[3.0, 4.0], [0.0, 1.0], [-4.0, 3.0]])
    mask = torch.tensor([[True, False], [False, False], [True, True]])
    ranked = unit_norms(weights, mask)
    assert ranked.units == (0, 2, 1)
    assert ranked.norms == pytest.approx([math.sqrt(12.5), math.sqrt(12.5), math.sqrt(0.5)])
    assert ranked.kept == (True, True, False)
    assert unit_norms(weights, p=1).norms == pytest.approx([3.5, 3.5, 0.5])
    assert unit_norms(weights, dim=1).units == (1, 0)


def test_a_broken_unit_ranks_first():
    assert unit_norms(torch.tensor([[1.0], [math.nan], [2.0]])).units == (1, 2, 0)
