"""Seconds on the way, by hand, and where they are said."""

from __future__ import annotations

import json

import pytest

import explorer as ex
from explorer.cli import main
from explorer.export.sizes import at_rates, transfer
from explorer.types import Measurement


def test_the_smallest_file_takes_eight_bits_a_byte_by_the_rate() -> None:
    n_bytes = {"dense_file": 5_000_000, "bitmask": 250_000, "csr": 900_000, "dense_file_compressed": 100_000}
    sizes = {kind: Measurement("size", n, "bytes", "counted") for kind, n in n_bytes.items()}
    by_rate = transfer(sizes)
    assert {rate: m.value for rate, m in by_rate.items()} == {1: 2.0, 10: 0.2, 100: 0.02}
    assert {m.origin for m in by_rate.values()} == {"estimated"}
    assert at_rates(by_rate) == "2 / 0.2 / 0.02 s at 1 / 10 / 100 Mbit/s"


def test_a_report_says_it_of_its_own_smallest_file(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["evaluate", "digits-mlp", "--sparsity", "0.9", "--no-keep"]
    assert main([*command, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    smallest = min(n for kind, n in content["sizes"].items() if kind != "dense_file_compressed")
    request = ex.PruneSpec(allocation="global:sparsity=0.9")
    assert content["transfer_seconds"]["10"] == ex.evaluate("digits-mlp", request).transfer[10].value
    assert content["transfer_seconds"]["10"] == pytest.approx(8 * smallest / 10e6)
    assert main(command) == 0
    assert "at 1 / 10 / 100 Mbit/s" in capsys.readouterr().out
