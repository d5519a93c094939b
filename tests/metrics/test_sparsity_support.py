"""Which runtime uses which zeros: the table is well-formed, and each mask is told its own."""

from __future__ import annotations

import re

import torch

from explorer import models
from explorer.metrics.sparsity_support import PATTERNS, TABLE, Support, advice, csr_ratio, pattern_of, supports
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.types import Plan
from tests.every import for_each


def made(unit: str, allocation: str = "uniform:sparsity=0.5", model: str = "digits-mlp") -> Plan:
    return make_plan(models.load(model), PruneSpec(unit, "lp_norm", allocation))  # type: ignore[arg-type]


@for_each("row", TABLE)
def test_every_row_says_where_and_when_it_was_read(row: Support) -> None:
    assert row.pattern in PATTERNS
    assert row.faster in ("yes", "sometimes", "no", "unknown")
    assert re.fullmatch(r"20\d\d(-\d\d){0,2}", row.as_of)
    assert row.source.startswith("https://") or "measured" in row.source
    assert row.condition.endswith(".")
    assert set(row.to_json()) >= {"runtime", "hardware", "since", "source"}


def test_every_pattern_but_none_has_a_row() -> None:
    assert {row.pattern for row in TABLE} == set(PATTERNS) - {"none"}


@for_each(
    ("unit", "allocation", "expected"),
    [
        ("weight", "uniform:sparsity=0", "none"),
        ("weight", "uniform:sparsity=0.5", "scattered"),
        ("out_channel", "uniform:sparsity=0.5", "units"),
        ("n_of_m", "uniform:sparsity=1", "two_of_four"),
        ("n_of_m:n=1,m=4", "uniform:sparsity=1", "n_of_m"),
        ("block", "uniform:sparsity=0.5", "blocks"),
    ],
)
def test_the_pattern_is_read_from_the_masks(unit: str, allocation: str, expected: str) -> None:
    plan = made(unit, allocation)
    assert pattern_of(plan) == expected
    assert all(row.pattern == expected for row in supports(plan))


def test_single_zeros_are_told_that_dense_kernels_do_not_skip_them() -> None:
    said = " ".join(advice(made("weight")))
    assert "Dense kernels (torch, ONNX Runtime) take as long as before." in said
    assert "below about 70 %" in said
    assert "measure yours" in " ".join(advice(made("weight", "uniform:sparsity=0.9")))


def test_two_of_four_is_told_its_hardware() -> None:
    said = " ".join(advice(made("n_of_m", "uniform:sparsity=1")))
    assert "compute capability 8.0" in said
    assert "on CPUs they save no time" in said


def test_nothing_pruned_saves_nothing() -> None:
    assert advice(made("weight", "uniform:sparsity=0")) == ("Nothing is pruned, so there is nothing to save.",)


def test_dense_and_csr_layers_are_timed_against_each_other() -> None:
    found = csr_ratio(0.75, size=16, batch=2, pairs=6)
    assert (found.origin, found.unit, found.n, found.batch_size) == ("measured", "x", 6, 2)
    assert found.value > 0
    assert "75 % zeros" in found.note or "75% zeros" in found.note


def test_the_csr_layer_computes_what_the_dense_one_does() -> None:
    weight = torch.randn(8, 8) * (torch.rand(8, 8) > 0.7)
    x = torch.randn(3, 8)
    assert torch.allclose(weight @ x.T, weight.to_sparse_csr() @ x.T, atol=1e-6)
