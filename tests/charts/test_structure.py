"""The shape of a network: widths before and after, and a graph in which everything that shrinks is lit."""

from __future__ import annotations

import pytest
import torch

from explorer import models
from explorer.charts.structure import coupling_dot, widths
from explorer.pruning.coupling.wiring import Wiring, wiring
from explorer.pruning.plan import plan
from explorer.pruning.scoring import score
from explorer.pruning.spec import PruneSpec
from explorer.types import LayerInfo, LayerTable, LoadedModel, Part, PruningGroup

HALF = PruneSpec("out_channel", "lp_norm", "uniform:sparsity=0.5")


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    return models.load("digits-resnet")


def test_every_line_has_its_width_before_and_after(model: LoadedModel) -> None:
    before, after = widths(plan(model, HALF)).data
    assert list(before.y) == [16, 16, 32, 32, 64, 64]
    assert list(after.y) == [16, 8, 16, 16, 32, 32]


def test_what_shrinks_with_the_chosen_line_is_lit_and_arrows_run_forward(model: LoadedModel) -> None:
    scores = score(model, HALF)
    dot = coupling_dot(scores.groups, scores.layers, "stem.conv", wiring(model, scores.layers))
    named = (line.strip().split(" ", 1) for line in dot.splitlines() if ", fillcolor" in line and "[label" in line)
    lines = {name: about.partition(", fillcolor")[2] for name, about in named}
    assert '"stem.conv" [label="stem.conv\\n16 × 1 × 3 × 3 · 144"' in dot
    rows = next(iter({lines['"stem.conv"'], lines['"block1.conv2"']}))
    columns = {lines['"block1.conv1"'], lines['"block2.conv1"'], lines['"block2.shortcut"']}
    assert lines['"stem.conv"'] == lines['"block1.conv2"']
    assert len(columns) == 1
    assert rows not in columns
    assert '"block3.conv1"' not in lines
    assert '"block1.conv2" -> "block1.conv1"' not in dot
    assert '"block1.conv1" -> "block1.conv2"' in dot
    assert dot.count('[label="+"') == 3


def test_a_hostile_name_stays_inside_its_quotes() -> None:
    name = 'a"];\n<b>x</b> [URL="http://example.org'
    layers = LayerTable((LayerInfo(name, "w", "Linear", (4, 4), "a"), LayerInfo("b", "v", "Linear", (4, 4), "b")))
    units = torch.arange(4)
    parts = (Part("w", 0, units, "scored"), Part("v", 1, units, "consumes"))
    dot = coupling_dot(
        [PruningGroup(name, (name,), 4, "channel", 16, "a", "Linear", parts=parts)],
        layers,
        name,
        Wiring(((name, "b"),)),
    )
    assert '"a\\"]; <b>x</b> [URL=\\"http://example.org"' in dot
    assert dot.count("\n") == len(dot.splitlines()) - 1
