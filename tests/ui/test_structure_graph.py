"""The boxes of the graph on the Structure page: their numbers, what is lit, and what a click may say."""

from __future__ import annotations

import pytest

from explorer import models
from explorer.component import graph_part, parse_node
from explorer.component.graph import Box
from explorer.errors import ExplorerError
from explorer.pruning.coupling.wiring import wiring
from explorer.pruning.scoring import score
from explorer.pruning.spec import PruneSpec
from explorer.ui.structure.graph import boxes_of, size_of

HALF = PruneSpec("out_channel", "lp_norm", "uniform:sparsity=0.5")


def test_what_shrinks_with_the_chosen_group_is_lit_and_boxes_name_shape_and_number_of_weights() -> None:
    model = models.load("digits-resnet")
    scores = score(model, HALF)
    stem = next(group for group in scores.groups if group.name == "stem.conv")
    wired = wiring(model, scores.layers)
    boxes = {box.name: box for box in boxes_of(scores.groups, scores.layers, stem, wired)}
    assert boxes["stem.conv"].about == "16 × 1 × 3 × 3 · 144"
    assert {name for name, box in boxes.items() if box.role == "scored"} == {"stem.conv", "block1.conv2"}
    assert {name for name, box in boxes.items() if box.role == "consumes"} == {
        "block1.conv1", "block2.conv1", "block2.shortcut",
    }  # fmt: skip
    assert [box.label for box in boxes.values() if box.is_joint] == ["+"] * 3
    assert ("block1.conv1", "block1.conv2") in wired.edges
    assert ("block1.conv2", "block1.conv1") not in wired.edges
    assert boxes["block1.conv1"].words == "block1.conv1, 16 × 16 × 3 × 3 · 2,304 weights, loses input columns"


def test_a_box_is_as_wide_as_its_longer_line() -> None:
    assert size_of(Box("a", "a", "16 × 16 × 3 × 3 · 2,304"))[0] > size_of(Box("a", "a"))[0]
    assert size_of(Box("j", "+", is_joint=True)) == (26.0, 20.0)


def test_the_part_holds_each_box_once_with_its_place_and_whole_name() -> None:
    long = "block." * 40
    part = graph_part([Box(long, "block…")], {long: (80, 38)}, {long: (40, 19)}, [[(0, 0), (1.26, 2)]], words="w")
    assert part["nodes"][0]["name"] == long
    assert part["nodes"][0]["at"] == [40, 19]
    assert part["lines"] == [[0, 0, 1.3, 2]]


def test_only_a_box_of_the_graph_can_be_chosen() -> None:
    assert parse_node(None, {"a"}) is None
    assert parse_node("a", {"a"}) == "a"
    for value in ("b", 3, ["a"], {"a": 1}, "x" * 10_000):
        with pytest.raises(ExplorerError, match="none of its boxes"):
            parse_node(value, {"a"})
