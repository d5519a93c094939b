"""A request is one value that survives the trip through JSON, and bad ones are refused in a sentence."""

from __future__ import annotations

import json

import pytest

from explorer.errors import ExplorerError
from explorer.pruning.allocation import ALLOCATIONS
from explorer.pruning.criteria import CRITERIA
from explorer.pruning.granularity import GRANULARITIES
from explorer.pruning.spec import Limit, PruneSpec
from tests.every import for_each


@for_each("allocation", [m.key for m in ALLOCATIONS])
@for_each("criterion", [m.key for m in CRITERIA])
@for_each("granularity", [m.key for m in GRANULARITIES])
def test_every_combination_survives_the_trip_through_json(granularity: str, criterion: str, allocation: str) -> None:
    spec = PruneSpec(granularity, criterion, allocation, {"a.b": Limit(True, 0.1, 0.5)})
    assert PruneSpec.from_json(json.dumps(spec.to_json())) == spec
    assert PruneSpec.from_json(spec.to_json()).digest == spec.digest


def test_values_by_layer_survive_the_trip_through_json() -> None:
    data = {"allocation": {"key": "threshold", "value": 0.1, "unit": "std", "values": {"z": 1.0, "a": 0.5}}}
    assert PruneSpec.from_json(data).to_json()["allocation"]["values"] == {"a": 0.5, "z": 1.0}


def test_a_limit_that_limits_nothing_makes_no_difference() -> None:
    assert PruneSpec(limits={"conv1": Limit()}) == PruneSpec()


@for_each(
    ("data", "sentence"),
    [
        ("not json", "not JSON"),
        ("[1]", "JSON object"),
        ('{"colour": 1}', "no part 'colour'"),
        ('{"criterion": {"key": "wish"}}', "no criterion called 'wish'"),
        ('{"allocation": {"key": "global", "sparsity": 1.5}}', "at most 1"),
        ('{"allocation": {"key": "global", "sparsity": NaN}}', "number"),
        ('{"limits": {"a": {"floor": 0.9, "cap": 0.1}}}', "do not fit together"),
        ('{"limits": {"a": {"locked": "yes"}}}', "cannot be read"),
        ('{"limits": [1]}', "object of layer"),
    ],
)
def test_a_request_that_cannot_be_meant_is_refused_in_a_sentence(data: str, sentence: str) -> None:
    with pytest.raises(ExplorerError, match=sentence):
        PruneSpec.from_json(data)
