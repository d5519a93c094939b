"""The scan from the command line: a table for people, one object for programs, cells that are kept."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from explorer.analysis.sensitivity import Sensitivity, scan
from explorer.cli import DONE, REFUSED, main

FEW = ["--levels", "0.5,0.9", "--layers", "fc1,fc2"]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNING_EXPLORER_DATA", str(tmp_path / "kept"))


def test_people_get_a_table_of_drops_and_a_sentence_on_trust(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", "digits-mlp", *FEW]) == DONE
    out = capsys.readouterr().out
    found = Sensitivity.of(scan("digits-mlp", levels=(0.5, 0.9), layers=["fc1", "fc2"]))
    row = next(line for line in out.splitlines() if line.startswith("fc1"))
    assert row.split() == ["fc1", *(f"{100 * cell.drop.value:+.2f}" for cell in found.curve("fc1"))]
    assert found.audit in out


def test_programs_get_one_object_and_the_cells_of_a_first_run_come_from_the_store(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = []
    for _ in range(2):
        assert main(["scan", "digits-mlp", *FEW, "--json"]) == DONE
        told.append(json.loads(capsys.readouterr().out))
    first, second = told
    assert [cell["from_store"] for cell in first["cells"]] == [False] * 4
    assert [cell["from_store"] for cell in second["cells"]] == [True] * 4
    assert [cell["accuracy"] for cell in first["cells"]] == [cell["accuracy"] for cell in second["cells"]]


def test_what_is_not_to_be_kept_is_measured_again(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        assert main(["scan", "digits-mlp", *FEW, "--json", "--no-keep"]) == DONE
        assert not any(cell["from_store"] for cell in json.loads(capsys.readouterr().out)["cells"])


def test_the_table_goes_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "cells.csv"
    assert main(["scan", "digits-cnn", "--granularity", "out_channel", "--levels", "0.5", "--csv", str(path)]) == DONE
    rows = list(csv.DictReader(path.open()))
    assert {float(row["share"]) for row in rows} == {0.5}
    assert len(rows) > 1


def test_the_quick_look_measures_nothing_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", "digits-mlp", "--quick", "--levels", "1.0", "--json"]) == DONE
    told = json.loads(capsys.readouterr().out)
    assert "not a measurement" in told["note"]
    assert all(cell["removed"] == pytest.approx(1.0) for cell in told["cells"])


def test_looks_at_the_test_split_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    for n in (1, 2):
        assert main(["scan", "digits-mlp", *FEW, "--split", "test", "--json"]) == DONE
        assert json.loads(capsys.readouterr().out)["looks_at_test"] == n


@pytest.mark.parametrize("wrong", [["--levels", "half"], ["--levels", "1.5"], ["--layers", "nowhere"]])
def test_mistakes_are_one_sentence(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", "digits-mlp", *wrong]) == REFUSED
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
