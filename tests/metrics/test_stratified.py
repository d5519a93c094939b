"""Estimates from stratified samples: exact at the end, honest before it."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from explorer.metrics.stratified import (
    FINAL,
    Strata,
    looks_at,
    margin_strata,
    mean_of,
    paired_mean,
    partial_width,
)


def population(n: int, seed: int, share_lost: float) -> tuple[torch.Tensor, Strata]:
    """Samples that are lost the likelier the narrower their margin, some won."""
    generator = torch.Generator().manual_seed(seed)
    margin = torch.rand(n, generator=generator)
    right = (torch.rand(n, generator=generator) < 0.5 + margin / 2).double()
    lost = torch.rand(n, generator=generator) < 2 * share_lost * (1 - margin)
    won = lost & (torch.rand(n, generator=generator) < 0.3)
    values = torch.where(right.bool(), lost.double(), -won.double())
    return values, margin_strata(margin, right)


def test_the_whole_set_gives_its_own_mean_without_error() -> None:
    values, strata = population(500, 0, 0.2)
    everything = strata.order(seed=3)
    mean, error = paired_mean(values[everything], strata, everything)
    assert float(mean) == pytest.approx(float(values.mean()))
    assert error == 0.0
    mean, error = mean_of(values[everything], strata, everything)
    assert (float(mean), float(error)) == (pytest.approx(float(values.mean())), 0.0)


def test_a_stratified_mean_weighs_each_part_by_its_size() -> None:
    strata = Strata(torch.tensor([0, 0, 0, 1]), torch.ones(2))
    mean, error = paired_mean(torch.tensor([1.0, 0.0]), strata, torch.tensor([0, 3]))
    assert float(mean) == pytest.approx(0.75)
    assert error > 0


def test_several_models_are_estimated_at_once_as_each_alone() -> None:
    first, strata = population(800, 0, 0.2)
    second, _ = population(800, 5, 0.02)
    sampled = strata.order(seed=3)[:300]
    for estimate in (paired_mean, mean_of):
        means, errors = estimate(torch.stack([first, second])[:, sampled], strata, sampled)
        for i, values in enumerate((first, second)):
            mean, error = estimate(values[sampled], strata, sampled)
            assert float(means[i]) == pytest.approx(float(mean))
            assert float(errors[i]) == pytest.approx(float(error))


def test_a_mean_of_losses_is_that_of_the_parts_by_hand() -> None:
    strata = Strata(torch.tensor([0, 0, 0, 0, 1, 1]), torch.ones(2))
    mean, error = mean_of(torch.tensor([1.0, 3.0, 10.0, 10.0]), strata, torch.tensor([0, 1, 4, 5]))
    assert float(mean) == pytest.approx(2 * 4 / 6 + 10 * 2 / 6)
    assert float(error) == pytest.approx((4 / 6) * (2 / 2 * (1 - 2 / 4)) ** 0.5)


def test_no_change_in_a_few_samples_is_not_taken_for_certainty() -> None:
    _, strata = population(2000, 1, 0.1)
    sampled = strata.order(seed=0)[:100]
    mean, error = paired_mean(torch.zeros(100), strata, sampled)
    assert mean == 0.0
    assert 2 * error > 0.01  # changes in 1 of 100 samples would be no surprise


def test_every_order_is_a_permutation_and_narrow_margins_come_early() -> None:
    margin = torch.linspace(0, 1, 1000)
    strata = margin_strata(margin, None)
    order = strata.order(seed=5)
    assert torch.equal(order.sort().values, torch.arange(1000))
    assert not torch.equal(order, strata.order(seed=6))
    assert torch.equal(order, strata.order(seed=5))
    early = torch.bincount(strata.of[order[:200]], minlength=4)
    assert 2 * early[3] < early[0] < 3 * early[3]


def test_looks_rise_by_whole_steps_to_the_whole_set() -> None:
    looks = looks_at(2000, first=128, step=64)
    assert looks[-1] == 2000
    assert all(a < b for a, b in pairwise(looks))
    assert all(look % 64 == 0 for look in looks[:-1])
    assert looks_at(100, first=128, step=64) == (100,)


def test_kinds_tell_what_was_not_drawn_by_hand() -> None:
    # One part, two kinds of three samples each; of the first kind two were drawn and lost, of the second one, kept.
    strata = Strata(torch.zeros(6, dtype=torch.int64), torch.ones(1), torch.tensor([0, 0, 0, 1, 1, 1]))
    mean, _ = paired_mean(torch.tensor([1.0, 1.0, 0.0]), strata, torch.tensor([0, 1, 3]))
    plain = 2 / 3  # deviations from it: 1/3, 1/3 and -2/3; four samples' worth of nothing joins each kind
    first, second = (2 / 3) / (2 + 4), (-2 / 3) / (1 + 4)
    assert float(mean) == pytest.approx(plain + first * (3 / 6 - 2 / 3) + second * (3 / 6 - 1 / 3))


def test_a_model_that_forgets_whole_classes_is_known_from_fewer_samples() -> None:
    generator = torch.Generator().manual_seed(3)
    margin, classes = torch.rand(2000, generator=generator), torch.arange(2000) % 10
    right, lost = torch.ones(2000), (classes < 4).double()
    errors = []
    for kinds in (classes, None):
        strata = margin_strata(margin, right, kinds)
        sampled = strata.order(seed=1)[:400]
        mean, error = paired_mean(lost[sampled], strata, sampled)
        assert float(mean) == pytest.approx(0.4, abs=3 * float(error))
        errors.append(float(error))
    assert errors[0] < errors[1] / 2


def test_the_final_interval_is_nearly_as_narrow_as_one_alone_and_the_others_pay_for_looking() -> None:
    assert pytest.approx(2.054, abs=0.001) == FINAL  # 4 % outside
    assert partial_width(2) == pytest.approx(2.576, abs=0.001)  # 1 % outside
    assert partial_width(11) == pytest.approx(3.291, abs=0.001)  # 0.1 % outside each of ten


@pytest.mark.parametrize("share_lost", [0.005, 0.05, 0.3])
def test_all_intervals_of_a_growing_sample_hold_together_in_95_of_100_draws(share_lost: float) -> None:
    values, strata = population(1500, 2, share_lost)
    truth = float(values.mean())
    looks = looks_at(1500, first=128, step=64)
    partial = partial_width(len(looks))
    n_held = 0
    n_draws = 200
    for seed in range(n_draws):
        order = strata.order(seed)
        held = True
        for look in looks[:-1]:
            mean, error = paired_mean(values[order[:look]], strata, order[:look])
            final = FINAL * error <= 0.01
            held &= bool(abs(mean - truth) <= (FINAL if final else partial) * error)
            if final:
                break
        n_held += held
    assert n_held >= 0.93 * n_draws  # 95 % within the luck of 200 draws
