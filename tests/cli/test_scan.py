"""The scan from the command line: a table for people, one object for programs, cells that are kept."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import pytest

from explorer.analysis.sensitivity.scan import Sensitivity, scan
from explorer.cli import DONE, REFUSED, main

FEW = ["--levels", "0.5,0.9", "--layers", "fc1,fc2"]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNING_EXPLORER_DATA", str(tmp_path / "kept"))


def test_people_get_a_table_of_changes_and_a_sentence_on_trust(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", "digits-mlp", *FEW]) == DONE
    out = capsys.readouterr().out
    found = Sensitivity.of(scan("digits-mlp", levels=(0.5, 0.9), layers=["fc1", "fc2"]))
    row = next(line for line in out.splitlines() if line.startswith("fc1"))
    assert [cell.drop.value for cell in found.curve("fc1")] == pytest.approx([0.0, 114 / 450])
    assert row.split() == ["fc1", "0.0", "−25.3"]
    assert found.audit in out
    assert found.fragile_words in out
    assert "pruned, measured; dense: 98.9%" in out
    wide = max((cell.drop.high - cell.drop.low) / 2 for cell in found.cells)
    assert f"95 % intervals: {math.ceil(1000 * wide) / 10:.1f} points or less either way." in out


def test_the_seed_draws_the_samples_of_estimates(capsys: pytest.CaptureFixture[str]) -> None:
    told = []
    for seed in ("0", "7", "7"):
        assert main(["scan", "digits-mlp", *FEW, "--mode", "estimate", "--json", "--no-keep", "--seed", seed]) == DONE
        told.append([cell["drop"]["value"] for cell in json.loads(capsys.readouterr().out)["cells"]])
    assert told[0] != told[1] == told[2]


def test_layers_that_cannot_be_scanned_are_named_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    channels = ["scan", "digits-mlp", "--granularity", "out_channel", "--levels", "0.5", "--no-keep"]
    assert main(channels) == DONE
    assert "Not scanned: fc3. The network's output" in capsys.readouterr().out
    assert main([*channels, "--json"]) == DONE
    assert list(json.loads(capsys.readouterr().out)["not_scanned"]) == ["fc3"]
    assert main(["scan", "digits-mlp", "--granularity", "head", "--no-keep"]) == DONE
    assert "has no layer that can be scanned this way. " in capsys.readouterr().out


def test_a_scan_with_a_bound_says_so_and_ranks_by_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", "digits-mlp", "--max-drop", "2%", "--json", "--no-keep"]) == DONE
    told = json.loads(capsys.readouterr().out)
    assert told["max_drop"] == 0.02
    assert len(told["cells"]) < 30
    assert max(told["fragility"].values()) <= 0.02


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
    assert main(["scan", "digits-mlp", "--quick", "--layers", "fc2", "--levels", "0.5,0.5", "--json"]) == DONE
    assert [cell["group"] for cell in json.loads(capsys.readouterr().out)["cells"]] == ["fc2"]


def test_looks_at_the_test_split_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", "digits-mlp", "--layers", "nowhere", "--split", "test"]) == REFUSED
    capsys.readouterr()
    for n in (1, 2):
        assert main(["scan", "digits-mlp", *FEW, "--split", "test", "--json"]) == DONE
        assert json.loads(capsys.readouterr().out)["looks_at_test"] == n


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--levels", "half"], "not a list of shares"),
        (["--levels", "1.5"], "from 0 to 1"),
        (["--levels", ","], "from 0 to 1"),
        (["--quick", "--levels", "nan"], "not a list of shares"),
        (["--layers", "nowhere"], "'nowhere' cannot be scanned"),
        (["--quick", "--layers", "nowhere"], "'nowhere' cannot be scanned"),
        (["--layers", ","], "No layer was named"),
        (["--granularity", "out_channel", "--layers", "fc3"], "The network's output"),
        (["--granularity", "head", "--layers", "fc1"], "Choose other units"),
        (["--samples", "0"], "too few"),
        (["--csv", "no/such/folder/cells.csv"], "no such folder"),
    ],
)
def test_mistakes_are_one_sentence(wrong: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", "digits-mlp", *wrong]) == REFUSED
    found = capsys.readouterr()
    assert said in found.err
    assert (found.out, len(found.err.strip().splitlines())) == ("", 1)


def test_one_level_is_shown_by_kind_of_layer_and_by_block(capsys: pytest.CaptureFixture[str]) -> None:
    few = ["scan", "topics-gpt", "--quick", "--levels", "0.5"]
    assert main([*few, "--by-block", "50%"]) == DONE
    layers, kinds = capsys.readouterr().out.split("50% of each layer, by block:")
    alone = {line.split()[0]: line.split()[1] for line in layers.splitlines() if line.startswith("blocks.")}
    rows = {line.split()[0]: line.split()[1:] for line in kinds.splitlines() if line.strip()}
    assert rows["kind"] == ["0", "1", "2", "3"]
    for kind in ("attn.qkv", "mlp.down"):
        assert rows[kind] == [alone[f"blocks.{block}.{kind}"] for block in range(4)]
    assert main([*few, "--by-block", "0.6"]) == REFUSED
    assert "60% is none of the levels. Choose one of 50%." in capsys.readouterr().err
    assert main(["scan", "digits-mlp", "--quick", "--levels", "0.5", "--by-block", "0.5"]) == DONE
    assert "Not by block: this network is no list of blocks" in capsys.readouterr().out
