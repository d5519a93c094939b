"""A model that disagrees with itself is refused before its first number, whatever door it came through."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import explorer as ex
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError
from explorer.types import LoadedModel, Split


class Dropping(nn.Module):
    """Dropout that does not follow the mode."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(8, 64)

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.dropout(self.inner(x))


def test_chance_in_the_forward_pass_is_refused_with_the_module_at_fault() -> None:
    module = nn.Sequential(nn.Linear(8, 8), Dropping(), nn.Linear(64, 3)).eval()
    split = Split("tune", torch.randn(40, 8), None)
    by_hand = LoadedModel("own", module, {n: p.detach() for n, p in module.named_parameters()}, "own", split.x[:1], 3)
    for model in (ex.load(module, example=split.x), by_hand):
        with pytest.raises(ExplorerError, match="two passes over the same inputs differ") as refusal:
            Evaluator(model, split).dense()
        assert "1 (Dropping)" in refusal.value.why


def test_statistics_of_the_batch_and_numbers_that_are_none_are_named_when_a_module_is_opened() -> None:
    norm = nn.BatchNorm1d(8, track_running_stats=False)
    mixing = nn.Sequential(nn.Conv1d(4, 8, 3), norm, nn.Flatten(), nn.Linear(48, 3)).eval()
    broken = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.Linear(8, 3)).eval()
    broken[1].running_var[2] = float("nan")
    named = {finding.layer for finding in ex.load(mixing, example=torch.randn(3, 4, 8)).findings}
    assert "1" in named
    findings = ex.load(broken, example=torch.randn(3, 8)).findings
    assert any(f.level == "fail" and f.what.startswith("1.running_var holds NaN") for f in findings)


def test_the_same_model_without_chance_is_measured() -> None:
    module = nn.Sequential(nn.Linear(8, 8), nn.Dropout(), nn.Linear(8, 3)).eval()
    split = Split("tune", torch.randn(40, 8), None)
    predictions = Evaluator(ex.load(module, example=split.x), split).dense().predictions
    assert torch.equal(predictions, module(split.x).argmax(dim=1))
