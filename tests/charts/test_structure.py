"""How wide the layers of a network are before and after."""

from __future__ import annotations

import pytest

from explorer import models
from explorer.charts.structure import widths
from explorer.pruning.plan import plan
from explorer.pruning.spec import PruneSpec
from explorer.types import LoadedModel

HALF = PruneSpec("out_channel", "lp_norm", "uniform:sparsity=0.5")


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    return models.load("digits-resnet")


def test_every_line_has_its_width_before_and_after(model: LoadedModel) -> None:
    before, after = widths(plan(model, HALF)).data
    assert list(before.y) == [16, 16, 32, 32, 64, 64]
    assert list(after.y) == [16, 8, 16, 16, 32, 32]
