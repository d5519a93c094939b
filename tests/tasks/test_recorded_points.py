"""What a store holds of a curve is not measured again, after a restart neither."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import explorer as ex
from explorer.engine.evaluator import Evaluator
from explorer.store.database import Store
from explorer.tasks.sweep import SweepRequest

REQUEST = SweepRequest(ex.PruneSpec(), ratios=(1.0, 2.0, 4.0))


def measured_anew(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The plans that are measured from now on."""
    digests: list[str] = []
    final = Evaluator.final

    def counted(self: Evaluator, plan: ex.Plan) -> ex.Evaluation:
        digests.append(plan.digest)
        return final(self, plan)

    monkeypatch.setattr(Evaluator, "final", counted)
    return digests


def test_a_recorded_curve_is_the_same_and_not_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = list(ex.run(REQUEST, "digits-mlp", store=tmp_path))
    times = {record.id: record.time for record in Store(tmp_path).points()}
    digests = measured_anew(monkeypatch)
    again = list(ex.run(REQUEST, "digits-mlp", store=tmp_path))
    assert digests == []
    assert again == first
    assert {record.id: record.time for record in Store(tmp_path).points()} == times
    finer = replace(REQUEST, ratios=(1.0, 2.0, 3.0, 4.0))
    assert len(list(ex.run(finer, "digits-mlp", store=tmp_path))) == 4
    assert len(digests) == 1


def test_points_of_another_model_or_of_other_versions_are_measured_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(ex.run(REQUEST, "digits-mlp", store=tmp_path))
    digests = measured_anew(monkeypatch)
    list(ex.run(REQUEST, "digits-cnn", store=tmp_path))
    assert len(digests) == 3
    monkeypatch.setattr("explorer.tasks.context.versions", lambda: {"torch_version": "0.0"})
    list(ex.run(REQUEST, "digits-mlp", store=tmp_path))
    assert len(digests) == 6
