"""Rank correlation, rank stability, and two criteria on one layer."""

from __future__ import annotations

import json
import math

import pytest
import torch
from torch import nn

from explorer import data as sources
from explorer import models
from explorer.analysis.criteria_compared import CriteriaCompared, compare_criteria, compared
from explorer.analysis.rank_correlation import spearman
from explorer.analysis.rank_stability import stability
from explorer.errors import ExplorerError
from explorer.pruning.plan import plan
from explorer.pruning.scoring import score
from explorer.pruning.spec import PruneSpec
from explorer.types import Dataset, LoadedModel, PruningGroup, Scores, Split, tensors_digest

LAYER = "block2.conv1"


def digits() -> tuple[LoadedModel, Dataset]:
    model = models.load("digits-resnet")
    return model, sources.load("digits", model=model)


def two(first: list[float], second: list[float], sparsity: float) -> CriteriaCompared:
    group = PruningGroup("fc", ("fc",), len(first), "weight", len(first), "fc", "Linear")
    both = {
        name: Scores((group,), {"fc": torch.tensor(values)}, layers=None, ranks={}, deviations={})
        for name, values in (("one", first), ("other", second))
    }
    return compared(both, "fc", sparsity=sparsity)


def test_spearman_is_the_textbook_formula_without_ties() -> None:
    # 1 - 6 sum d^2 / (n (n^2 - 1)); d = 1, 1, 1, 1, 0.
    a, b = torch.tensor([1.0, 2, 3, 4, 5]), torch.tensor([20.0, 10, 40, 30, 50])
    assert spearman(a, b) == pytest.approx(1 - 6 * 4 / (5 * 24))
    assert spearman(a, -b) == pytest.approx(-0.8)
    assert spearman(a, a.exp()) == pytest.approx(1)


def test_spearman_with_ties_equals_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    generator = torch.Generator().manual_seed(0)
    for n_values in (2, 3, 10, 1000):
        a, b = torch.randint(0, n_values, (2, 500), generator=generator).float()
        b = b + a / 2
        assert spearman(a, b) == pytest.approx(stats.spearmanr(a.numpy(), b.numpy()).statistic, abs=1e-12)


def test_spearman_of_lists_without_an_order_is_defined() -> None:
    flat, rising = torch.ones(4), torch.arange(4.0)
    assert spearman(flat, 2 * flat) == 1
    assert spearman(flat, rising) == 0
    assert math.isfinite(spearman(torch.ones(0), torch.ones(0)))


def test_stability_is_the_rank_correlation_of_both_halves() -> None:
    stats = pytest.importorskip("scipy.stats")
    model, data = digits()
    spec = PruneSpec("out_channel", "taylor:n_samples=64")
    found = stability(model, spec, data)
    fit = data.splits["fit"]
    halves = []
    for i in (0, 1):
        split = Split("fit", fit.x[i:64:2], fit.y[i:64:2])
        alone = Dataset("half", {"fit": split}, data.classes, f"half {i}")
        halves.append(torch.cat(list(score(model, spec, alone).values.values())))
    assert found.value == pytest.approx(stats.spearmanr(*(half.numpy() for half in halves)).statistic)
    assert (found.n, found.origin) == (64, "measured")
    assert "64 samples" in found.note
    more = stability(model, PruneSpec("out_channel", "taylor:n_samples=512"), data)
    assert 0.5 < found.value < more.value <= 1


def test_a_criterion_without_data_is_stable_and_says_why() -> None:
    model, data = digits()
    for given in (data, None):
        found = stability(model, PruneSpec(criterion="lp_norm"), given)
        assert (found.value, found.n) == (1, 0)
        assert "no data" in found.note


def test_stability_refuses_what_has_no_halves() -> None:
    model, data = digits()
    with pytest.raises(ExplorerError, match="there is none"):
        stability(model, PruneSpec(criterion="taylor"))
    fit = data.splits["fit"]
    one = Dataset("one", {"fit": Split("fit", fit.x[:1], fit.y[:1])}, data.classes, "one")
    with pytest.raises(ExplorerError, match="no halves"):
        stability(model, PruneSpec(criterion="taylor"), one)


def test_overlap_ranks_and_disputes_are_counted_by_hand() -> None:
    found = two([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [6.0, 2.0, 1.0, 5.0, 4.0, 3.0], 0.5)
    # One lets 0, 1, 2 go, the other 1, 2, 5.
    assert (found.n_pruned, found.n_both) == (3, 2)
    assert found.overlap == pytest.approx(2 / 3)
    assert found.overlap_by_chance == 0.5
    assert [ranks.tolist() for ranks in found.ranks()] == [[0, 1, 2, 3, 4, 5], [5, 1, 0, 4, 3, 2]]
    disputes = found.disputes()
    assert [(d.unit, d.ranks) for d in disputes] == [(0, (0, 5)), (5, (5, 2))]
    assert disputes[0].scores == (pytest.approx(0.1), 6.0)
    assert found.disputes(1) == disputes[:1]


def test_nothing_and_everything_are_levels_too() -> None:
    none, whole = (two([1.0, 2.0], [2.0, 1.0], s) for s in (0.0, 1.0))
    assert none.overlap is None
    assert not none.disputes()
    assert (whole.overlap, whole.n_pruned, whole.overlap_by_chance) == (1, 2, 1)


def test_a_comparison_takes_the_scores_and_cuts_of_the_plans() -> None:
    model, data = digits()
    spec = PruneSpec("out_channel", "taylor:n_samples=64", "uniform:sparsity=0.25")
    found = compare_criteria(model, spec, "lp_norm", LAYER, data, sparsity=0.25)
    assert found.names == ("Taylor", "Magnitude")
    kept = plan(model, spec, data=data).masks[f"{LAYER}.weight"].flatten(1).any(1)
    assert torch.equal(kept, found.kept[0])
    assert -1 <= found.correlation <= 1
    told = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert told["n_under_both"] + told["n_under_one_only"] == told["n_pruned"] == 8


def test_a_layer_that_shares_its_channels_is_found_under_any_name() -> None:
    model, _ = digits()
    groups = score(model, PruneSpec("out_channel")).groups
    shared = next(group for group in groups if len(group.layers) > 1 and group.why_not is None)
    found = compare_criteria(model, PruneSpec("out_channel"), "lamp", shared.layers[-1])
    assert found.group.name == shared.name
    # LAMP orders a layer as its energies do.
    assert found.correlation == pytest.approx(1)


def test_criteria_of_one_kind_are_told_apart_by_what_differs() -> None:
    model, _ = digits()
    found = compare_criteria(model, PruneSpec("out_channel", "lp_norm:p=1"), "lp_norm:p=2", LAYER)
    assert found.names == ("Magnitude, p=1.0", "Magnitude, p=2.0")
    with pytest.raises(ExplorerError, match="agrees with itself"):
        compare_criteria(model, PruneSpec(), "lp_norm", LAYER)


def test_what_cannot_be_compared_is_refused_in_a_sentence() -> None:
    model, _ = digits()
    with pytest.raises(ExplorerError, match="no layer called 'nope'"):
        compare_criteria(model, PruneSpec(), "lamp", "nope")
    with pytest.raises(ExplorerError, match="cannot rank"):
        compare_criteria(model, PruneSpec(), "bn_scale", LAYER)
    with pytest.raises(ExplorerError, match="in pairs"):
        compared({"one": score(model, PruneSpec())}, LAYER)
    with pytest.raises(ExplorerError, match="not a share"):
        two([1.0], [2.0], 1.5)


def test_one_channel_always_stays() -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).requires_grad_(False)
    weights = dict(module.named_parameters())
    model = LoadedModel("tiny", module.eval(), weights, tensors_digest(weights), example=torch.zeros(1, 3))
    found = compare_criteria(model, PruneSpec("out_channel"), "random", "0", sparsity=1.0)
    assert found.n_pruned == 3
    assert [int(kept.sum()) for kept in found.kept] == [1, 1]
