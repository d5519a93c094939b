"""Order statistics against sorting: hypothesis looks for a case where they differ."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.utils import prune

from explorer.errors import ExplorerError
from explorer.ranking.bitkeys import keys_of, value_of, values_of
from explorer.ranking.order import Magnitudes, global_counts, global_masks, smallest_mask
from tests.every import for_each

DTYPES = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
SPECIAL = (0.0, -0.0, 1e-42, -1e-42, 6e-8, 1.0, -1.0, 1.0000001, 65504.0, math.inf, -math.inf, 0.1, 0.7)


@pytest.fixture(params=["sorted", "histogram"], autouse=True)
def index_kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs with both indexes: small tensors are made to take the large one's way."""
    if request.param == "histogram":
        monkeypatch.setattr(Magnitudes.__init__, "__kwdefaults__", {"sort_up_to": -1, "keys": None})


@st.composite
def tensors(draw: st.DrawFn, min_size: int = 0, dtype: torch.dtype | None = None) -> Tensor:
    chosen = dtype or draw(st.sampled_from(DTYPES))
    number = st.one_of(st.sampled_from(SPECIAL), st.floats(allow_nan=False, width=32))
    return torch.tensor(draw(st.lists(number, min_size=min_size, max_size=60)), dtype=torch.float64).to(chosen)


def stable_mask(scores: Tensor, n: int) -> Tensor:
    """The oracle: a stable sort, then the first n go."""
    mask = torch.ones(scores.numel(), dtype=torch.bool)
    mask[torch.sort(scores + 0.0, stable=True).indices[:n]] = False
    return mask


@settings(max_examples=80, deadline=None)
@given(tensors(), st.floats(allow_nan=False, width=32))
def test_count_below_equals_a_comparison_with_the_tensor(scores: Tensor, value: float) -> None:
    rounded = torch.tensor(value, dtype=torch.float64).to(scores.dtype)
    assert Magnitudes.from_scores(scores).count_below(value) == int((scores < rounded).sum())
    assert Magnitudes.from_weights(scores).count_below(value) == int((scores.abs() < rounded).sum())


@settings(max_examples=80, deadline=None)
@given(tensors(min_size=1))
def test_every_rank_equals_the_sorted_value(scores: Tensor) -> None:
    ranked = Magnitudes.from_scores(scores)
    assert [ranked.kth_smallest(k) for k in range(len(scores))] == torch.sort(scores).values.tolist()


@settings(max_examples=60, deadline=None)
@given(tensors(min_size=1), st.lists(st.floats(-3, 3, width=16), min_size=2, max_size=6, unique=True))
def test_bins_equal_a_histogram_of_the_values(scores: Tensor, edges: list[float]) -> None:
    edges = sorted(edges)
    finite = scores.double()[scores.isfinite()].numpy()
    as_held = torch.tensor(edges, dtype=torch.float64).to(scores.dtype).double().numpy()
    assert Magnitudes.from_scores(scores).bins(edges).tolist() == np.histogram(finite, as_held)[0].tolist()


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_smallest_mask_equals_a_stable_sort(data: st.DataObject) -> None:
    scores = data.draw(tensors())
    n = data.draw(st.integers(0, len(scores)))
    assert torch.equal(smallest_mask(scores, n), stable_mask(scores, n))


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_global_masks_and_counts_equal_a_stable_sort_of_all_layers_together(data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from([*DTYPES, None]))
    parts = data.draw(st.lists(tensors(dtype=dtype), min_size=1, max_size=5))
    together = torch.cat([p.double() for p in parts])
    n = data.draw(st.integers(0, len(together)))
    wanted = stable_mask(together, n).split([len(p) for p in parts])
    assert [m.tolist() for m in global_masks(parts, n)] == [m.tolist() for m in wanted]
    assert global_counts(parts, n) == [int((~m).sum()) for m in wanted]


@settings(max_examples=60, deadline=None)
@given(tensors(min_size=1, dtype=torch.float64), st.floats(0, 1))
def test_a_quantile_is_the_one_numpy_computes(scores: Tensor, q: float) -> None:
    finite = torch.where(scores.isfinite(), scores, 0.0)
    rounding = 1e-14 * float(finite.abs().max())  # beside a much larger neighbour the last digits of a value near 0 go
    expected = pytest.approx(np.quantile(finite.numpy(), q), rel=1e-9, abs=rounding)
    assert Magnitudes.from_scores(finite).quantile(q) == expected


@for_each("dtype", DTYPES)
def test_a_large_tensor_with_few_distinct_values_is_counted_exactly(dtype: torch.dtype) -> None:
    weights = (torch.arange(300_000) % 5 - 2).to(dtype)
    ranked = Magnitudes.from_weights(weights)
    assert [ranked.count_below(v) for v in (0, 0.5, 1, 1.5, 2, 2.5)] == [0, 60000, 60000, 180000, 180000, 300000]
    assert ranked.threshold_for(100_000) == 1.0
    assert ranked.sparsity_at(1.0) == 0.2
    assert ranked.bins([0, 1, 2]).tolist() == [60000, 240000]
    mask = smallest_mask(weights.abs(), 60_001)
    assert int((~mask).sum()) == 60_001
    assert not mask[1]  # the first of the tied ones goes
    assert mask[3]


def test_many_edges_inside_different_bins_are_counted_in_one_pass() -> None:
    weights = torch.randn(200_000, generator=torch.Generator().manual_seed(0))
    edges = np.linspace(0, 5, 65)
    wanted = np.histogram(weights.abs().numpy(), edges.astype(np.float32))[0]
    assert Magnitudes.from_weights(weights).bins(edges).tolist() == wanted.tolist()


def test_pieces_of_a_huge_tensor_count_like_the_whole() -> None:
    whole = torch.randn(500_000, generator=torch.Generator().manual_seed(1)).bfloat16()
    in_pieces = Magnitudes.from_chunks(partial(torch.split, whole, 100_001), torch.bfloat16)
    assert in_pieces.size == 500_000
    assert in_pieces.kth_smallest(123_456) == torch.sort(whole.abs()).values[123_456].item()


def test_the_lowest_kept_value_is_infinite_when_nothing_is_kept() -> None:
    ranked = Magnitudes.from_weights(torch.tensor([3.0, -1.0, 2.0]))
    assert [ranked.threshold_for(n) for n in range(4)] == [1.0, 2.0, 3.0, math.inf]


def test_an_empty_tensor_has_no_ranks_and_zero_sparsity() -> None:
    ranked = Magnitudes.from_weights(torch.empty(0))
    assert ranked.sparsity_at(1.0) == 0.0
    assert smallest_mask(torch.empty(0), 0).tolist() == []
    with pytest.raises(ExplorerError, match="no rank 0"):
        ranked.kth_smallest(0)


@for_each("dtype", DTYPES)
def test_nan_is_refused(dtype: torch.dtype) -> None:
    for nan in (math.nan, -math.nan):
        with pytest.raises(ExplorerError, match="NaN"):
            Magnitudes.from_weights(torch.tensor([1.0, nan], dtype=dtype))
        with pytest.raises(ExplorerError, match="NaN"):
            smallest_mask(torch.tensor([1.0, nan], dtype=dtype), 1)


def test_integers_and_impossible_counts_are_refused() -> None:
    with pytest.raises(ExplorerError, match="cannot be ranked"):
        Magnitudes.from_weights(torch.tensor([1, 2]))
    with pytest.raises(ExplorerError, match="4 of 3"):
        smallest_mask(torch.rand(3), 4)


def test_the_shape_is_kept_and_a_transposed_tensor_counts_in_its_own_order() -> None:
    scores = torch.tensor([[1.0, 1.0], [1.0, 2.0]]).t()
    assert smallest_mask(scores, 1).tolist() == [[False, True], [True, True]]


def test_global_masks_of_magnitudes_equal_torchs_own_global_pruning() -> None:
    generator = torch.Generator().manual_seed(2)
    layers = [torch.nn.Linear(300, 500), torch.nn.Linear(40, 30), torch.nn.Linear(7, 9)]
    for layer in layers:
        torch.nn.init.normal_(layer.weight, generator=generator)
    weights = [layer.weight.detach().clone() for layer in layers]
    n = round(0.7 * sum(w.numel() for w in weights))
    prune.global_unstructured([(layer, "weight") for layer in layers], prune.L1Unstructured, amount=n)
    wanted = [layer.weight_mask.bool() for layer in layers]
    assert all(torch.equal(a, b) for a, b in zip(global_masks(weights, n, absolute=True), wanted, strict=True))


@settings(max_examples=60, deadline=None)
@given(st.data(), st.booleans())
def test_many_tensors_read_together_answer_as_each_does_alone(data: st.DataObject, absolute: bool) -> None:
    parts = {str(i): data.draw(tensors()) for i in range(data.draw(st.integers(0, 5)))}
    parts["large"] = torch.linspace(-1, 1, 5_000)

    together = Magnitudes.of_each(parts, absolute=absolute)

    assert list(together) == list(parts)
    for name, part in parts.items():
        ranked = torch.sort(part.abs() if absolute else part).values.tolist()
        some = range(0, len(part), max(1, len(part) // 40))
        assert [together[name].kth_smallest(k) for k in some] == [ranked[k] for k in some]


def test_of_many_tensors_one_that_holds_nan_is_refused() -> None:
    with pytest.raises(ExplorerError, match="NaN"):
        Magnitudes.of_each({"a": torch.ones(3), "b": torch.tensor([math.nan])})


@for_each("dtype", DTYPES)
def test_each_key_gives_back_its_value(dtype: torch.dtype) -> None:
    values = torch.tensor([value for value in SPECIAL if value != 0], dtype=torch.float64).to(dtype)
    keys = keys_of(values)

    assert [value_of(int(key), dtype) for key in keys] == [float(value) + 0.0 for value in values]
    assert values_of(keys.numpy(), dtype).tolist() == [float(value) + 0.0 for value in values]
