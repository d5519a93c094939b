"""Findings set the exit status where that is asked for: 0 passed, 1 findings, 2 refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from explorer.cli import main

# The first layer is empty (fail); of a first layer pruned by 90 % some outputs are dead (warn).
EMPTY = ("digits-mlp", "--sparsity", "0.5", "--floor", "fc1=1")
DEAD = ("digits-mlp", "--sparsity", "0.9", "--lock", "fc2")
FINE = ("digits-mlp", "--sparsity", "0.5")


def status(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str]:
    code = main(argv)
    return code, capsys.readouterr().err


def test_evaluate_and_prune_end_with_1_where_findings_of_the_level_exist(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ("-o", str(tmp_path / "pruned.safetensors"), "--force")
    expected = {
        EMPTY: {"fail": 1, "warn": 1},
        DEAD: {"fail": 0, "warn": 1},
        FINE: {"fail": 0, "warn": 0},
    }
    for request, levels in expected.items():
        for level, code in levels.items():
            assert status(capsys, "evaluate", *request, "--no-keep", "--fail-on", level)[0] == code, (request, level)
            assert status(capsys, "prune", *request, *out, "--fail-on", level)[0] == code, (request, level)
        assert status(capsys, "evaluate", *request, "--no-keep")[0] == 0
    assert (tmp_path / "pruned.safetensors").exists()


def test_the_reason_is_on_standard_error_and_the_json_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", *EMPTY, "--no-keep", "--json", "--fail-on", "fail"]) == 1
    out, err = capsys.readouterr()
    n = sum(finding["level"] == "fail" for finding in json.loads(out)["findings"])
    assert n >= 1
    assert f"{n} finding{'s' * (n > 1)} of level fail: exit status 1." in err


def test_recover_has_findings_and_an_exit_status(capsys: pytest.CaptureFixture[str]) -> None:
    request = ("recover", *EMPTY, "--epochs", "1", "--no-keep", "--json")
    assert main([*request, "--fail-on", "fail"]) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert any(finding["level"] == "fail" for finding in findings)
    assert main(request) == 0


def test_a_refusal_stays_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert status(capsys, "evaluate", "no-such-model", "--fail-on", "warn")[0] == 2
    assert status(capsys, "evaluate", *FINE, "--fail-on", "ok")[0] == 2
