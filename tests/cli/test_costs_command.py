"""``evaluate --latency`` and ``--measure-sizes``: what is measured on request."""

from __future__ import annotations

import json

import pytest

from explorer.cli import main

Capture = pytest.CaptureFixture[str]
REQUEST = ("evaluate", "digits-mlp", "--granularity", "out_channel", "--sparsity", "0.5")


def test_latency_memory_energy_and_measured_sizes_are_in_the_json(capsys: Capture) -> None:
    assert main([*REQUEST, "--latency", "--batch", "2", "--measure-sizes", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["latency"]["origin"], found["latency"]["batch"], found["latency"]["runtime"]) == (
        "measured",
        2,
        "torch",
    )
    assert found["latency"]["dense"]["p10"] <= found["latency"]["dense"]["ms"] <= found["latency"]["dense"]["p90"]
    assert found["memory"]["weights_pruned"]["value"] < found["memory"]["weights_dense"]["value"]
    assert found["energy"]["pruned"]["origin"] == "estimated"
    assert found["measured_sizes"] == found["sizes"]


def test_people_read_two_lines_of_costs(capsys: Capture) -> None:
    assert main([*REQUEST, "--latency"]) == 0
    shown = capsys.readouterr().out
    assert "Theoretical speed-up" in shown
    assert "ms dense" in shown
    assert "Measured sliced." in shown
    assert "microjoules, estimated for a 45 nm chip" in shown


def test_nothing_of_it_is_measured_unasked(capsys: Capture) -> None:
    assert main([*REQUEST, "--json"]) == 0
    assert not {"latency", "memory", "energy", "measured_sizes"} & set(json.loads(capsys.readouterr().out))


def test_a_batch_of_none_is_refused_in_one_line(capsys: Capture) -> None:
    assert main([*REQUEST, "--latency", "--batch", "0"]) == 2
    assert "batch" in capsys.readouterr().err
