"""``activations``: shares in, zeros and accuracy out."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

import explorer as ex
from explorer.cli import main


def test_share_zero_costs_nothing_and_the_json_says_which_layers_skip(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["activations", "digits-mlp", "--shares", "0,0.8,1", "--json"]) == 0
    none, most, every = json.loads(capsys.readouterr().out)["points"]
    assert none["drop"]["value"] == 0
    assert none["skipped"]["value"] == none["already_zero"]["value"]
    assert most["skipped"]["value"] > 0.7
    assert set(every["layers"].values()) == {1.0}
    assert set(every["thresholds"].values()) == {None}


def test_the_network_runs_on_the_device_that_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    found = []
    for device in ("cpu", "cpu:0"):
        assert main(["activations", "digits-mlp", "--shares", "0.8", "--device", device, "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out)["points"][0])
    assert found[1]["skipped"]["machine"].startswith("cpu:0, ")
    assert found[1]["accuracy"]["machine"].startswith("cpu:0, ")
    assert found[1]["accuracy"]["value"] == pytest.approx(found[0]["accuracy"]["value"], abs=0.01)
    assert found[1]["thresholds"] == pytest.approx(found[0]["thresholds"])


def test_people_read_a_table_of_the_pruned_network(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["activations", "digits-mlp", "--shares", "0,0.5", "--sparsity", "0.5"]) == 0
    said = capsys.readouterr().out
    assert "zero before" in said
    assert "97.8%" in said


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["digits-mlp", "--shares", "0,3"], "--shares '0,3' is not a list of shares."),
        (["digits-mlp", "--shares", ","], "It is empty."),
        (["digits-gru"], "No activations can be skipped here."),
    ],
)
def test_what_cannot_be_is_one_sentence(flags: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["activations", *flags]) == 2
    assert said in capsys.readouterr().err


def test_the_distribution_of_each_layer_and_channel_is_that_of_python_and_goes_into_a_table(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    flags = ["activations", "digits-cnn", "--distribution", "--sparsity", "0.5", "--samples", "100"]
    counted = ex.activations("digits-cnn", ex.PruneSpec(allocation="global:sparsity=0.5"), n_samples=100)  # type: ignore[arg-type]
    table = tmp_path / "activations.csv"
    assert main([*flags, "--csv", str(table), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(counted.to_json()))
    rows = list(csv.DictReader(table.open()))
    assert len(rows) == sum(each.dense.n_channels for each in counted)
    assert rows[3]["pruned_zeros"] == str(int(counted["block1.conv1"].pruned.zeros[3]))  # type: ignore[union-attr]

    assert main(flags) == 0
    assert "block2.conv2  relu" in capsys.readouterr().out
    assert main([*flags, "--channels", "block1.conv1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["channels"] == counted["block1.conv1"].channels()
    assert main([*flags, "--channels", "nowhere"]) == 2
    assert "No activations of 'nowhere' are seen." in capsys.readouterr().err
