"""Recovery from the command line: a table for people, one object for programs, a point that is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import explorer as ex
from explorer.analysis.comparison.protocol import in_words
from explorer.cli import DONE, main, parser
from explorer.cli.arguments import Arguments
from explorer.cli.flags.recipe import TRAINING
from explorer.cli.run.recipe import recipe_of
from explorer.params import params_of
from explorer.recovery.quantized_size import smallest
from explorer.recovery.recipe import Recipe
from explorer.recovery.settings import TrainingSettings
from explorer.recovery.steps import Gradual
from explorer.store.database import Store
from tests.cli.asked import refusal, result

QUICK = ["recover", "digits-mlp", "--sparsity", "0.8", "--epochs", "2"]


def test_programs_get_the_protocol_the_three_accuracies_and_the_audit(capsys: pytest.CaptureFixture[str]) -> None:
    found = result(capsys, *QUICK)
    assert found["epochs"] == 2
    assert found["n_revived"] == 0
    assert found["protocol"]["optimiser"] == ["adamw"]
    assert found["protocol"]["data"]["digest"] == found["data"]["digest"]
    assert found["mask_digest"] == found["protocol"]["mask_digest"]
    assert found["tune"]["tuned"]["value"] > found["tune"]["as_pruned"]["value"]
    assert found["metrics"]["accuracy"]["value"] == found["tune"]["tuned"]["value"]
    assert [p["epoch"] for p in found["history"]] == [0, 1, 2]
    assert found["sparsity"] == pytest.approx(0.8, abs=1e-3)


def test_a_written_recipe_is_replayed_to_the_same_masks_and_accuracy(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = str(tmp_path / "recipe.json")
    first = result(capsys, *QUICK, "--schedule", "iterative", "--rounds", "2", "--write-recipe", file)
    assert Recipe.from_json(Path(file).read_text()).n_epochs == 2
    assert "is there already" in refusal(capsys, *QUICK, "--write-recipe", file)
    again = result(capsys, "recover", "digits-mlp", "--recipe", file)
    for name in ("mask_digest", "digest", "metrics", "tune", "protocol"):
        assert again[name] == first[name]


def test_every_setting_of_training_has_a_flag_that_reaches_the_recipe() -> None:
    model, data = ex.load("digits-mlp"), ex.load_data("digits")
    for p in params_of(TrainingSettings):
        if p.name == "seed":  # that of the whole command
            continue
        value = p.choices[-1] if p.choices else 7 if p.type == "whole number" else 0.25
        words = ["recover", "digits-mlp", f"--{TRAINING[p.name].replace('_', '-')}", str(value)]
        recipe = recipe_of(parser().parse_args(words, Arguments()), model, data)
        assert getattr(recipe.steps[-1], p.name) == value, p.name


def test_a_recipe_from_a_file_takes_no_settings_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Leave out --batch-size" in refusal(capsys, *QUICK[:2], "--recipe", "r.json", "--batch-size", "32")


def test_temperature_and_weight_are_given_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--distil already says" in refusal(capsys, *QUICK, "--distil", "4,0.7", "--temperature", "2")


def test_the_point_is_kept_with_its_whole_protocol_under_the_dense_model(capsys: pytest.CaptureFixture[str]) -> None:
    found = result(capsys, *QUICK)
    (record,) = Store().points(model="digits-mlp")
    assert record.kind == "recover"
    assert dict(record.point.protocol) == found["protocol"]
    assert record.model_digest == found["model"]["digest"]
    assert record.point.plan_digest == found["mask_digest"]
    assert record.point.accuracy.value == found["metrics"]["accuracy"]["value"]
    assert record.point.label.endswith("prune, finetune, 2 epochs")
    assert dict(record.point.protocol) == found["protocol"]
    assert main([*QUICK, "--epochs", "1", "--no-keep", "--json"]) == DONE
    assert len(Store().points()) == 1


def test_the_written_file_is_the_recovered_network(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = str(tmp_path / "out.safetensors")
    found = result(capsys, *QUICK, "-o", out)
    assert found["written"]["weights"] == out
    measured = result(capsys, "evaluate", out)
    assert measured["model"]["digest"] == found["digest"]
    assert measured["metrics"]["accuracy"]["value"] == found["metrics"]["accuracy"]["value"]
    assert "is there already" in refusal(capsys, *QUICK, "-o", out)


def test_people_get_a_table_and_the_zero_audit(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*QUICK, "--split", "test", "--distil", "4,0.5", "--optimiser", "sgd", "--lr", "0.05"]) == DONE
    out = capsys.readouterr().out
    assert "as pruned, tune" in out
    assert "after training, tune" in out
    assert "recovered, test" in out
    assert "Zero audit: 0 pruned weights came back." in out
    assert "This was look number 1 at the locked test split" in out


@pytest.mark.parametrize("schedule", ["one_shot", "gradual", "lottery"])
def test_every_schedule_reaches_the_level_that_was_asked_for(
    schedule: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    rounds = ["--rounds", "2"] if schedule == "lottery" else []
    folder = ["--checkpoints", str(tmp_path / "kept")]
    found = result(capsys, *QUICK, "--schedule", schedule, *rounds, *folder)
    assert found["sparsity"] == pytest.approx(0.8, abs=1e-3)
    assert found["epochs"] == (4 if schedule == "lottery" else 2)
    assert list((tmp_path / "kept").rglob("*.safetensors"))
    assert result(capsys, *QUICK, "--schedule", schedule, *rounds, *folder)["digest"] == found["digest"]


def test_flags_say_how_sparsity_rises_in_one_training(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "recipe.json"
    ways = ["--schedule", "gradual", "--rise", "linear", "--rising", "0.5", "--write-recipe", str(file)]
    found = result(capsys, *QUICK, *ways)
    (step,) = Recipe.from_json(file.read_text()).steps
    assert isinstance(step, Gradual)
    assert (step.rise, step.rising) == ("linear", 0.5)
    assert found["sparsity"] == pytest.approx(0.8, abs=1e-3)


@pytest.mark.slow
def test_the_dense_control_has_the_size_that_pruning_leaves_and_says_what_it_is(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out, file = str(tmp_path / "out.safetensors"), tmp_path / "recipe.json"
    asked = ["recover", "digits-cnn", "--sparsity", "0.9", "--epochs", "1", "--control", "dense"]
    found = result(capsys, *asked, "-o", out, "--write-recipe", str(file))
    dense = ex.load("digits-cnn")
    n_left = dense.n_parameters - round(0.9 * ex.layers(dense).n_prunable)
    small = ex.load(out)
    assert abs(small.n_parameters - n_left) < 0.1 * n_left
    assert found["compression_ratio"] == pytest.approx(dense.n_parameters / small.n_parameters)
    assert found["theoretical_speedup"] > 2
    assert (found["sparsity"], found["epochs"]) == (0.0, 40 + 1)
    assert found["tune"]["as_pruned"] is None
    assert found["protocol"]["dense_digest"] == found["model"]["digest"] == dense.digest
    assert [step["key"] for step in found["protocol"]["recipe"]["steps"]] == ["narrow", "finetune"]
    assert found["label"] == f"dense network of {small.n_parameters:,} parameters, from scratch, 41 epochs"
    assert small.digest == found["digest"]
    assert result(capsys, "evaluate", out)["metrics"]["accuracy"] == found["metrics"]["accuracy"]
    (record,) = [r for r in Store().points(model="digits-cnn") if r.kind == "recover"]
    assert (record.point.label, record.point.compression_ratio) == (found["label"], found["compression_ratio"])
    assert in_words(record.point.protocol) == "a narrower network from scratch, fine-tuned, 41 epochs, adamw, on digits"
    assert [step.key for step in Recipe.from_json(file.read_text()).steps] == ["narrow", "finetune"]


def test_weights_are_rounded_at_last_and_counted_as_whole_numbers(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = str(tmp_path / "out.safetensors")
    found = result(capsys, *QUICK, "--bits", "4", "-o", out)
    rounded = ex.load(out)
    assert found["protocol"]["recipe"]["steps"][-1] == {"key": "quantize", "bits": 4}
    assert max(len(row.unique()) for row in rounded.weights["fc1.weight"]) <= 15
    plan = ex.plan(rounded, ex.PruneSpec("weight", "lp_norm", "global:sparsity=0.8"))  # type: ignore[arg-type]
    assert found["size_bytes"] == smallest(rounded, plan, 4).value < result(capsys, *QUICK)["size_bytes"] / 2
    (record, *_) = [r for r in Store().points(model="digits-mlp") if r.point.size_bytes == found["size_bytes"]]
    assert in_words(record.point.protocol) == "fine-tuned, 2 epochs, adamw, int4 weights, on digits"
    assert main([*QUICK, "--bits", "4"]) == DONE
    assert f"Weights rounded to 4 bits: {found['size_bytes']:,} B as whole numbers" in capsys.readouterr().out


def test_people_are_told_how_large_the_dense_control_is(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "recipe.json"
    file.write_text(json.dumps(Recipe(("narrow:n_parameters=5000", "finetune:epochs=1")).to_json()))  # type: ignore[arg-type]
    assert main(["recover", "digits-mlp", "--recipe", str(file)]) == DONE
    out = capsys.readouterr().out
    assert "from scratch, tune" in out
    assert "A dense network of 5,028 parameters, 10.1× fewer." in out
    assert "pruned" not in out


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--data", "none"], "Recovery needs real data."),
        (["--rounds", "3"], "--rounds does not go with one_shot."),
        (["--rise", "linear"], "--rise and --rising are of one training."),
        (["--schedule", "iterative", "--rising", "0.5"], "--rise and --rising are of one training."),
        (["--control", "reinit"], "--control reinit is of tickets."),
        (["--control", "dense", "--rewind", "init"], "--rewind is of tickets."),
        (["--schedule", "gradual", "--no-refresh"], "gradual refreshes nothing."),
        (["--schedule", "iterative", "--rounds", "9"], "2 epochs cannot be spread over 9 rounds."),
        (["--distil", "hot"], "--distil 'hot' is not TEMPERATURE,WEIGHT."),
        (["--distil", "4,2"], "distil_weight = 2.0 does not suit"),
        (["--bits", "9"], "bits = 9 does not suit"),
        (["--lr", "-1"], "learning_rate = -1.0 does not suit"),
        (["--recipe", "nowhere.json"], "--recipe already says it all."),
        (["-o", "out.pt"], "out.pt does not end in .safetensors."),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_sentence(
    flags: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refusal(capsys, *QUICK, *flags).startswith(said)


def test_a_file_that_is_no_recipe_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "recipe.json"
    file.write_text('{"steps": [{"key": "recover"}]}')
    assert "no recovery step called 'recover'" in refusal(capsys, "recover", "digits-mlp", "--recipe", str(file))
    assert "is no recipe" in refusal(capsys, "recover", "digits-mlp", "--recipe", str(tmp_path / "absent.json"))


def test_flags_of_single_layers_do_not_go_with_a_recipe(capsys: pytest.CaptureFixture[str]) -> None:
    said = refusal(capsys, "recover", "digits-mlp", "--recipe", "nowhere.json", "--lock", "fc1")
    assert said.startswith("--recipe already says it all. Leave out --lock")


@pytest.mark.slow
def test_a_network_whose_architecture_has_no_width_has_no_dense_control(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    slim = str(tmp_path / "slim.safetensors")
    units = ["--granularity", "out_channel", "--allocation", "uniform", "--sparsity", "0.3", "--form", "sliced"]
    result(capsys, "prune", "digits-cnn", *units, "-o", slim)
    file = tmp_path / "recipe.json"
    said = refusal(
        capsys,
        "recover",
        slim,
        "--data",
        "digits",
        "--sparsity",
        "0.5",
        "--control",
        "dense",
        "--write-recipe",
        str(file),
    )
    assert "cannot be made narrower" in said
    assert not file.exists()
