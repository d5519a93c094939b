"""Every command on a real model: what it prints, what it writes, how it ends."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from explorer.cli import main
from explorer.pruning.spec import PruneSpec
from tests.cli.asked import Capture, refusal, result

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "data"
METRIC = {"value", "low", "high", "n", "origin"}
LAYER = {"name", "kind", "shape", "n_weights", "n_pruned", "threshold", "prunable", "why_not"}


def test_evaluate_prints_the_whole_object(capsys: Capture) -> None:
    found = result(capsys, "evaluate", "digits-cnn", "--criterion", "lp_norm:p=1", "--sparsity", "0.8")
    assert found["model"]["address"] == "digits-cnn"
    assert found["split"] == "tune"
    assert PruneSpec.from_json(found["spec"]) == PruneSpec("weight", "lp_norm:p=1", "global:sparsity=0.8")
    assert found["sparsity"] == pytest.approx(0.8, abs=1e-4)
    assert found["theoretical_speedup"] > 1 < found["compression_ratio"]
    assert set(found["metrics"]["accuracy"]) >= METRIC
    assert set(found["metrics"]["drop"]) >= METRIC
    assert found["metrics"]["accuracy"]["n"] == 450
    assert found["metrics"]["accuracy"]["origin"] == "measured"
    assert {"dense_file", "csr", "bitmask", "dense_file_compressed"} <= set(found["sizes"])
    assert all(set(row) == LAYER for row in found["layers"])
    assert sum(r["n_pruned"] for r in found["layers"] if r["prunable"]) == round(
        0.8 * sum(r["n_weights"] for r in found["layers"] if r["prunable"])
    )


def test_without_pruning_nothing_changes(capsys: Capture) -> None:
    found = result(capsys, "evaluate", "digits-cnn")
    assert found["sparsity"] == 0.0
    assert found["compression_ratio"] == found["theoretical_speedup"] == 1.0
    assert found["metrics"]["drop"]["value"] == 0.0
    assert found["metrics"]["agreement"]["value"] == 1.0
    assert found["metrics"]["accuracy"]["value"] > 0.95


def test_right_answers_are_told_class_by_class_and_among_the_first_five(capsys: Capture) -> None:
    found = result(capsys, "evaluate", "digits-cnn", "--sparsity", "0.9")
    counts, metrics = found["per_class"], found["metrics"]
    assert [row["class"] for row in counts] == [str(i) for i in range(10)]
    n = metrics["accuracy"]["n"]
    assert sum(row["n"] for row in counts) == sum(row["n_chosen"] for row in counts) == n
    assert sum(row["n_right"] for row in counts) == round(metrics["accuracy"]["value"] * n)
    assert all(row["low"] <= row["recall"] <= row["high"] for row in counts)
    assert metrics["accuracy"]["value"] <= metrics["top_k"]["value"] <= 1.0


def test_numbers_to_predict_are_reported_as_such(capsys: Capture, tmp_path: Path) -> None:
    from explorer import data

    x = data.load("digits").splits["tune"].x.numpy()
    np.savez(tmp_path / "ink.npz", x=x, y=x.reshape(len(x), -1)[:, :10] + 0.25)
    argv = ("evaluate", "digits-mlp", "--data", f"npz:{tmp_path / 'ink.npz'}", "--sparsity", "0.5")
    found = result(capsys, *argv)
    assert found["judged_by"] == "numbers"
    assert set(found["metrics"]) == {"r2", "mae", "drop", "agreement"}
    assert found["per_class"] == []
    assert main(list(argv)) == 0
    assert any(line.startswith("R2 ") for line in capsys.readouterr().out.splitlines())


def test_the_same_command_gives_the_same_numbers(capsys: Capture) -> None:
    argv = ("evaluate", "digits-cnn", "--criterion", "random", "--seed", "5", "--sparsity", "0.3")
    one, other = result(capsys, *argv), result(capsys, *argv)
    assert one["metrics"]["accuracy"]["value"] == other["metrics"]["accuracy"]["value"]
    assert one["layers"] == other["layers"]


def test_a_printed_spec_reproduces_the_result(capsys: Capture, tmp_path: Path) -> None:
    first = result(capsys, "evaluate", "digits-cnn", "--granularity", "out_channel", "--sparsity", "0.4")
    (tmp_path / "spec.json").write_text(json.dumps(first["spec"]))
    again = result(capsys, "evaluate", "digits-cnn", "--spec", str(tmp_path / "spec.json"))
    assert again["layers"] == first["layers"]
    assert again["metrics"]["accuracy"]["value"] == first["metrics"]["accuracy"]["value"]


def test_people_get_aligned_tables_and_progress_stays_off_standard_output(capsys: Capture) -> None:
    assert main(["evaluate", "digits-cnn", "--sparsity", "0.5"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(re.match(r"accuracy +\d{2,3}\.\d%", line) for line in lines)
    assert any(line.startswith("Δ accuracy") and " pt " in line for line in lines)
    assert any(line.startswith("sparsity reached") and line.endswith("counted") for line in lines)
    assert any(line.startswith("block1.conv1") and "Conv2d" in line for line in lines)
    assert not any("\x1b" in line for line in lines)


def test_looks_at_the_test_split_are_counted_and_shown(capsys: Capture, tmp_path: Path) -> None:
    argv = ["evaluate", "digits-cnn", "--split", "test", "--data-dir", str(tmp_path)]
    assert result(capsys, *argv)["looks_at_test"] == 1
    assert main(argv) == 0
    assert "look number 2 at the locked test split" in capsys.readouterr().out
    assert result(capsys, "evaluate", "digits-cnn", "--data-dir", str(tmp_path))["looks_at_test"] is None
    assert result(capsys, *argv)["looks_at_test"] == 3


def test_without_labels_agreement_is_what_is_measured(capsys: Capture) -> None:
    found = result(capsys, "evaluate", "digits-cnn", "--data", "none", "--sparsity", "0.5")
    assert found["judged_by"] == "agreement"
    assert set(found["metrics"]) == {"agreement"}
    assert main(["evaluate", "digits-cnn", "--data", "none"]) == 0
    assert "\naccuracy" not in capsys.readouterr().out


def test_inspect_shows_every_parameter_with_its_quantiles(capsys: Capture) -> None:
    found = result(capsys, "inspect", "digits-cnn")
    stored = load_file(ROOT / "sample_models" / "digits-cnn.safetensors")
    assert found["n_parameters"] == sum(row["n_weights"] for row in found["layers"])
    first = next(row for row in found["layers"] if row["name"] == "block1.conv1")
    magnitudes = stored["block1.conv1.weight"].abs().double()
    for share, value in first["quantiles"].items():
        assert value == pytest.approx(float(magnitudes.quantile(float(share))), rel=1e-6), share
    assert {row["why_not"] is None for row in found["layers"] if row["prunable"]} == {True}
    assert main(["inspect", "digits-cnn"]) == 0
    assert "not prunable" in capsys.readouterr().out


def test_a_file_without_architecture_can_be_inspected_and_pruned_but_not_evaluated(
    capsys: Capture, tmp_path: Path
) -> None:
    path = tmp_path / "w.safetensors"
    save_file({"layer.weight": torch.arange(1.0, 13.0).reshape(3, 4)}, path)
    assert result(capsys, "inspect", str(path))["runnable"] is False
    out = tmp_path / "out.safetensors"
    found = result(capsys, "prune", str(path), "-o", str(out), "--sparsity", "0.5")
    assert found["layers"][0]["n_pruned"] == 6
    assert int((load_file(out)["layer.weight"] == 0).sum()) == 6
    assert "Give --arch" in refusal(capsys, "evaluate", str(path), "--data", "digits")
    assert "Give --arch" in refusal(capsys, "sweep", str(path), "--data", "digits")


def test_a_pruned_file_is_the_pruned_model(capsys: Capture, tmp_path: Path) -> None:
    out = tmp_path / "out.safetensors"
    asked = ("--criterion", "lp_norm:p=1", "--allocation", "uniform", "--sparsity", "0.6")
    in_memory = result(capsys, "evaluate", "digits-cnn", *asked)
    written = result(capsys, "prune", "digits-cnn", "-o", str(out), *asked)["written"]
    assert written == {"weights": str(out), "spec": str(tmp_path / "out.spec.json"), "bytes": out.stat().st_size}
    from_file = result(capsys, "evaluate", str(out))
    assert from_file["metrics"]["accuracy"]["value"] == in_memory["metrics"]["accuracy"]["value"]
    assert from_file["parameters"]["nonzero"] <= in_memory["parameters"]["kept"]
    assert json.loads((tmp_path / "out.spec.json").read_text())["spec"] == in_memory["spec"]


def test_prune_does_not_write_over_what_is_there(capsys: Capture, tmp_path: Path) -> None:
    out = tmp_path / "out.safetensors"
    out.write_text("mine")
    assert "is there already" in refusal(capsys, "prune", "digits-cnn", "-o", str(out), "--sparsity", "0.5")
    assert out.read_text() == "mine"
    assert main(["prune", "digits-cnn", "-o", str(out), "--sparsity", "0.5", "--force"]) == 0
    assert "as large as the dense one" in capsys.readouterr().out


def test_sweep_gives_a_point_for_each_level(capsys: Capture) -> None:
    found = result(capsys, "sweep", "digits-cnn", "--ratios", "1", "2", "4")
    assert [p["compression_ratio"] for p in found["points"]] == [pytest.approx(r, rel=0.01) for r in (1, 2, 4)]
    assert all(set(p["accuracy"]) >= METRIC for p in found["points"])
    assert found["split"] == "tune"
    shares = result(capsys, "sweep", "digits-cnn", "--sparsities", "0.5,0.9", "--allocation", "uniform")
    assert [p["asked"] for p in shares["points"]] == [0.5, 0.9]
    assert main(["sweep", "digits-cnn", "--ratios", "1,32"]) == 0
    assert "95 % interval" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["evaluate", "digits-cmm"], "digits-cmm"),
        (["evaluate", "absent.pt"], "absent.pt"),
        (["evaluate", "digits-cnn", "--data", "folder:absent"], "absent"),
        (["evaluate", "digits-cnn", "--data", "mnist"], "'mnist' is not an address of data"),
        (["evaluate", "digits-cnn", "--lock", "conv9"], "'conv9'"),
        (["evaluate", "digits-cnn", "--allocation", "per_layer", "--cap", "conv9=0.5"], "'conv9'"),
        (["evaluate", "digits-cnn", "--device", "quantum"], "device 'quantum' is not usable"),
        (["evaluate", "digits-cnn", "--batch", "8"], "Add --latency."),
        (["evaluate", "digits-cnn", "--latency", "--device", "cpu:0"], "Time is measured on the processor."),
        (["search", "digits-cnn", "--budget", "macs=0.5", "--cost", "size"], "Leave out --cost."),
        (["quantize", "digits-cnn", "--epochs", "3"], "nothing is trained"),
        (["sweep", "digits-cnn", "--ratios", "0.5"], "--ratios '0.5'"),
        (["sweep", "digits-cnn", "--sparsities", "2"], "--sparsities '2'"),
        (["sweep", "digits-cnn", "--allocation", "threshold:value=1"], "no overall sparsity"),
        (["prune", "digits-cnn", "-o", "out.pt"], "does not end in .safetensors"),
        (["prune", "digits-cnn", "-o", "absent/out.safetensors"], "There is no folder absent"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_status_2(
    argv: list[str], said: str, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert said in refusal(capsys, *argv)
    assert os.listdir(tmp_path) == []


def test_a_file_that_does_not_fit_its_architecture_is_refused(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file({"layer.weight": torch.ones(3, 4)}, path)
    said = refusal(capsys, "evaluate", str(path), "--arch", "digits-cnn", "--data", "digits")
    assert "layer.weight" in said


def test_names_from_a_file_cannot_play_with_the_terminal(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file({"\x1b[31mred\x07.weight": torch.ones(3, 4)}, path)
    assert main(["inspect", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "red" in shown


def test_as_a_process_too_standard_output_holds_the_object_alone() -> None:
    command = [sys.executable, "-m", "explorer", "evaluate", "digits-mlp", "--sparsity", "0.5", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["sparsity"] == pytest.approx(0.5, abs=1e-4)
    assert done.stdout.count("\n") == 1


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"{sys.executable} -m explorer inspect digits-mlp | head -1"
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


@pytest.mark.skipif(not REAL.is_dir(), reason="the CIFAR-10 material is not beside the project")
def test_the_network_from_the_wild_gives_its_known_accuracy(capsys: Capture) -> None:
    found = result(
        capsys,
        *("evaluate", str(REAL / "resnet20-12fca82f.th"), "--arch", "cifar-resnet20"),
        *("--data", f"folder:{REAL / 'cifar10-test-2000'}", "--size", "32"),
        *("--mean", "0.485", "0.456", "0.406", "--std", "0.229,0.224,0.225"),
    )
    accuracy = found["metrics"]["accuracy"]
    assert (accuracy["value"], accuracy["n"]) == (0.8135, 2000)
    assert round(accuracy["value"] * accuracy["n"]) == 1627
    assert found["repairs"]
    assert found["data"]["mean"] == [0.485, 0.456, 0.406]


def test_single_weights_go_after_whole_units_and_alone_they_are_refused(capsys: Capture, tmp_path: Path) -> None:
    flags = ("--granularity", "out_channel", "--allocation", "uniform", "--sparsity", "0.3", "--then-sparsity", "0.5")
    report = result(capsys, "evaluate", "digits-cnn", *flags)
    spec = PruneSpec.from_json(report["spec"])
    assert spec == PruneSpec(
        "out_channel", allocation="uniform:sparsity=0.3", then=PruneSpec(allocation="global:sparsity=0.5")
    )
    written = result(
        capsys, "prune", "digits-cnn", "--form", "sliced", "-o", str(tmp_path / "both.safetensors"), *flags
    )
    assert written["proof"]["ok"]
    tensors = load_file(tmp_path / "both.safetensors")
    weights = [tensor for tensor in tensors.values() if tensor.dim() > 1]
    zeros, n = sum(int((t == 0).sum()) for t in weights), sum(t.numel() for t in weights)
    assert zeros == round(0.5 * n)
    assert "whole units" in refusal(capsys, "evaluate", "digits-cnn", "--then-sparsity", "0.5")


def test_train_writes_a_network_that_opens_with_its_recipe_and_seconds(capsys: Capture, tmp_path: Path) -> None:
    out = tmp_path / "full.safetensors"
    report = result(capsys, "train", "digits-mlp:hidden1=32", "--epochs", "2", "-o", str(out))
    assert [line["epoch"] for line in report["history"]] == [1, 2]
    assert report["trained"]["seconds"] > 0
    assert report["tune"]["origin"] == "measured"
    again = result(capsys, "evaluate", str(out))
    assert again["metrics"]["accuracy"]["value"] == report["tune"]["value"]
    assert "digits-mlp" in refusal(capsys, "train", "digits-nothing")
    assert "Add --data" in refusal(capsys, "train", "cifar-resnet20")
    assert "already" in refusal(capsys, "train", "digits-mlp", "--epochs", "1", "-o", str(out))
