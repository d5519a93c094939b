"""``--against``: a file is told against the dense model that it was made from."""

from __future__ import annotations

from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from explorer.cli import main
from tests.cli.asked import Capture, refusal, result

MODEL = "digits-mlp"


def test_a_written_file_is_told_against_its_parent_without_being_asked(capsys: Capture, tmp_path: Path) -> None:
    path = str(tmp_path / "pruned.safetensors")
    result(capsys, "prune", MODEL, "--sparsity", "0.9", "-o", path)
    direct = result(capsys, "evaluate", MODEL, "--sparsity", "0.9")
    against = result(capsys, "evaluate", path)["against"]
    assert against["address"] == MODEL
    assert against["digest"] == direct["model"]["digest"]
    for name in ("accuracy", "drop", "agreement"):
        assert against[name]["value"] == direct["metrics"][name]["value"]
    assert main(["evaluate", path]) == 0
    shown = capsys.readouterr().out
    assert f"Δ accuracy against {MODEL}" in shown
    assert f"agreement with {MODEL}" in shown
    assert "against" not in direct


def test_a_bare_file_is_told_against_what_is_named_and_what_is_written_of_it_remembers(
    capsys: Capture, tmp_path: Path
) -> None:
    made, bare, again = (str(tmp_path / f"{name}.safetensors") for name in ("made", "bare", "again"))
    result(capsys, "prune", MODEL, "--sparsity", "0.8", "-o", made)
    save_file(load_file(made), bare)
    shown = result(capsys, "evaluate", bare, "--arch", MODEL, "--data", "digits", "--against", MODEL)
    assert shown["against"]["drop"]["value"] == result(capsys, "evaluate", made)["against"]["drop"]["value"]
    assert "against" not in result(capsys, "evaluate", bare, "--arch", MODEL, "--data", "digits")

    result(capsys, "prune", bare, "--arch", MODEL, "--against", MODEL, "--sparsity", "0.9", "-o", again)
    assert result(capsys, "evaluate", again, "--data", "digits")["against"]["address"] == MODEL


def test_a_parent_that_is_not_at_hand_is_a_note_and_one_that_does_not_fit_is_refused(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent, child = str(tmp_path / "parent.safetensors"), str(tmp_path / "child.safetensors")
    result(capsys, "prune", MODEL, "--sparsity", "0.1", "-o", str(tmp_path / "first.safetensors"))
    save_file(load_file(tmp_path / "first.safetensors"), parent)
    result(capsys, "prune", parent, "--arch", MODEL, "--sparsity", "0.9", "-o", child)
    Path(parent).unlink()
    shown = result(capsys, "evaluate", child, "--data", "digits")
    assert "is not at hand" in shown["against"]["why_not"]
    assert main(["evaluate", child, "--data", "digits"]) == 0
    assert "note: The parent of this model, parent.safetensors" in capsys.readouterr().out
    assert "nobody" in refusal(capsys, "evaluate", child, "--data", "digits", "--against", str(tmp_path / "nobody.pt"))
