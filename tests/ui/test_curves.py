"""The curves behind the Explore page hold what the visitor holds."""

from __future__ import annotations

import pytest

from explorer import data, models
from explorer.pruning.spec import Limit, PruneSpec
from explorer.tasks.sweep import SweepRequest
from explorer.types import Dataset, LoadedModel
from explorer.ui.explore import curves
from explorer.ui.shell import tasks


def test_locks_and_limits_hold_in_every_curve_its_control_included(monkeypatch: pytest.MonkeyPatch) -> None:
    model = models.load("digits-mlp")
    spec = PruneSpec().with_limit("fc1", Limit(True, 0.25, 1.0)).with_limit("fc2", Limit(False, 0.0, 0.5))
    requests: list[SweepRequest] = []

    def submitted(model: LoadedModel, dataset: Dataset, request: SweepRequest, *, again: bool = False) -> object:
        requests.append(request)
        return type("Job", (), {"results": []})()

    monkeypatch.setattr(tasks, "submitted", submitted)
    curves.background(model, data.load("digits", model=model), spec)
    assert [request.label for request in requests] == ["magnitude, global", "magnitude, uniform", "random, the control"]
    assert {request.spec.limits for request in requests} == {spec.limits}
    assert curves.held_in_words(model, spec) == (
        "In every curve your 2 held lines stay so and the classifier fc3 is free."
    )
    assert curves.held_in_words(model, PruneSpec().with_limit("fc3", Limit(True))) == (
        "In every curve your 1 held line stays so."
    )
