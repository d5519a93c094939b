"""``runs``: what commands measured is kept, listed, and can be measured again."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from explorer.cli import main
from explorer.pruning.spec import PruneSpec
from explorer.store.database import Store
from tests.cli.asked import refusal
from tests.store.recorded import record

Capture = pytest.CaptureFixture[str]
POINT = {
    *("id", "time", "kind", "model_digest", "model_address", "data_digest", "data_address", "split", "n", "seed"),
    *(
        "spec",
        "spec_digest",
        "plan_digest",
        "label",
        "metrics",
        "asked",
        "sparsity",
        "compression_ratio",
        "theoretical_speedup",
    ),
    *("size_bytes", "accuracy", "drop", "loss", "origin", "judged_by", "device", "machine", "torch_version"),
    *("explorer_version", "python_version", "protocol", "asked_ratio", "model_identity"),
}


def shown(capsys: Capture, *argv: str) -> str:
    assert main(list(argv)) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def listed(capsys: Capture, *argv: str) -> list[dict[str, Any]]:
    out = shown(capsys, "runs", "--json", *argv)
    assert out.count("\n") == 1
    points: list[dict[str, Any]] = json.loads(out)["points"]
    return points


def test_what_evaluate_measured_is_kept_with_all_that_it_depends_on(capsys: Capture) -> None:
    measured = json.loads(shown(capsys, "evaluate", "digits-mlp", "--sparsity", "0.8", "--json"))
    (found,) = listed(capsys)
    assert set(found) == POINT
    assert found["accuracy"] == measured["metrics"]["accuracy"]
    assert found["drop"] == measured["metrics"]["drop"]
    assert found["loss"] == measured["metrics"]["loss"]
    for name in ("spec", "sparsity", "compression_ratio", "theoretical_speedup", "split"):
        assert found[name] == measured[name], name
    assert (found["model_address"], found["data_address"]) == ("digits-mlp", "digits")
    assert (found["model_digest"], found["data_digest"]) == (measured["model"]["digest"], measured["data"]["digest"])
    assert (found["kind"], found["origin"], found["judged_by"], found["n"]) == ("evaluate", "measured", "labels", 450)


def test_what_sweep_measured_is_kept_too_and_agrees_with_evaluate(capsys: Capture) -> None:
    swept = json.loads(shown(capsys, "sweep", "digits-mlp", "--sparsities", "0.5,0.8", "--json"))["points"]
    shown(capsys, "evaluate", "digits-mlp", "--sparsity", "0.8", "--json")
    last, first = listed(capsys)
    assert (first["kind"], last["kind"]) == ("sweep", "evaluate")
    assert first["plan_digest"] == swept[0]["plan_digest"]
    assert last["plan_digest"] == swept[1]["plan_digest"]
    assert last["accuracy"]["value"] == swept[1]["accuracy"]["value"]
    assert last["size_bytes"] == swept[1]["size_bytes"]


def test_a_shown_spec_measures_the_same_again(capsys: Capture, tmp_path: Path) -> None:
    first = json.loads(
        shown(capsys, "evaluate", "digits-mlp", "--allocation", "uniform", "--sparsity", "0.7", "--json")
    )
    (kept,) = listed(capsys)
    (tmp_path / "spec.json").write_text(shown(capsys, "runs", "show", str(kept["id"])))
    again = json.loads(shown(capsys, "evaluate", "digits-mlp", "--spec", str(tmp_path / "spec.json"), "--json"))
    assert again["layers"] == first["layers"]
    assert [p["id"] for p in listed(capsys)] == [kept["id"]]
    compact = shown(capsys, "runs", "show", str(kept["id"]), "--json")
    assert PruneSpec.from_json(compact) == PruneSpec.from_json(first["spec"])


@pytest.mark.parametrize("argv", [["evaluate", "digits-mlp"], ["sweep", "digits-mlp", "--ratios", "1,2"]])
def test_nothing_is_kept_when_that_is_asked(capsys: Capture, argv: list[str], tmp_path: Path) -> None:
    shown(capsys, *argv, "--no-keep", "--data-dir", str(tmp_path))
    assert os.listdir(tmp_path) == []
    shown(capsys, *argv, "--data-dir", str(tmp_path))
    assert listed(capsys) == []
    assert len(listed(capsys, "--data-dir", str(tmp_path))) >= 1


def test_a_store_that_cannot_be_written_costs_a_remark_and_not_the_measurement(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    argv = ["sweep", "digits-mlp", "--ratios", "1,2", "--json", "--data-dir", str(tmp_path / "file")]
    assert main(argv) == 0
    said = capsys.readouterr()
    assert len(json.loads(said.out)["points"]) == 2
    assert said.err.count("What is measured is not kept.") == 1


def test_a_damaged_store_is_told_on_standard_error(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "runs.sqlite").write_text("no database")
    assert main(["runs", "--json", "--data-dir", str(tmp_path)]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["points"] == []
    assert said.err.startswith("warn: The store of earlier measurements was damaged")
    assert any(".damaged-" in name for name in os.listdir(tmp_path))


def test_people_get_one_aligned_line_a_point_newest_first(capsys: Capture, tmp_path: Path) -> None:
    for i in range(3):
        Store(tmp_path).record_point(record(i))
    lines = shown(capsys, "runs", "--data-dir", str(tmp_path)).splitlines()
    assert lines[0].split()[:3] == ["id", "time", "(UTC)"]
    assert [line.split()[0] for line in lines[2:]] == ["3", "2", "1"]
    assert "2031-12-24 18:00:02" in lines[2]
    assert "96.0%  93.0 – 98.0%, n = 450" in lines[2]
    assert shown(capsys, "runs", "--data-dir", str(tmp_path / "new")) == "Nothing is kept yet.\n"


def test_the_list_can_be_limited_to_a_model_and_a_number(capsys: Capture, tmp_path: Path) -> None:
    store = Store(tmp_path)
    for i in range(4):
        store.record_point(record(i, model_address=f"model-{i % 2}", model_digest=f"digest-{i % 2}"))
    here = ("--data-dir", str(tmp_path))
    assert [p["id"] for p in listed(capsys, *here, "--limit", "3")] == [4, 3, 2]
    assert [p["id"] for p in listed(capsys, *here, "--model", "model-1")] == [4, 2]
    assert [p["id"] for p in listed(capsys, *here, "--model", "digest-0")] == [3, 1]
    assert shown(capsys, "runs", *here, "--model", "absent") == "Nothing is kept of absent.\n"


def test_the_list_can_be_limited_to_data_a_split_and_what_asked_for_it(capsys: Capture, tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.record_point(record(0))
    store.record_point(record(1, kind="sweep"))
    store.record_point(record(2, split="test"))
    store.record_point(record(3, data_address="folder:cats", data_digest="ca75"))
    here = ("--data-dir", str(tmp_path))
    assert [p["id"] for p in listed(capsys, *here, "--kind", "sweep")] == [2]
    assert [p["id"] for p in listed(capsys, *here, "--split", "test")] == [3]
    assert [p["id"] for p in listed(capsys, *here, "--data", "folder:cats")] == [4]
    assert [p["id"] for p in listed(capsys, *here, "--data", "ca75")] == [4]
    assert [p["id"] for p in listed(capsys, *here, "--data", "digits", "--kind", "evaluate", "--split", "tune")] == [1]
    assert shown(capsys, "runs", *here, "--kind", "drag", "--data", "x") == "Nothing is kept of x, drag.\n"


def test_kept_scans_are_listed_below_the_points_with_what_they_are_of(capsys: Capture) -> None:
    scan = ("scan", "digits-mlp", "--levels", "0.5,0.9", "--layers", "fc1,fc2")
    shown(capsys, *scan, "--criterion", "lp_norm:p=1")
    shown(capsys, *scan, "--mode", "estimate", "--seed", "3")
    found = json.loads(shown(capsys, "runs", "--json"))["scans"]
    assert [(s["about"]["mode"], s["about"]["seed"], s["n_cells"], s["n_groups"]) for s in found] == [
        ("estimate", 3, 4, 2),
        ("exact", 0, 4, 2),
    ]
    assert {s["about"]["model_address"] for s in found} == {"digits-mlp"}
    lines = shown(capsys, "runs").splitlines()
    assert lines[0].split()[:3] == ["last", "cell", "(UTC)"]
    assert lines[3].split()[2:] == ["digits-mlp", "digits", "tune", "450", "weight", "lp_norm:p=1.0", "exact", "4", "2"]
    for argv, n in ((("--kind", "scan"), 2), (("--kind", "sweep"), 0), (("--split", "test"), 0), (("--limit", "1"), 1)):
        assert len(json.loads(shown(capsys, "runs", "--json", *argv))["scans"]) == n
    assert len(json.loads(shown(capsys, "runs", "--json", "--model", "digits-cnn"))["scans"]) == 0


def test_numbers_that_json_does_not_know_become_null(capsys: Capture, tmp_path: Path) -> None:
    Store(tmp_path).record_point(record(compression_ratio=float("inf"), theoretical_speedup=float("nan")))
    (found,) = listed(capsys, "--data-dir", str(tmp_path))
    assert (found["compression_ratio"], found["theoretical_speedup"]) == (None, None)
    assert "∞×" in shown(capsys, "runs", "--data-dir", str(tmp_path))


def test_kept_names_cannot_play_with_the_terminal(capsys: Capture, tmp_path: Path) -> None:
    Store(tmp_path).record_point(record(model_address="\x1b[31mred\x07", label="a\nb"))
    out = shown(capsys, "runs", "--data-dir", str(tmp_path))
    assert "\x1b" not in out
    assert "\x07" not in out
    assert out.count("\n") == 3


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["show"], "needs the ID"),
        (["show", "7"], "There is no run 7"),
        (["show", "9" * 40], "not a whole number"),
        (["show", "x"], "not a whole number"),
        (["list", "7"], "Write runs show 7"),
        (["erase"], "invalid choice"),
        (["--limit", "-1"], "not a whole number"),
    ],
)
def test_what_cannot_be_shown_is_one_line_and_status_2(argv: list[str], said: str, capsys: Capture) -> None:
    assert said in refusal(capsys, "runs", *argv)


def test_a_file_of_a_newer_version_is_one_line_and_status_2(capsys: Capture, tmp_path: Path) -> None:
    Store(tmp_path).record_scan("scan", {})
    connection = sqlite3.connect(tmp_path / "runs.sqlite")
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    assert "newer version" in refusal(capsys, "runs", "--data-dir", str(tmp_path))
