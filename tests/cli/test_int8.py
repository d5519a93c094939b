"""``export --int8``: the file, and what was measured of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from explorer.cli import main

pytest.importorskip("onnxruntime")


def test_the_json_tells_size_accuracy_and_time_of_int8_beside_float(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "a.onnx"
    status = main(["export", "digits-mlp", "--to", "onnx", "--int8", "static", "-o", str(target), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert status == 0
    assert found["written"]["bytes"] == found["int8"]["size"]["int8"]["value"] == target.stat().st_size
    assert found["int8"]["size"]["float"]["value"] > 3 * target.stat().st_size
    assert found["int8"]["accuracy"]["int8"]["accuracy"]["n"] == 450
    assert abs(found["int8"]["accuracy"]["int8"]["drop"]["value"]) < 0.02
    assert found["int8"]["latency"]["pairs"] >= 5
    assert found["proof"]["ok"]


@pytest.mark.slow
def test_people_read_the_same_in_sentences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = str(tmp_path / "a.onnx")
    assert main(["export", "digits-mlp", "--to", "onnx", "--int8", "dynamic", "-o", target]) == 0
    said = capsys.readouterr().out
    assert "int8, dynamic:" in said
    assert "accuracy in ONNX Runtime: 9" in said
    assert "Measured: " in said


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["digits-mlp", "--to", "slim"], "--int8 does not go with --to slim."),
        (["digits-gru", "--to", "onnx"], "98.4% of the weights would stay float."),
    ],
)
def test_what_cannot_be_is_one_sentence(
    flags: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", *flags, "--int8", "static", "-o", str(tmp_path / "a.onnx")]) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
