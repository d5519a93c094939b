from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
import torch

from explorer.analysis.distribution import fits, signed_distribution


def drawn(family: str, n: int = 20_000) -> torch.Tensor:
    law = {"normal": torch.distributions.Normal, "laplace": torch.distributions.Laplace}[family]
    torch.manual_seed(0)
    return law(0.1, 0.3).sample((n,))


@pytest.mark.parametrize("family", ["normal", "laplace"])
def test_fits_and_their_log_likelihoods_equal_scipys(family):
    values = drawn(family)
    numbers = values.double().numpy()
    for fit, law in zip(fits(values), (scipy.stats.norm, scipy.stats.laplace), strict=True):
        location, spread = law.fit(numbers)
        assert (fit.location, fit.spread) == pytest.approx((location, spread))
        assert fit.log_likelihood == pytest.approx(law.logpdf(numbers, location, spread).sum())
        assert fit.density([0.0, 0.2]) == pytest.approx(law.pdf([0.0, 0.2], location, spread))


@pytest.mark.parametrize("family", ["normal", "laplace"])
def test_the_family_the_weights_were_drawn_from_fits_better(family):
    found = signed_distribution(drawn(family))
    assert found.better is not None
    assert found.better.family == family
    assert found.better.aic == min(fit.aic for fit in found.fits)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_counts_equal_numpys_and_split_into_kept_and_pruned(dtype):
    values = drawn("laplace").to(dtype).reshape(100, 200)
    mask = values.abs() > 0.2
    found = signed_distribution(values, mask, bins=50)
    total, _ = np.histogram(values.double().numpy(), np.array(found.edges))
    kept, _ = np.histogram(values[mask].double().numpy(), np.array(found.edges))
    assert list(found.kept) == kept.tolist()
    assert [k + p for k, p in zip(found.kept, found.pruned, strict=True)] == total.tolist()
    assert found.n == 20_000


def test_an_edge_lies_at_zero_so_that_no_bar_mixes_signs():
    assert 0.0 in signed_distribution(drawn("normal")).edges


def test_not_finite_weights_are_left_out_and_counted():
    found = signed_distribution(torch.tensor([-1.0, math.nan, 1.0, math.inf]), torch.tensor([True, True, False, False]))
    assert (found.n, found.n_not_finite, sum(found.kept), sum(found.pruned)) == (2, 2, 1, 1)
    nothing = signed_distribution(torch.tensor([math.nan]))
    assert (nothing.n, nothing.edges, nothing.fits) == (0, (), ())


@pytest.mark.parametrize("value", [0.0, -2.5])
def test_equal_weights_fill_one_bin_and_have_no_fit(value):
    found = signed_distribution(torch.full((9,), value))
    assert found.kept == (9,)
    assert found.better is None


def test_positive_weights_alone_are_all_counted():
    found = signed_distribution(torch.linspace(3.0, 4.0, 101), bins=10)
    assert found.n == 101
    assert len(found.kept) <= 12
