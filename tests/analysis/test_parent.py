"""A model that was made from another is told against it, and their looks at the test split count together."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import explorer as ex
from explorer.analysis.parent import Against, count_look_at_test, looks_at_test
from explorer.errors import ExplorerError
from explorer.export.slim import write_slim
from explorer.export.weights import write_pruned
from explorer.models.lineage import KEY, lineage_of, read, with_parent
from explorer.pruning.plan import plan as make_plan
from explorer.recovery.recipe import Recipe, recover
from explorer.recovery.steps import Finetune, Prune
from explorer.types import LoadedModel
from tests.recovery.tiny import flowers, half, two

CHANNELS = ex.PruneSpec("out_channel", "lp_norm", "uniform:sparsity=0.5")
WEIGHTS = ex.PruneSpec(allocation="global:sparsity=0.9")  # type: ignore[arg-type]


def written(model: LoadedModel, spec: ex.PruneSpec, path: Path) -> Path:
    write_pruned(model, make_plan(model, spec), path, force=True)
    return path


def compared(report: ex.Report) -> Against:
    assert isinstance(report.against, Against)
    return report.against


@pytest.mark.slow
def test_a_pruned_file_and_a_slim_one_are_told_against_their_dense_parent(tmp_path: Path) -> None:
    dense = ex.load("digits-cnn")
    write_slim(dense, make_plan(dense, CHANNELS), tmp_path / "slim.safetensors")
    files = {written(dense, WEIGHTS, tmp_path / "pruned.safetensors"): WEIGHTS, tmp_path / "slim.safetensors": CHANNELS}
    for path, spec in files.items():
        direct = ex.evaluate(dense, spec)
        report = ex.evaluate(str(path))
        assert report.drop is not None
        assert report.drop.value == 0.0  # nothing more is pruned
        assert compared(report).parent.address == "digits-cnn"
        assert direct.evaluation is not None
        evaluation = compared(report).evaluation
        for name in ("accuracy", "drop", "agreement"):
            ours, theirs = getattr(evaluation, name), getattr(direct.evaluation, name)
            assert (ours.value, ours.low, ours.high) == pytest.approx((theirs.value, theirs.low, theirs.high), abs=1e-9)
        assert report.to_json()["against"]["drop"]["value"] == evaluation.drop.value


def test_what_is_pruned_on_top_counts_against_the_parent_too(tmp_path: Path) -> None:
    dense = ex.load("digits-mlp")
    half_way = written(dense, ex.PruneSpec(allocation="global:sparsity=0.5"), tmp_path / "half.safetensors")  # type: ignore[arg-type]
    report = ex.evaluate(str(half_way), WEIGHTS)
    direct = ex.evaluate(dense, WEIGHTS)
    assert direct.drop is not None
    assert compared(report).evaluation.drop.value == direct.drop.value


def test_a_recovered_model_names_its_dense_parent_its_request_and_its_recipe(tmp_path: Path) -> None:
    dense, data = two(), flowers()
    *_, last = recover(dense, Recipe((Prune(half()), Finetune(epochs=1))), data)
    recovered = last.recovered
    assert recovered is not None
    assert recovered.plan is not None
    path = tmp_path / "recovered.safetensors"
    write_pruned(recovered.model, recovered.plan, path, recipe=recovered.protocol)
    with safe_open(path, "pt") as file:
        lineage = read(json.loads(file.metadata()["explorer"])[KEY])
    assert lineage is not None
    assert (lineage.digest, lineage.address) == (dense.digest, dense.address)
    assert [sorted(step) for step in lineage.steps] == [["recipe", "spec"]]
    assert lineage.steps[0]["recipe"]["recipe"]["steps"][1]["epochs"] == 1
    assert lineage_of(recovered.model) is not None


@pytest.mark.slow
def test_the_parent_of_a_file_of_ones_own_is_found_while_it_is_the_same(tmp_path: Path) -> None:
    parent = tmp_path / "mine.safetensors"
    save_file(load_file(Path(ex.__file__).parents[1] / "sample_models" / "digits-mlp.safetensors"), parent)
    child = written(ex.load(str(parent), arch="digits-mlp"), WEIGHTS, tmp_path / "child.safetensors")
    assert compared(ex.evaluate(str(child), data="digits")).parent.digest == ex.load("digits-mlp").digest

    tensors = load_file(parent)
    tensors["fc1.weight"][0, 0] += 1
    save_file(tensors, parent)
    changed = ex.evaluate(str(child), data="digits").against
    assert isinstance(changed, ExplorerError)
    assert "other weights" in changed.why
    parent.unlink()
    gone = ex.evaluate(str(child), data="digits")
    assert isinstance(gone.against, ExplorerError)
    assert "is not at hand" in gone.to_json()["against"]["why_not"]


def test_a_place_that_only_the_file_names_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parent = tmp_path / "mine.safetensors"
    save_file(load_file(Path(ex.__file__).parents[1] / "sample_models" / "digits-mlp.safetensors"), parent)
    child = written(ex.load(str(parent), arch="digits-mlp"), WEIGHTS, tmp_path / "child.safetensors")
    monkeypatch.setenv("PRUNING_EXPLORER_DATA", str(tmp_path / "another machine"))
    against = ex.evaluate(str(child), data="digits").against
    assert isinstance(against, ExplorerError)
    assert "not known on this machine" in against.why


def test_looks_at_the_test_split_count_for_the_whole_lineage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dense = ex.load("digits-mlp")
    data = ex.load_data("digits", model=dense)
    assert [count_look_at_test(dense, data) for _ in range(2)] == [1, 2]
    child = ex.load(str(written(dense, WEIGHTS, tmp_path / "child.safetensors")))
    assert child.digest != dense.digest
    assert looks_at_test(child, data) == 2
    assert count_look_at_test(child, data) == 3
    assert looks_at_test(dense, data) == 3

    monkeypatch.setenv("PRUNING_EXPLORER_DATA", str(tmp_path / "another machine"))
    assert looks_at_test(child, data) == 2  # what its file brings along
    assert count_look_at_test(child, data) == 3
    grandchild = ex.load(str(written(child, WEIGHTS, tmp_path / "grandchild.safetensors")))
    assert looks_at_test(grandchild, data) == 3


def test_a_model_that_was_written_out_as_it_was_is_still_the_dense_one(tmp_path: Path) -> None:
    dense = ex.load("digits-mlp")
    same = ex.load(str(written(dense, ex.PruneSpec(), tmp_path / "same.safetensors")))
    assert lineage_of(same) is None
    assert ex.evaluate(same).against is None


def test_a_parent_that_answers_another_question_is_refused() -> None:
    dense = ex.load("digits-mlp")
    other = replace(dense, n_classes=3, digest="0" * 16)
    report = ex.evaluate(with_parent(dense, other))
    assert isinstance(report.against, ExplorerError)


def test_what_a_file_says_of_its_parent_may_be_anything() -> None:
    dense = {"address": "digits-mlp", "digest": "0" * 16}
    no_lineage = [None, 3, "x", [], {}, {"dense": 3}, {"dense": {}}, {"dense": {**dense, "digest": 3}}]
    no_lineage += [{"dense": {**dense, "address": "x" * 5000}}, {"dense": dense, "steps": 3}]
    assert [read(raw) for raw in no_lineage] == [None] * len(no_lineage)
    looks = {"a": {"d": -1, "e": True, "f": 2}, "b": 3}
    odd = read({"dense": {**dense, "arch": 3}, "steps": [3, {}] * 100, "looks": looks})
    assert odd is not None
    assert (odd.arch, odd.steps, odd.looks) == (None, ({},) * 25, {"a": {"f": 2}})
