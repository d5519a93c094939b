"""Two criteria on one layer from the command line."""

from __future__ import annotations

import json

import pytest

from explorer import data, models
from explorer.analysis.criteria_compared import compare_criteria
from explorer.cli import DONE, REFUSED, main
from explorer.pruning.spec import PruneSpec

ASKED = ["criteria", "digits-resnet", "--layer", "block2.conv1", "--criterion", "taylor:n_samples=64"]


def test_programs_get_the_comparison_and_how_steady_both_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ASKED, "--sparsity", "25%", "--json"]) == DONE
    told = json.loads(capsys.readouterr().out)
    model = models.load("digits-resnet")
    spec = PruneSpec("weight", "taylor:n_samples=64")
    found = compare_criteria(
        model, spec, "lp_norm", "block2.conv1", data.load("digits", model=model), sparsity=0.25
    ).to_json()
    assert {name: told[name] for name in found} == json.loads(json.dumps(found))
    assert [m["n"] for m in told["stability"]] == [64, 0]
    assert 0 < told["stability"][0]["value"] < told["stability"][1]["value"] == 1


def test_people_get_lines_and_a_table_of_disputes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ASKED, "--against", "random", "--granularity", "out_channel"]) == DONE
    out = capsys.readouterr().out
    assert out.startswith("block2.conv1: 32 channels")
    assert "Spearman rank correlation of both: " in out
    assert "16 go; " in out
    assert "by chance" in out
    assert "Furthest apart" in out


def test_a_level_at_which_nothing_goes_has_no_overlap(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ASKED, "--sparsity", "0"]) == DONE
    assert "Nothing goes at this level." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--against", "taylor:n_samples=64"], "agrees with itself"),
        (["--against", "bn_scale"], "cannot rank"),
        (["--data", "none"], "there is none"),
        (["--against", "nope"], "no criterion called"),
        (["--layer", "nope"], "no layer called"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(
    flags: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*ASKED, *flags]) == REFUSED
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_the_seed_flag_reaches_a_criterion_that_takes_one(capsys: pytest.CaptureFixture[str]) -> None:
    told = []
    for seed in ("0", "3"):
        assert main([*ASKED, "--against", "random", "--seed", seed, "--json"]) == DONE
        told.append(json.loads(capsys.readouterr().out))
    assert [t["specs"][1]["seed"] for t in told] == [0, 3]
    assert told[0]["rank_correlation"] != told[1]["rank_correlation"]
