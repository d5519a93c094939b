"""A part of the samples is a fair one, is said, and is never taken for all of them."""

from __future__ import annotations

import json

import pytest
import torch

import explorer as ex
from explorer.cli import main

HALF = ex.PruneSpec(allocation="global:sparsity=0.9")


def test_the_first_samples_of_tune_and_test_are_taken_and_fit_stays_whole() -> None:
    whole, part = ex.load_data("digits"), ex.load_data("digits", samples=100)
    assert {name: len(split) for name, split in part.splits.items()} == {"fit": 897, "tune": 100, "test": 100}
    torch.testing.assert_close(part.splits["tune"].x, whole.splits["tune"].x[:100])
    assert part.digest != whole.digest
    assert part.digest != ex.load_data("digits", samples=101).digest
    assert part.meta["n"] == {"fit": 897, "tune": 100, "test": 100}
    assert [finding.what for finding in part.findings][-1] == (
        "Evaluated on the first 100 of the 450 samples of tune and 100 of the 450 samples of test: "
        "a stratified part, as was asked for."
    )
    counts = torch.bincount(part.splits["tune"].y)
    assert int(counts.max() - counts.min()) <= 2
    assert ex.load_data("digits", samples=450).digest == whole.digest


def test_what_is_measured_on_a_part_is_what_a_plain_pass_gives_on_it() -> None:
    model = ex.load("digits-mlp")
    data = ex.load_data("digits", model=model, samples=60)
    report = ex.evaluate(model, HALF, data)
    tune = ex.load_data("digits", model=model).splits["tune"]
    network = ex.masked(model, ex.plan(model, HALF)).module
    with torch.no_grad():
        right = int((network(tune.x[:60]).argmax(1) == tune.y[:60]).sum())
    assert report.accuracy is not None
    assert (report.accuracy.value, report.accuracy.n) == (right / 60, 60)


def test_every_command_that_reads_data_takes_it_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["evaluate"], ["sweep", "--ratios", "1,2"]):
        assert main([*command[:1], "digits-mlp", *command[1:], "--samples", "60", "--no-keep", "--json"]) == 0
        shown = capsys.readouterr()
        assert '"n": 60' in shown.out
        json.loads(shown.out)
    assert main(["evaluate", "digits-mlp", "--samples", "0"]) == 2
    assert "at least 1" in capsys.readouterr().err


def test_a_check_of_a_part_is_made_again_by_the_command_that_it_prints() -> None:
    check = ex.check("digits-mlp", against="digits-mlp", data=ex.load_data("digits", samples=80))
    assert "--samples 80" in check.command


@pytest.mark.parametrize("n", [0, -1, True, 1.5, "x"])
def test_no_part_at_all_is_refused(n: object) -> None:
    with pytest.raises(ex.ExplorerError, match="no number of samples"):
        ex.load_data("digits", samples=n)  # type: ignore[arg-type]
