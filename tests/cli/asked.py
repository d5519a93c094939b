"""Commands run in this process: what they answer, and how they refuse."""

from __future__ import annotations

import json
from typing import Any

import pytest

from explorer.cli import main

Capture = pytest.CaptureFixture[str]


def result(capsys: Capture, *argv: str) -> dict[str, Any]:
    """The JSON object of a command that went well; standard output holds nothing else."""
    assert main([*argv, "--json"]) == 0, capsys.readouterr().err
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    found: dict[str, Any] = json.loads(out)
    return found


def refusal(capsys: Capture, *argv: str) -> str:
    """The one line that a refused command leaves on standard error."""
    assert main(list(argv)) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert "Traceback" not in shown.err
    return shown.err.strip()
