"""How many units from each layer: ERK and sensitivity against arithmetic by hand, and what all allocations keep to."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from builders import Plain, Residual, loaded
from torch import nn

from explorer.analysis.sensitivity.allocation import from_scan
from explorer.analysis.sensitivity.scan import Sensitivity, scan
from explorer.analysis.tradeoff import sweep
from explorer.errors import ExplorerError
from explorer.pruning.allocation import ALLOCATIONS, BySensitivity, Erk
from explorer.pruning.allocation.base import Bounds
from explorer.pruning.allocation.curves import Curve, isotonic, named_point, points_by_group
from explorer.pruning.allocation.filling import filled
from explorer.pruning.level import with_sparsity
from explorer.pruning.plan import plan, score
from explorer.pruning.spec import Limit, PruneSpec
from tests.analysis.scans import small
from tests.every import for_each

LEVELS = (0.25, 0.5, 0.75)


def pruned(ours: object) -> dict[str, int]:
    return {k.group.name: k.n_pruned for k in ours.groups}  # type: ignore[attr-defined]


def lines(**curves: tuple[float, ...]) -> tuple[tuple[str, float], ...]:
    """A curve for each layer from its drops at LEVELS."""
    points = {named_point(k, s): d for k, drops in curves.items() for s, d in zip(LEVELS, drops, strict=True)}
    return tuple(sorted(points.items()))


class Two(nn.Module):
    """Two linear layers of 100 x 50 and 50 x 10: 5,000 and 500 weights."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(100, 50), nn.Linear(50, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.b(torch.relu(self.a(x)))


def test_erk_is_the_formula_worked_out_by_hand() -> None:
    # Raw densities (50 + 100) / 5000 = 0.03 and (10 + 50) / 500 = 0.12. Half of 5,500 weights stay:
    # eps * (150 + 60) = 2750 would make b 1.57 dense, so b stays whole and a keeps 2750 - 500 = 2250.
    assert pruned(plan(loaded(Two(), 100), PruneSpec(allocation=Erk(0.5)))) == {"a": 2750, "b": 0}
    # At 90 %: eps * 210 = 550, so a keeps 150 eps = 392.86 and b keeps 60 eps = 157.14; 393 + 157 = 550.
    assert pruned(plan(loaded(Two(), 100), PruneSpec(allocation=Erk(0.9)))) == {"a": 5000 - 393, "b": 500 - 157}


def test_erk_counts_kernels_as_the_paper_does() -> None:
    model = loaded(Plain(), 1, 8, 8)
    raw = {"conv1": (1 + 6 + 3 + 3) / 54, "conv2": (6 + 8 + 3 + 3) / 432, "fc": (32 + 4) / 128}
    sizes = {"conv1": 54, "conv2": 432, "fc": 128}
    n_kept = 614 - round(0.8 * 614)
    eps = n_kept / sum(raw[name] * sizes[name] for name in sizes)
    wanted = {name: eps * raw[name] * sizes[name] for name in sizes}
    assert all(eps * raw[name] < 1 for name in sizes)
    found = pruned(plan(model, PruneSpec(allocation=Erk(0.8))))
    assert sum(found.values()) == 614 - n_kept
    assert all(abs(sizes[name] - found[name] - wanted[name]) < 1 for name in sizes)


@for_each("sparsity", [0.0, 0.1, 0.37, 0.5, 0.83, 0.99, 1.0])
def test_erk_prunes_exactly_what_was_asked(sparsity: float) -> None:
    ours = plan(loaded(Residual(), 1, 8, 8), PruneSpec(allocation=Erk(sparsity)))
    assert ours.n_pruned == round(sparsity * ours.layers.n_prunable)


def test_erk_on_channels_takes_the_density_of_the_layers_that_share_them() -> None:
    model = loaded(Residual(), 1, 8, 8)
    spec = PruneSpec("out_channel", allocation=Erk(0.5), limits={"stem": Limit(locked=False)})
    # stem and conv2 share 6 channels: (6+1+3+3 + 6+8+3+3) / (54 + 432); conv1 has 8: (8+6+3+3) / 432.
    raw = {"stem": 33 / 486, "conv1": 20 / 432}
    eps = 7 / (6 * raw["stem"] + 8 * raw["conv1"])
    stem = round(6 - min(6, 6 * eps * raw["stem"]))
    found = pruned(plan(model, spec))
    assert (found["stem"], found["conv1"]) == (stem, 7 - stem)


def test_the_sensitivity_allocation_gives_every_layer_the_same_single_drop() -> None:
    # a rises by 0.4 a unit share, b by 0.8: at a common drop of 0.2 they give up 1/2 and 1/4.
    member = BySensitivity((2500 + 125) / 5500, lines(a=(0.1, 0.2, 0.3), b=(0.2, 0.4, 0.6)))
    assert pruned(plan(loaded(Two(), 100), PruneSpec(allocation=member))) == {"a": 2500, "b": 125}


def test_layers_that_cost_nothing_go_first_and_equally() -> None:
    # Both are free up to one half; a quarter of everything is asked: each goes half of the way.
    member = BySensitivity(0.25, lines(a=(0.0, 0.0, 0.5), b=(0.0, 0.0, 0.1)))
    assert pruned(plan(loaded(Two(), 100), PruneSpec(allocation=member))) == {"a": 1250, "b": 125}


def test_noise_in_a_scan_is_smoothed_so_that_more_never_costs_less() -> None:
    curve = Curve.smoothed([(0.25, 0.2), (0.5, 0.1), (0.75, 0.6)])
    assert curve.costs == pytest.approx((0.0, 0.15, 0.15, 0.6, 1.0))
    assert Curve.smoothed([(0.5, -0.01)]).costs == (0.0, 0.0, 1.0)


def test_isotonic_regression_is_the_least_squares_solution_of_all_rising_ones() -> None:
    generator = torch.Generator().manual_seed(1)
    for _ in range(20):
        values = torch.rand(6, generator=generator).tolist()
        ours = isotonic(values)
        # Max-min formula (Barlow et al. 1972): max over starts of the min over ends of the mean.
        oracle = [
            max(min(math.fsum(values[s : e + 1]) / (e - s + 1) for e in range(i, 6)) for s in range(i + 1))
            for i in range(6)
        ]
        assert ours == pytest.approx(oracle)


def test_a_curve_reads_the_same_both_ways() -> None:
    curve = Curve.smoothed([(0.25, 0.0), (0.5, 0.1), (0.75, 0.1)])
    assert [curve.cost(s) for s in (0.0, 0.25, 0.375, 0.75, 1.0)] == pytest.approx([0.0, 0.0, 0.05, 0.1, 1.0])
    # On a level stretch the largest share counts.
    found = [curve.share(c) for c in (-0.1, 0.0, 0.05, 0.1, 0.55, 2.0)]
    assert found == pytest.approx([0, 0.25, 0.375, 0.75, 0.875, 1])


def test_names_with_any_character_survive_as_points_of_a_curve() -> None:
    assert points_by_group([(named_point("a@b.c (2)", 1 / 3), 0.1)]) == {"a@b.c (2)": [(pytest.approx(1 / 3), 0.1)]}
    with pytest.raises(ExplorerError, match="LAYER@SHARE"):
        points_by_group([("conv1", 0.1)])


def test_without_a_scan_the_allocation_says_what_is_missing() -> None:
    model = loaded(Two(), 100)
    with pytest.raises(ExplorerError, match="there is none"):
        plan(model, PruneSpec(allocation="sensitivity:sparsity=0.5"))
    with pytest.raises(ExplorerError, match="'b' is not known"):
        plan(model, PruneSpec(allocation=BySensitivity(0.5, lines(a=(0, 0, 0)))))
    locked = PruneSpec(allocation=BySensitivity(0.5, lines(a=(0, 0, 0))), limits={"b": Limit(locked=True)})
    assert pruned(plan(model, locked)) == {"a": 2500, "b": 0}


def test_a_scan_becomes_an_allocation_that_sweeps_and_survives_json() -> None:
    model, data = small("digits-cnn")
    found = Sensitivity.of(scan(model, data, levels=LEVELS))
    spec = PruneSpec(allocation=from_scan(found))
    assert PruneSpec.from_json(spec.to_json()) == spec
    points = list(sweep(model, spec, data, sparsities=(0.2, 0.6)))
    assert [p.sparsity for p in points] == pytest.approx([0.2, 0.6], abs=1e-4)
    assert from_scan(found, 0.6) == with_sparsity(spec, 0.6).allocation
    with pytest.raises(ExplorerError, match="no cells"):
        from_scan(Sensitivity(()))


@for_each("key", ALLOCATIONS.members)
def test_every_allocation_by_default_prunes_nothing(key: str) -> None:
    assert plan(loaded(Plain(), 1, 8, 8), PruneSpec(allocation=key)).n_pruned == 0


@for_each("unit", ["weight", "out_channel", "kernel"])
@for_each("key", ["uniform", "global", "erk", "owl", "sensitivity"])
def test_floors_caps_and_locks_hold_under_every_allocation(key: str, unit: str) -> None:
    model = loaded(Plain(), 1, 8, 8)
    limits = {"conv1": Limit(locked=True, floor=0.5), "conv2": Limit(floor=0.25, cap=0.5)}
    bare = PruneSpec(unit, allocation=key, limits=limits)
    if key == "sensitivity":
        named = {k.name: (0.0, 0.1, 0.2) for k in score(model, bare).groups if k.why_not is None}
        bare = PruneSpec(unit, allocation=BySensitivity(0.0, lines(**named)), limits=limits)
    last: dict[str, int] = {}
    for sparsity in (0.0, 0.3, 0.6, 1.0):
        ours = plan(model, with_sparsity(bare, sparsity))
        shares = {k.group.name: k.sparsity for k in ours.groups}
        assert shares["conv1"] == 0.5
        assert 0.25 <= shares["conv2"] <= 0.5
        assert all(k.n_pruned >= last.get(k.group.name, 0) for k in ours.groups)
        last = pruned(ours)


def test_filling_meets_any_sum_within_random_bounds() -> None:
    generator = torch.Generator().manual_seed(2)
    for _ in range(200):
        ends = torch.randint(0, 9, (4, 2), generator=generator).sort(dim=1).values.tolist()
        bounds = {f"k{i}": Bounds(low, high) for i, (low, high) in enumerate(ends)}
        steps = torch.rand(4, 5, generator=generator).cumsum(1).tolist()
        n = int(torch.randint(0, 33, (1,), generator=generator))

        def at(level: float, steps: list[list[float]] = steps) -> dict[str, float]:
            return {f"k{i}": 2.5 * row[min(4, int(5 * level))] for i, row in enumerate(steps)}

        counts = filled(at, bounds, n)
        assert all(bounds[name].clamp(count) == count for name, count in counts.items())
        low, high = (sum(getattr(b, end) for b in bounds.values()) for end in ("low", "high"))
        assert sum(counts.values()) == min(max(n, low), high)


def test_filling_never_takes_less_when_more_is_asked() -> None:
    bounds = {"a": Bounds(0, 40), "b": Bounds(3, 17)}
    found = [filled(lambda t: {"a": 40 * t * t, "b": 17 * t}, bounds, n) for n in range(3, 58)]
    assert all(more[k] >= less[k] - 1 for less, more in pairwise(found) for k in bounds)
