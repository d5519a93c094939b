from __future__ import annotations

import base64
import json
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from explorer.component import ListState, dynamic_part, payload, static_part, streamlit_js, strips_part
from explorer.errors import ExplorerError
from explorer.types import GroupPlan, LayerTable, Plan, PruningGroup
from tests.every import for_each


def group(name: str, n: int, **more: Any) -> PruningGroup:
    return PruningGroup(
        name=name, layers=(name,), n_units=n, unit="weight", n_weights=n, block="b", kind="Linear", **more
    )


def plan_of(*planned: GroupPlan) -> Plan:
    return Plan(spec={}, groups=planned, masks={}, layers=LayerTable(()), asked=0.0, digest="")


def only(static: dict[str, Any]) -> dict[str, Any]:
    return static["groups"][0]


def table(told: dict[str, Any]) -> tuple[list[float], list[int]]:
    edges = np.frombuffer(base64.b64decode(told["edges"]), "<f4")
    counts = np.frombuffer(base64.b64decode(told["counts"]), "<u4")
    return edges.tolist(), counts.tolist()


def seeded(n: int) -> Tensor:
    return torch.randn(n, generator=torch.Generator().manual_seed(n)).abs()


CASES = {
    "many": seeded(20_000),
    "few": seeded(16),
    "one": torch.tensor([0.5]),
    "ties": seeded(5_000).mul(100).round() / 100,
    "all equal": torch.full((3_000,), 0.25),
    "all zero": torch.zeros(700),
    "some zeros": torch.cat([torch.zeros(900), seeded(3_000)]),
    "negative": torch.randn(4_000, generator=torch.Generator().manual_seed(1)),
    "half precision": seeded(4_000).half(),
    "double precision": seeded(4_000).double(),
    "huge range": torch.logspace(-30, 30, 2_000),
}


@for_each("scores", CASES.values())
def test_the_table_counts_exactly_how_many_scores_are_below_each_of_its_points(scores: Tensor) -> None:
    edges, counts = table(only(static_part([group("a", len(scores))], {"a": scores})))

    assert counts == [int((scores.double() < edge).sum()) for edge in edges]
    assert counts[0] == 0
    assert counts[-1] == len(scores)


@for_each("scores", CASES.values())
def test_a_bar_is_empty_exactly_where_no_score_lies(scores: Tensor) -> None:
    told = only(static_part([group("a", len(scores))], {"a": scores}))
    bars = base64.b64decode(told["linear"])
    ranked = np.sort(scores.float().numpy() if scores.dtype != torch.float64 else scores.numpy())
    shown = ranked[told["zeros"] :]

    edges = np.linspace(told["start"], told["high"], len(bars) + 1)[1:-1].astype(ranked.dtype)
    oracle = np.bincount(np.searchsorted(edges, shown, "right"), minlength=len(bars))

    assert [bar > 0 for bar in bars] == [n > 0 for n in oracle.tolist()]
    assert max(bars) == (255 if len(shown) else 0)


def test_exact_zeros_are_split_off() -> None:
    told = only(static_part([group("a", 3_900)], {"a": CASES["some zeros"]}))

    assert told["zeros"] == 900
    assert told["low"] > 0


def test_a_small_group_lists_every_score_it_has() -> None:
    scores = CASES["few"]
    told = only(static_part([group("a", 16)], {"a": scores}))

    edges, _ = table(told)

    assert told["exact"]
    assert edges[:-1] == sorted(scores.tolist())


def test_a_point_above_every_score_ends_the_table() -> None:
    edges, _ = table(only(static_part([group("a", 16)], {"a": CASES["few"]})))

    assert edges[-1] > float(CASES["few"].max())


def test_a_group_without_scores_keeps_its_reason() -> None:
    told = only(static_part([group("norm", 8, why_not="Too small.")], {}))

    assert told["why_not"] == "Too small."
    assert "edges" not in told


def test_equal_scores_have_equal_digests_and_others_do_not() -> None:
    a, b = CASES["few"], CASES["few"].clone()
    b[3] += 0.1

    digests = [static_part([group("a", 16)], {"a": scores})["digest"] for scores in (a, a.clone(), b)]

    assert digests[0] == digests[1] != digests[2]


def test_150_layers_stay_small() -> None:
    groups = [group(f"layer{i}.conv", 3_000) for i in range(150)]
    static = static_part(groups, {k.name: seeded(3_000 + i)[:3_000] for i, k in enumerate(groups)})
    moving = dynamic_part(static, plan_of(*(GroupPlan(k, 1_500, 0.123456789, False) for k in groups)), ListState(1))

    assert len(json.dumps(static)) < 450_000
    assert len(json.dumps(moving)) < 6_000


def test_lines_counts_and_locks_follow_the_order_of_the_histograms() -> None:
    a, b = group("a", 16), group("b", 20)
    static = static_part([a, b], {"a": seeded(16), "b": seeded(20)})

    moving = dynamic_part(
        static,
        plan_of(GroupPlan(b, 5, 0.3, True), GroupPlan(a, 2, 0.1, False)),
        ListState(
            revision=7,
            lines={"a": 0.09},
            limits={"b": (0.1, 0.5), "gone": (0.0, 1.0)},
            expected={"a": 0.44, "b": "not measured"},
        ),
    )

    assert moving["lines"] == [0.09, 0.3]
    assert moving["pruned"] == [2, 5]
    assert moving["locked"] == [0, 1]
    assert moving["limits"] == {"b": [0.1, 0.5]}
    assert moving["expected"] == {"a": "≈ −0.4 pt", "b": "not measured"}
    assert moving["revision"] == 7


def test_a_cost_that_rounds_to_nothing_has_no_minus() -> None:
    static = static_part([group("a", 16)], {"a": seeded(16)})

    costs = [
        dynamic_part(static, plan_of(), ListState(0, expected={"a": cost}))["expected"]["a"] for cost in (-0.04, -0.06)
    ]

    assert costs == ["≈ 0.0 pt", "≈ +0.1 pt"]


def test_an_infinite_line_is_left_to_the_count() -> None:
    a = group("a", 16)
    whole = payload([a], {"a": seeded(16)}, plan_of(GroupPlan(a, 16, math.inf, False)), ListState(1))

    assert whole["dynamic"]["lines"] == [None]
    json.dumps(whole, allow_nan=False)


def test_a_strip_keeps_known_costs_between_none_and_all() -> None:
    levels = base64.b64decode(strips_part({"a": [-1.0, 0.0, 0.5, 1.0, 3.0, None, math.nan]})["levels"]["a"])

    assert list(levels) == [0, 0, 127, 254, 254, 255, 255]


@pytest.mark.parametrize("wrong", [{"mode": "upwards"}, {"scale": "cubic"}])
def test_an_unknown_mode_or_scale_is_refused(wrong: dict[str, str]) -> None:
    static = static_part([group("a", 16)], {"a": seeded(16)})

    with pytest.raises(ExplorerError, match="cannot be"):
        dynamic_part(static, plan_of(), ListState(0, **wrong))


def test_what_travels_with_every_move_is_small() -> None:
    assert len(streamlit_js()) < 2_000
