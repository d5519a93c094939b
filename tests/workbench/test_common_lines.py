"""Lines that were asked for at one value say that value."""

from __future__ import annotations

from dataclasses import replace

from explorer import models
from explorer.pruning import allocation
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.scoring import score
from explorer.pruning.spec import Limit, PruneSpec
from explorer.workbench.lines import common_lines

MODEL = models.load("digits-mlp")


def lines(spec: PruneSpec) -> dict[str, float]:
    scores = score(MODEL, spec)
    return common_lines(spec, scores, make_plan(MODEL, spec, scores))


def test_one_value_for_all_stands_in_every_line_also_in_one_that_is_locked_there() -> None:
    spec = PruneSpec(allocation=allocation.get("threshold", value=0.03))
    scores = score(MODEL, spec)
    before = make_plan(MODEL, spec, scores)
    assert set(lines(spec).values()) == {0.03}
    assert len(lines(spec)) == len([k for k in before.groups if k.group.why_not is None])
    first = before.groups[0]
    held = spec.with_limit(first.group.name, Limit(True, first.n_pruned / first.group.n_units, 1.0))
    assert lines(held)[first.group.name] == 0.03


def test_one_order_over_all_layers_has_one_line_and_it_removes_exactly_what_is_removed() -> None:
    spec = PruneSpec(allocation=allocation.get("global", sparsity=0.6))
    scores = score(MODEL, spec)
    plan = make_plan(MODEL, spec, scores)
    (value,) = set(lines(spec).values())
    assert [int((scores.values[k.group.name] < value).sum()) for k in plan.groups] == [k.n_pruned for k in plan.groups]


def test_lines_of_their_own_have_no_common_value() -> None:
    own = PruneSpec(allocation=allocation.get("uniform", sparsity=0.5))
    assert lines(own) == {}
    assert lines(replace(own, allocation=allocation.get("global", sparsity=0.0))) == {}
