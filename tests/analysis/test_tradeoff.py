"""The sweep asks for what it promises, and the front is what nothing else beats."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from explorer.analysis.tradeoff import label_of, pareto, sparsity_for_ratio, sweep
from explorer.errors import ExplorerError
from explorer.metrics.size import compression_ratio
from explorer.pruning.level import with_sparsity
from explorer.pruning.plan import plan
from explorer.pruning.spec import Limit, PruneSpec
from explorer.types import Dataset, LoadedModel, Measurement, Split, TradeOffPoint, tensors_digest
from tests.every import for_each


def mlp(*widths: int) -> LoadedModel:
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(widths):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    module = nn.Sequential(*layers[:-1]).eval()
    weights = {name: p.detach() for name, p in module.named_parameters()}
    return LoadedModel("mlp", module, weights, tensors_digest(weights), torch.zeros(1, widths[0]), widths[-1])


def samples(n: int, n_in: int, n_classes: int) -> Dataset:
    torch.manual_seed(1)
    split = Split("tune", torch.randn(n, n_in), torch.arange(n) % n_classes)
    return Dataset(
        "made up", {"tune": split}, tuple("abcdefgh"[:n_classes]), "d", {"test": "There are too few samples."}
    )


MODEL, DATA = mlp(20, 30, 4), samples(80, 20, 4)


@for_each("ratio", [1.0, 1.5, 2.0, 4.0, 8.0, 16.0])
@for_each("allocation", ["global", "uniform"])
def test_the_whole_model_shrinks_by_the_ratio_that_was_asked(ratio: float, allocation: str) -> None:
    spec = PruneSpec("weight", "lp_norm", allocation)
    found = plan(MODEL, with_sparsity(spec, sparsity_for_ratio(MODEL, spec, ratio)))
    assert compression_ratio(MODEL, found).value == pytest.approx(ratio, rel=0.02)


def test_single_weights_under_one_ranking_reach_the_ratio_exactly() -> None:
    spec = PruneSpec()
    n_all, n_biases = 20 * 30 + 30 + 30 * 4 + 4, 34
    sparsity = sparsity_for_ratio(MODEL, spec, 4.0)
    assert sparsity * (n_all - n_biases) == pytest.approx(n_all - n_all // 4)
    assert compression_ratio(MODEL, plan(MODEL, with_sparsity(spec, sparsity))).value == n_all / (n_all // 4)


@pytest.mark.parametrize(
    "spec", [PruneSpec("out_channel"), PruneSpec(limits={"0": Limit(cap=0.9), "2": Limit(cap=0.9)})]
)
def test_it_is_the_least_sparsity_that_compresses_so_much(spec: PruneSpec) -> None:
    spec = spec.with_limit("0", Limit(locked=False, cap=0.9))
    sparsity = sparsity_for_ratio(MODEL, spec, 2.0)
    assert compression_ratio(MODEL, plan(MODEL, with_sparsity(spec, sparsity))).value >= 2.0
    assert compression_ratio(MODEL, plan(MODEL, with_sparsity(spec, sparsity - 0.05))).value < 2.0


def test_a_ratio_out_of_reach_ends_at_the_highest_one() -> None:
    spec = PruneSpec(limits={"0": Limit(locked=True)})
    sparsity = sparsity_for_ratio(MODEL, spec, 100.0)
    everything = plan(MODEL, with_sparsity(spec, 1.0))
    assert compression_ratio(MODEL, plan(MODEL, with_sparsity(spec, sparsity))) == compression_ratio(MODEL, everything)


def test_the_sweep_measures_one_point_for_each_level_in_rising_order() -> None:
    points = list(sweep(MODEL, None, DATA))
    assert [round(p.compression_ratio, 1) for p in points] == [1.0, 2.0, 4.0, 8.0, 16.0, 22.2]
    assert points[0].drop.value == 0.0
    assert all(p.accuracy.n == 80 and p.accuracy.origin == "measured" for p in points)
    assert [PruneSpec.from_json(p.spec) for p in points] == [with_sparsity(PruneSpec(), p.asked) for p in points]
    assert all(p.theoretical_speedup >= p.compression_ratio * 0.9 for p in points)
    assert points[-1].size_bytes < points[0].size_bytes


def test_sparsities_may_be_given_instead() -> None:
    points = list(sweep(MODEL, None, DATA, sparsities=(0.9, 0.0, 0.5)))
    assert [p.asked for p in points] == [0.0, 0.5, 0.9]
    assert [p.sparsity for p in points] == [pytest.approx(s, abs=1e-3) for s in (0.0, 0.5, 0.9)]


def test_the_caller_may_stop_after_any_point() -> None:
    points = sweep(MODEL, None, DATA)
    assert next(points).compression_ratio == 1.0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"spec": PruneSpec(allocation="threshold")}, "no overall sparsity"),  # type: ignore[arg-type]
        ({"ratios": (0.5,)}, "compression ratio of 0.5"),
        ({"sparsities": (1.5,)}, "sparsity of 1.5"),
    ],
)
def test_levels_that_cannot_be_are_refused_at_once(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ExplorerError, match=said):
        sweep(MODEL, data=DATA, **options)


def test_an_absent_split_is_refused_with_its_reason() -> None:
    with pytest.raises(ExplorerError, match="has no test split. There are too few samples"):
        next(sweep(MODEL, None, DATA, split="test"))


def test_a_label_names_what_differs_from_the_default() -> None:
    assert label_of(PruneSpec("out_channel", "lp_norm:p=1", "uniform:sparsity=0.5")) == (
        "out_channel, lp_norm(p=1.0), uniform"
    )


def point(ratio: float, accuracy: float) -> TradeOffPoint:
    measured = Measurement("accuracy", accuracy, "fraction", "measured")
    return TradeOffPoint({}, "", 0.0, 0.0, ratio, 1.0, 1, measured, measured)


def test_a_front_written_out_by_hand() -> None:
    points = [point(1, 0.9), point(2, 0.95), point(4, 0.8), point(4, 0.85), point(8, 0.85), point(3, 0.7)]
    assert pareto(points) == (point(2, 0.95), point(8, 0.85))


grid = st.builds(point, st.integers(1, 6).map(float), st.integers(0, 5).map(lambda n: n / 5))


@given(st.lists(grid, max_size=15))
def test_the_front_is_what_no_point_beats(points: list[TradeOffPoint]) -> None:
    def beats(a: TradeOffPoint, b: TradeOffPoint) -> bool:
        better = (a.compression_ratio >= b.compression_ratio, a.accuracy.value >= b.accuracy.value)
        return all(better) and (a.compression_ratio, a.accuracy.value) != (b.compression_ratio, b.accuracy.value)

    unbeaten = {(p.compression_ratio, p.accuracy.value) for p in points if not any(beats(q, p) for q in points)}
    assert [(p.compression_ratio, p.accuracy.value) for p in pareto(points)] == sorted(unbeaten)
