"""``activations``: shares in, zeros and accuracy out."""

from __future__ import annotations

import json

import pytest

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
