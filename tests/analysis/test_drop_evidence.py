"""The question whether a drop is below a limit, looked at after every sample."""

from __future__ import annotations

import math

import pytest
import torch

from explorer.analysis.drop_below.evidence import (
    anytime_interval,
    log_evidence_above,
    log_evidence_below,
    tallied_so_far,
)


def draws(lost: float, won: float, runs: int, n: int, seed: int = 0) -> torch.Tensor:
    """(runs, n) of paired differences: 1 with probability ``lost``, -1 with ``won``."""
    u = torch.rand(runs, n, generator=torch.Generator().manual_seed(seed))
    return (u < lost).long() - (u > 1 - won).long()


def test_the_evidence_is_the_weighted_mean_of_products_over_the_samples() -> None:
    differences, limit = torch.tensor([1, 0, -1, 0, 0, 1, 0]), 0.01
    bets = [0.999 * 0.8**i / (1 - limit) for i in range(31)]
    products = [math.prod(1 + bet * (limit - d) for d in differences.tolist()) for bet in bets]
    expected = 0.5 * products[0] + 0.5 * sum(products[1:]) / 30
    counts = tallied_so_far(differences)[-1]
    assert float(log_evidence_below(counts, limit)) == pytest.approx(math.log(expected), rel=1e-9)
    assert float(log_evidence_above(counts, limit)) == pytest.approx(
        float(log_evidence_below(counts.flip(0), -limit)), rel=1e-12
    )


def test_of_400_streams_looked_at_after_every_sample_at_most_five_in_a_hundred_are_answered_wrongly() -> None:
    """Simulated at the limit itself, where a wrong yes is likeliest, and just below it, where a wrong no is."""
    runs, n, limit, needed = 400, 800, 0.01, math.log(2 / 0.05)
    at_limit = [(0.01, 0.0), (0.03, 0.02), (0.2, 0.19), (0.0149, 0.005)]
    for seed, (lost, won) in enumerate(at_limit):
        streams = draws(lost, won, runs, n, seed)
        counts = torch.stack([tallied_so_far(stream) for stream in streams])
        crossed = {
            way: float((evidence(counts, limit) >= needed).any(dim=1).double().mean())
            for way, evidence in (("yes", log_evidence_below), ("no", log_evidence_above))
        }
        assert max(crossed.values()) <= 0.05, (lost, won, crossed)
        # The usual interval, looked at as often, is wrong far more often: the simulation can tell.
        if lost == 0.2:
            steps = torch.arange(1, n + 1)
            mean = streams.double().cumsum(1) / steps
            spread = (streams.double().square().cumsum(1) / steps - mean.square()).clamp_min(1e-12).sqrt()
            usual = (mean + 1.96 * spread / steps.sqrt() < limit)[:, 30:].any(dim=1).double().mean()
            assert float(usual) > 0.1


def test_an_answer_comes_once_the_truth_is_far_from_the_limit() -> None:
    needed = math.log(2 / 0.05)
    for (lost, won), evidence in (((0.0, 0.0), log_evidence_below), ((0.2, 0.0), log_evidence_above)):
        counts = torch.stack([tallied_so_far(stream) for stream in draws(lost, won, 50, 450)])
        assert bool((evidence(counts, 0.01) >= needed).any(dim=1).all())


def test_the_interval_holds_the_limits_that_are_not_refused_and_the_mean() -> None:
    for counts in ((0, 450, 0), (3, 400, 20), (0, 3, 8), (5, 0, 0), (0, 0, 0)):
        tally = torch.tensor(counts, dtype=torch.float64)
        low, high = anytime_interval(tally)
        mean = (counts[2] - counts[0]) / max(1, sum(counts))
        assert -1 <= low <= mean <= high <= 1
        needed = math.log(2 / 0.05)
        for limit in (-0.9, -0.2, -0.01, 0.005, 0.01, 0.1, 0.6):
            refused = max(float(log_evidence_below(tally, limit)), float(log_evidence_above(tally, limit))) >= needed
            assert refused == (not low <= limit <= high)
