"""The table of operators agrees with torch, and one entry is all that a new operator needs."""

from __future__ import annotations

import operator
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explorer.types.operators import OPERATORS, Operator, rule_of
from tests.house import ROOT

UNARY = [op for op in OPERATORS if op.unary]
ARGUMENTS: dict[str, tuple[Any, ...]] = {"clamp": (-1.0, 1.0), "pow": (2,), "threshold": (0.5, 0.0)}


def value(op: Operator, function: Any, x: Tensor) -> Tensor:
    arguments = (x,) if op.name == "type_as" else ARGUMENTS.get(op.name, ())
    if "dropout" in op.name:
        arguments = (0.5, False)
    result: Tensor = function(x.clone(), *arguments)
    return result


def test_an_operator_keeps_zeros_exactly_where_the_table_says_so() -> None:
    for op in UNARY:
        zero = torch.zeros(*(2, 3, 4) if op.name == "dropout1d" else (1, 2, 3, 4))
        for word, function in op.words().items():
            if op.keeps_zeros is not None:
                assert bool((value(op, function, zero) == 0).all()) is op.keeps_zeros, word
        if op.layer and op.keeps_zeros is not None:
            assert bool((getattr(nn, op.layer)().eval()(zero) == 0).all()) is op.keeps_zeros, op.layer


def test_a_unary_operator_changes_each_number_by_itself() -> None:
    torch.manual_seed(0)
    x = torch.rand(1, 3, 4) + 0.1
    other = x.clone()
    other[0, 1:] = 7.0
    for op in UNARY:
        if "dropout" in op.name:  # it is random where it does anything
            continue
        for word, function in op.words().items():
            assert torch.equal(value(op, function, x)[0, 0], value(op, function, other)[0, 0]), word


def test_an_operator_makes_exact_zeros_exactly_where_the_table_says_so() -> None:
    x = torch.linspace(-5.0, 0.4, 99)
    for op in UNARY:
        if op.keeps_zeros and not op.in_place and "dropout" not in op.name and op.name not in ("round", "float"):
            for word, function in op.words().items():
                assert bool((value(op, function, x) == 0).sum() > 1) is op.makes_zeros, word


def test_an_operation_in_place_has_the_rule_of_the_plain_one() -> None:
    for op in OPERATORS:
        if op.in_place and "m" in op.places:
            assert rule_of(op.name) is rule_of(op.name.removesuffix("_")), op.name
    assert rule_of(torch.relu) is rule_of(F.relu) is rule_of("relu") is rule_of("relu_")
    assert rule_of(operator.add) is rule_of(torch.add) is rule_of("add_")
    assert rule_of(torch.asinh) is None


ENTRY = '    Operator("asinh", "tm", Rule.UNARY, keeps_zeros=True, activation=True),\n'
FIRST = "OPERATORS: tuple[Operator, ...] = (\n"
# Prunes channels before asinh, skips what is small after it, and reads the small network back from its file.
USE = """
import sys
import torch
from torch import nn
from builders import loaded
from explorer import models
from explorer.export.slim import write_slim
from explorer.pruning.apply import masked
from explorer.pruning.plan import plan
from explorer.pruning.spec import Limit, PruneSpec
from explorer.recovery.activation_threshold import magnitudes

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(6, 8), nn.Linear(8, 4)
    def forward(self, x):
        return self.b(torch.asinh(self.a(x)))

torch.manual_seed(0)
model, x = loaded(Net(), 6), torch.randn(16, 6)
spec = PruneSpec("out_channel", "lp_norm", "uniform:sparsity=0.5")
for group in plan(model, spec).groups:
    spec = spec.with_limit(group.group.name, Limit(locked=False))
half = plan(model, spec)
assert list(half.kept_shapes["b.weight"]) == [4, 4], half.kept_shapes
assert list(magnitudes(model.module, x)) == ["network"]
again = models.load(str(write_slim(model, half, sys.argv[1]).weights))
assert (masked(model, half).module(x) - again.module(x)).abs().max() < 1e-5
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the library with one more operator in the table."""
    shutil.copytree(ROOT / "explorer", tmp_path / "explorer", ignore=shutil.ignore_patterns("__pycache__", "ui"))
    (tmp_path / "sample_models").mkdir()
    shutil.copy(ROOT / "sample_models" / "manifest.toml", tmp_path / "sample_models")
    table = tmp_path / "explorer" / "types" / "operators.py"
    text = table.read_text(encoding="utf-8")
    assert text.count(FIRST) == 1
    table.write_text(text.replace(FIRST, FIRST + ENTRY), encoding="utf-8")
    return tmp_path


@pytest.mark.slow
def test_one_entry_makes_an_operator_prunable_skippable_and_writable(tree: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", USE, str(tmp_path / "small.safetensors")]
    environment = os.environ | {"PYTHONPATH": f"{tree}{os.pathsep}{ROOT / 'tests' / 'pruning'}"}
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
