"""Any two recorded runs are compared, answer by answer; what cannot be made again is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import explorer as ex
from explorer.analysis.models_compared.recorded_run import model_again
from explorer.cli import main
from explorer.errors import ExplorerError
from explorer.store.database import Store
from tests.cli.asked import Capture, refusal


@pytest.fixture
def folder(tmp_path: Path, capsys: Capture) -> Path:
    """Where two measurements of one model are recorded, as run 1 and run 2."""
    for sparsity in ("0.7", "0.9"):
        assert main(["evaluate", "digits-mlp", "--sparsity", sparsity, "--data-dir", str(tmp_path)]) == 0
    capsys.readouterr()
    return tmp_path


def test_two_recorded_runs_are_paired_sample_by_sample(folder: Path, capsys: Capture) -> None:
    assert main(["compare", "run:1", "run:2", "--json", "--data-dir", str(folder)]) == 0
    document = json.loads(capsys.readouterr().out)
    # The judge: the two measurements by Python, counted by hand.
    before, after = (
        ex.evaluate("digits-mlp", ex.PruneSpec(allocation=f"global:sparsity={share}")) for share in (0.7, 0.9)
    )
    labels = ex.load_data("digits", model=ex.load("digits-mlp")).splits["tune"].y
    assert labels is not None
    assert before.evaluation is not None
    assert after.evaluation is not None
    was, now = before.evaluation.predictions == labels, after.evaluation.predictions == labels
    against = document["models"][1]["against"]
    assert (against["lost"], against["won"]) == (int((was & ~now).sum()), int((now & ~was).sum()))
    assert against["lost"] > 0
    assert [model["name"].partition(",")[0] for model in document["models"]] == ["run:1", "run:2"]
    assert [model["score"]["value"] for model in document["models"]] == [float(x.double().mean()) for x in (was, now)]
    assert "compare run:1 run:2" in document["command"]

    quick = [f"--set={key}.level=off" for key in ("parity", "corruptions", "generalisation", "calibration")]
    assert main(["check", "run:2", "--against", "run:1", "--json", "--data-dir", str(folder), *quick]) == 1
    document = json.loads(capsys.readouterr().out)
    (accuracy,) = (check for check in document["checks"] if check["key"] == "accuracy")
    assert accuracy["value"]["value"] == pytest.approx((against["lost"] - against["won"]) / len(labels))
    assert "check run:2 --against run:1" in document["command"]


def test_a_run_that_cannot_be_made_again_is_refused(folder: Path, capsys: Capture) -> None:
    record = Store(folder).point(1)
    assert record is not None
    for other, what in (
        (replace(record, model_digest="another"), "was measured on another model"),
        (replace(record, data_digest="another"), "was measured on another data"),
        (replace(record, point=replace(record.point, protocol={"epochs": 3})), "It also trained the network"),
        (replace(record, point=replace(record.point, plan_digest="another")), "prunes other weights"),
    ):
        with pytest.raises(ExplorerError, match=what):
            model_again(other)
    for name in ("run:77", "run:x", "run:"):
        sentence = refusal(capsys, "compare", "digits-mlp", name, "--data-dir", str(folder))
        assert "There is no recorded run" in sentence
