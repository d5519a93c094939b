"""Exports from the command line: what is written opens again, and the loop closes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from explorer import data, models
from explorer.cli import main
from explorer.pruning.spec import PruneSpec
from tests.cli.asked import Capture, refusal, result

HALF = ("--granularity", "out_channel", "--sparsity", "0.5")


@pytest.mark.parametrize("name", [pytest.param("digits-resnet", marks=pytest.mark.slow), "digits-vit"])
def test_pruned_sliced_and_evaluated_the_loop_closes(capsys: Capture, tmp_path: Path, name: str) -> None:
    out = str(tmp_path / "out.safetensors")
    pruned = result(capsys, "prune", name, *HALF, "--form", "sliced", "-o", out)
    assert pruned["form"] == "sliced"
    assert pruned["proof"]["ok"] is True
    assert pruned["written"]["bytes"] == os.path.getsize(out) < pruned["sizes"]["dense_file"]
    assert (pruned["asked"], 0 < pruned["sparsity"] < 1) == (0.5, True)
    again = result(capsys, "evaluate", out)
    masked = result(capsys, "evaluate", name, *HALF)
    assert again["metrics"]["accuracy"]["value"] == masked["metrics"]["accuracy"]["value"]
    assert again["metrics"]["dense_accuracy"]["value"] == masked["metrics"]["accuracy"]["value"]
    assert again["parameters"]["total"] == masked["parameters"]["kept"]
    assert again["macs"]["dense"] < masked["macs"]["dense"]


@pytest.mark.slow
def test_every_form_is_written_and_says_what_it_is(capsys: Capture, tmp_path: Path) -> None:
    names = {"slim": "a.safetensors", "bitmask": "b.safetensors", "weights": "c.safetensors"}
    names |= {"spec": "d.json", "script": "e.py"}
    for form, name in names.items():
        found = result(capsys, "export", "digits-mlp", "--to", form, *HALF, "-o", str(tmp_path / name))
        assert found["written"]["bytes"] == (tmp_path / name).stat().st_size
        assert found["asked"] == 0.5
    spec = PruneSpec("out_channel", "lp_norm", "global:sparsity=0.5")
    assert PruneSpec.from_json((tmp_path / "d.json").read_text()) == spec
    for name in ("a.safetensors", "b.safetensors", "c.safetensors"):
        assert models.load(str(tmp_path / name)).module is not None
    compile((tmp_path / "e.py").read_text(), "e.py", "exec")


@pytest.mark.slow
def test_onnx_is_written_with_what_it_was_compared_with(capsys: Capture, tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    found = result(capsys, "export", "digits-mlp", "--to", "onnx", *HALF, "-o", str(tmp_path / "f.onnx"))
    assert found["proof"]["ok"] is True
    assert found["written"]["bytes"] == (tmp_path / "f.onnx").stat().st_size
    x = data.load("digits").splits["tune"].x[:5].numpy()
    session = onnxruntime.InferenceSession(str(tmp_path / "f.onnx"), providers=["CPUExecutionProvider"])
    assert session.run(None, {"input": x})[0].shape == (5, 10)


def test_a_request_that_was_written_is_a_request_that_is_read(capsys: Capture, tmp_path: Path) -> None:
    result(capsys, "export", "digits-mlp", "--to", "spec", *HALF, "-o", str(tmp_path / "s.json"))
    by_spec = ("export", "digits-mlp", "--to", "weights", "--spec", str(tmp_path / "s.json"))
    found = result(capsys, *by_spec, "-o", str(tmp_path / "w.safetensors"))
    assert found["sparsity"] == result(capsys, "evaluate", "digits-mlp", *HALF)["sparsity"]


@pytest.mark.slow
def test_more_than_can_go_is_met_as_far_as_possible_and_said(capsys: Capture, tmp_path: Path) -> None:
    out = str(tmp_path / "out.safetensors")
    most = ("--granularity", "out_channel", "--sparsity", "0.999", "--allocation", "uniform")
    found = result(capsys, "prune", "digits-mlp", *most, "--form", "sliced", "-o", out)
    assert found["asked"] == 0.999
    assert found["sparsity"] < 0.999
    assert any("At least one" in note for note in found["notes"])
    assert found["proof"]["ok"]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("prune", "digits-mlp", "--sparsity", "0.5", "--form", "sliced"), "cannot be removed"),
        (("prune", "digits-mlp", *HALF, "--form", "sliced", "--lock", "nowhere"), "'nowhere'"),
        (("export", "digits-mlp", "--to", "slim", "--sparsity", "0.5"), "cannot be removed"),
        (("export", "digits-mlp", "--to", "pickle"), "invalid choice"),
        (("export", "digits-mlp", "--to", "onnx"), "does not end in .onnx"),
        (("export", "no-such-model", "--to", "slim"), "no-such-model"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    capsys: Capture, tmp_path: Path, argv: tuple[str, ...], words: str
) -> None:
    assert words in refusal(capsys, *argv, "-o", str(tmp_path / "o.safetensors"))
    assert os.listdir(tmp_path) == []


def test_a_file_that_is_there_stays_without_force(capsys: Capture, tmp_path: Path) -> None:
    out = tmp_path / "o.safetensors"
    out.write_text("mine")
    for argv in (
        ("prune", "digits-mlp", *HALF, "--form", "sliced"),
        ("export", "digits-mlp", "--to", "bitmask", *HALF),
    ):
        assert "is there already" in refusal(capsys, *argv, "-o", str(out))
    assert out.read_text() == "mine"
    result(capsys, "export", "digits-mlp", "--to", "bitmask", *HALF, "-o", str(out), "--force")
    assert models.load(str(out)).module is not None


@pytest.mark.slow
def test_people_read_what_was_asked_what_was_reached_and_what_was_proven(capsys: Capture, tmp_path: Path) -> None:
    assert main(["prune", "digits-mlp", *HALF, "--form", "sliced", "-o", str(tmp_path / "o.safetensors")]) == 0
    out = capsys.readouterr().out
    assert "asked 50.0%" in out
    assert "parameters are left." in out
    assert "proven: The smaller network answers like the masked one on the 450 samples of the tune split" in out
