"""``evaluate --drop-below`` answers in words, in JSON and by its exit status, as Python does."""

from __future__ import annotations

import json

import pytest

import explorer as ex
from explorer.cli import main


def test_the_answer_is_that_of_python_and_the_exit_status_tells_it(capsys: pytest.CaptureFixture[str]) -> None:
    for share, status in (("0.9", 1), ("0", 0), ("0.5", 3)):
        request = ["evaluate", "digits-mlp", "--sparsity", share, "--drop-below", "1%"]
        *_, answer = ex.drop_below("digits-mlp", ex.PruneSpec(allocation=f"global:sparsity={share}"), limit=0.01)
        assert main([*request, "--json"]) == status
        printed = json.loads(capsys.readouterr().out)
        assert printed == json.loads(json.dumps(answer.to_json()))
        assert main(request) == status
        assert capsys.readouterr().out.splitlines() == [str(answer), answer.basis]


def test_what_needs_all_samples_is_refused_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    for flag in ("--latency", "--measure-sizes"):
        assert main(["evaluate", "digits-mlp", "--drop-below", "0.01", flag]) == 2
        assert f"{flag} does not go with --drop-below" in capsys.readouterr().err
