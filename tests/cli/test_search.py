"""The search from the command line: a table for people, one object for programs, a request for the next command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from explorer import models
from explorer.cli import DONE, REFUSED, main
from explorer.pruning.allocation import BySensitivity
from explorer.pruning.spec import PruneSpec
from tests.cli.asked import refusal, result

FEW = ["--evaluations", "7"]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNING_EXPLORER_DATA", str(tmp_path / "kept"))


def test_the_answer_is_a_request_that_other_commands_take(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "best.json"
    found = result(capsys, "search", "digits-mlp", "--budget", "params=0.3", *FEW, "-o", str(out))
    assert found["met"]
    assert PruneSpec.from_json(out.read_text()) == PruneSpec.from_json(found["best"]["spec"])
    assert found["best"]["cost"]["value"] <= 0.3 * models.load("digits-mlp").n_parameters
    assert "is there already" in refusal(capsys, "search", "digits-mlp", "--budget", "params=0.3", "-o", str(out))
    again = result(capsys, "evaluate", "digits-mlp", "--spec", str(out))
    assert again["metrics"]["accuracy"]["value"] == found["best"]["point"]["accuracy"]["value"]


def test_every_plan_is_kept_and_a_second_search_reads_the_scan(capsys: pytest.CaptureFixture[str]) -> None:
    first = result(capsys, "search", "digits-mlp", "--max-drop", "2%", *FEW)
    second = result(capsys, "search", "digits-mlp", "--max-drop", "2%", *FEW)
    plans = [[t["point"]["plan_digest"] for t in found["tried"]] for found in (first, second)]
    assert plans[0] == plans[1]
    kept = result(capsys, "runs")["points"]
    assert {run["kind"] for run in kept} == {"search"}
    assert {run["plan_digest"] for run in kept} == set(plans[0])
    scanned = result(capsys, "scan", "digits-mlp")
    assert all(cell["from_store"] for cell in scanned["cells"])


def test_people_read_what_was_asked_predicted_and_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "digits-mlp", "--budget", "params=0.3", *FEW]) == DONE
    out = capsys.readouterr().out
    assert "the best accuracy with at most 30% of the dense parameters" in out
    assert "predicted" in out
    assert "Δ accuracy" in out
    assert "7 plans were measured on the tune split" in out


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        ["--budget", "params=0.3", "--max-drop", "0.01"],
        ["--budget", "latency=0.5"],
        ["--budget", "beauty=1"],
        ["--max-drop", "3"],
        ["--budget", "params=0.3", "--evaluations", "0"],
    ],
)
def test_mistakes_are_one_sentence(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "digits-mlp", *wrong]) == REFUSED
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_shares_by_sensitivity_scan_the_model_and_the_request_carries_the_curves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    points = result(capsys, "sweep", "digits-mlp", "--allocation", "sensitivity", "--sparsities", "0.3,0.6")["points"]
    assert [round(p["sparsity"], 3) for p in points] == [0.3, 0.6]
    out = tmp_path / "pruned.safetensors"
    flags = ["--allocation", "sensitivity", "--sparsity", "0.6"]
    assert main(["prune", "digits-mlp", *flags, "-o", str(out)]) == DONE
    spec = PruneSpec.from_json(json.loads((tmp_path / "pruned.spec.json").read_text())["spec"])
    assert isinstance(spec.allocation, BySensitivity)
    assert {name.partition("@")[0] for name, _ in spec.allocation.curves} == {"fc1", "fc2", "fc3"}
    capsys.readouterr()
    assert result(capsys, "evaluate", "digits-mlp", *flags)["sparsity"] == points[1]["sparsity"]
