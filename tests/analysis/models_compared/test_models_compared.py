"""Several models side by side: their numbers are those of a check, of scikit-learn and of counting by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import confusion_matrix, log_loss, recall_score
from statsmodels.stats.contingency_tables import mcnemar
from torch import Tensor, nn

import explorer as ex
from explorer.analysis.check.answers import answered
from explorer.analysis.models_compared.changed import changed_samples
from explorer.analysis.models_compared.layers import layer_differences, parts_at
from explorer.analysis.models_compared.lineage_map import lineage_map
from explorer.analysis.models_compared.result import ModelsCompared
from explorer.analysis.models_compared.weights import weight_sets
from explorer.cli import main
from explorer.errors import ExplorerError
from tests.analysis.check.two_models import model_of, usual
from tests.cli.asked import Capture, refusal
from tests.recovery.tiny import two

HALF, MOST = (ex.PruneSpec(allocation=f"global:sparsity={share}") for share in (0.5, 0.8))


@pytest.fixture(scope="module")
def compared() -> ModelsCompared:
    """A bundled network, dense, at 50 % and at 80 %."""
    return ex.compare_models(["digits-resnet", HALF, MOST])


def answers(module: nn.Module | None) -> tuple[np.ndarray, np.ndarray, Tensor]:
    """Labels, probabilities and choices, by the network alone."""
    split = ex.load_data("digits", model=ex.load("digits-resnet")).splits["tune"]
    assert module is not None
    assert split.y is not None
    with torch.inference_mode():
        scores = module(split.x)
    return split.y.numpy(), scores.double().softmax(dim=1).numpy(), scores.argmax(dim=1)


def test_every_number_of_a_pair_is_that_of_a_check_to_the_digit(compared: ModelsCompared) -> None:
    only = dict.fromkeys(ex.Policy.of().to_json(), False) | {"accuracy": True, "changed": True, "classes": True}
    for i, spec in enumerate((HALF, MOST), 1):
        check, against = ex.check(against="digits-resnet", spec=spec, policy=only), compared.models[i].against
        assert against is not None
        assert against.drop == check.outcome("accuracy").value
        assert against.changed == check.outcome("changed").value
        assert {"direction": "McNemar p", "p": against.p} in check.outcome("changed").rows
        rows = {row["name"]: (row["drop"], row["low"], row["high"]) for row in check.outcome("classes").rows}
        assert {part.name: (part.drop, *part.interval) for part in compared.drops(i)} == rows


def test_scores_losses_and_matrices_are_those_of_scikit_learn_and_statsmodels(compared: ModelsCompared) -> None:
    dense = ex.load("digits-resnet")
    labels, _, before = answers(dense.module)
    for i, spec in enumerate((ex.PruneSpec(), HALF, MOST)):
        labels, probabilities, choices = answers(ex.masked(dense, ex.plan(dense, spec)).module)
        model = compared.models[i]
        assert model.score.value == float((choices.numpy() == labels).mean())
        assert model.loss is not None
        assert model.loss.value == pytest.approx(log_loss(labels, probabilities, labels=range(10)), abs=1e-6)
        assert compared.confusion(i).tolist() == confusion_matrix(labels, choices, labels=range(10)).tolist()
        recalls = recall_score(labels, choices, labels=range(10), average=None)
        assert [count.recall.value for count in compared.per_class(i)] == pytest.approx(recalls.tolist())
        if model.against is not None:
            right, was = choices.numpy() == labels, before.numpy() == labels
            table = [[(was & right).sum(), (was & ~right).sum()], [(~was & right).sum(), (~was & ~right).sum()]]
            assert (model.against.lost, model.against.won) == (table[0][1], table[1][0])
            assert model.against.p == pytest.approx(mcnemar(table, exact=True).pvalue)
            assert len(compared.changed(i)) == int((choices != before).sum())


def test_sparsity_multiplications_and_bytes_are_counted_of_each(compared: ModelsCompared) -> None:
    dense = ex.load("digits-resnet")
    for model, share in zip(compared.models, (0, 0.5, 0.8), strict=True):
        plan = ex.plan(dense, ex.PruneSpec(allocation=f"global:sparsity={share}"))
        assert model.sparsity.value == pytest.approx(plan.sparsity)
        assert model.macs is not None
        assert model.macs.value == ex.report(dense, plan).macs["sparse"].value
    size = (Path(ex.__file__).parents[1] / "sample_models" / "digits-resnet.safetensors").stat().st_size
    assert compared.models[0].size.value == size


def test_changed_samples_come_by_their_change_of_probability_and_by_direction() -> None:
    before, labels = usual()
    after = before.copy()
    for i, to in ((30, 0.5), (31, 0.6), (70, 0.7)):  # three right answers go to the next class but two
        after[i, labels[i]], after[i, (labels[i] + 3) % 20] = 1 - to - 0.01, to
    x = torch.arange(len(labels), dtype=torch.float64)[:, None]
    pair = answered(model_of(before), model_of(after / after.sum(axis=1, keepdims=True)), x, torch.tensor(labels))
    samples = changed_samples(pair)
    assert [sample.index for sample in samples] == [70, 31, 30]
    assert {sample.direction for sample in samples} == {"right to wrong"}
    assert [round(sample.p_before, 2) for sample in samples] == [0.92] * 3
    assert [(s.label, s.after) for s in changed_samples(pair, of_class=int(labels[31]))] == [(11, 14)]
    assert changed_samples(pair, directions=("wrong to right",)) == ()
    unlabelled = changed_samples(answered(model_of(before), model_of(after), x, None))
    assert {(sample.label, sample.direction) for sample in unlabelled} == {(None, "another answer")}
    assert len(unlabelled) == 3


def test_weights_are_told_apart_by_what_is_zero_where() -> None:
    one, other = two(), two()
    name = next(iter(one.weights))
    one.weights[name].flatten()[:3] = 0
    other.weights[name].flatten()[2:7] = 0
    sets = weight_sets(one, other)[0]
    assert (sets.neither, sets.only_other, sets.only_first) == (1, 2, 4)
    assert sets.both == sets.n - 7


def test_two_models_part_at_the_first_layer_whose_weights_differ() -> None:
    torch.manual_seed(0)
    first = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3)).eval()
    x, other = torch.randn(50, 4), nn.Sequential(*(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU()))
    other.append(nn.Linear(8, 3)).eval()
    other.load_state_dict(first.state_dict())
    with torch.no_grad():
        other[2].weight[0] = 0
        outputs = [net[2](torch.relu(net[0](x))) for net in (first, other)]
    models = [ex.load(net, example=x) for net in (first, other)]
    differences = layer_differences(models, x)[0]
    assert [each.layer for each in differences] == ["0", "2", "4"]
    assert differences[0].difference == 0
    expected = float((outputs[0] - outputs[1]).norm() / outputs[0].norm())
    assert differences[1].difference == pytest.approx(expected, rel=1e-5)
    assert parts_at(differences) == "2"
    seen = differences[1].activations
    assert seen is not None
    for counts, values in zip((seen.before, seen.after), outputs, strict=True):
        assert list(counts) == np.histogram(values.double().numpy(), 60, (seen.low, seen.high))[0].tolist()
        assert sum(counts) == 50 * 8


def test_the_lineage_is_one_tree_of_dense_pruned_and_recovered(tmp_path: Path) -> None:
    dense = ex.load("digits-mlp")
    ex.save(dense, ex.plan(dense, HALF), tmp_path / "half.safetensors")
    half = ex.load(str(tmp_path / "half.safetensors"))
    recipe = ex.recipes.one_shot(HALF, ex.recipes.tuning_for(dense))
    step = {"spec": HALF.to_json(), "recipe": recipe.to_json()}
    lineage = {**half.meta["lineage"], "steps": [*half.meta["lineage"]["steps"], step]}
    recovered = ex.load(str(tmp_path / "half.safetensors"))
    recovered = type(half)(**{**vars(recovered), "meta": {**recovered.meta, "lineage": lineage}})
    nodes = lineage_map([dense, half, recovered])
    assert [(node.kind, node.models) for node in nodes] == [("dense", (0,)), ("pruned", (1,)), ("recovered", (2,))]
    assert [node.parent for node in nodes] == [None, nodes[0].key, nodes[1].key]


def test_a_model_of_another_task_or_without_labels_is_compared_by_its_own_metric() -> None:
    tokens = ex.compare_models(["topics-gpt", MOST])
    assert tokens.pairs == ()
    assert tokens.models[0].score.value == ex.evaluate("topics-gpt").accuracy.value
    assert tokens.models[1].score.value == ex.evaluate("topics-gpt", MOST).accuracy.value
    assert tokens.models[1].against is not None
    assert tokens.models[1].against.drop is not None
    assert tokens.models[1].against.drop.low is not None
    none = ex.compare_models(["digits-mlp", MOST], "none")
    assert (none.models[0].score.name, none.models[0].score.value) == ("agreement", 1.0)
    assert json.loads(json.dumps(none.to_json(), allow_nan=False))["models"][1]["against"]["drop"] is None


def test_the_command_line_prints_what_python_says_and_its_command_does_it_again(
    capsys: Capture, tmp_path: Path, compared: ModelsCompared
) -> None:
    page, folder = tmp_path / "card.html", ("--data-dir", str(tmp_path / "data"))
    asked = ("compare", "digits-resnet", "--sparsities", "0.5,0.8", "--html", str(page), "--json", *folder)
    assert main(list(asked)) == 0
    document = json.loads(capsys.readouterr().out)
    expected = json.loads(json.dumps(compared.to_json()))
    assert {**document, "seconds": 0} == {**expected, "seconds": 0}
    card = page.read_text(encoding="utf-8")
    assert "default-src 'none'" in card
    assert "−29.3 pt" in card
    assert main(["compare", "digits-resnet", "--sparsities", "0.5,0.8", *folder]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert next(line for line in lines if line.startswith("digits-resnet, 80% pruned  ")).split()[3:5] == [
        "70.0%",
        "65.6",
    ]


def test_what_cannot_be_compared_is_refused_in_a_sentence(capsys: Capture, tmp_path: Path) -> None:
    folder = ("--data-dir", str(tmp_path / "data"))
    few = nn.Sequential(nn.Flatten(), nn.Linear(64, 3)).eval()
    three = ex.load(few, example=torch.zeros(1, 1, 8, 8))
    for models, words in (
        (["digits-mlp"], "One model alone"),
        (["digits-mlp"] * 9, "9 models are too many"),
        ([HALF, "digits-mlp"], "first of them is no model"),
        (["digits-mlp", "topics-gpt"], "made for different data"),
        (["digits-mlp", three], "10 classes apart, the other 3"),
        ([three, HALF], "does not say what it is evaluated on"),
    ):
        with pytest.raises(ExplorerError, match=words):
            ex.compare_models(models)  # type: ignore[arg-type]
    with pytest.raises(ExplorerError, match="takes other samples"):
        ex.compare_models(["digits-mlp", "topics-gpt"], "digits")
    for argv, words in (
        (("digits-mlp",), "One model alone"),
        (("digits-mlp",) * 9, "9 models are too many"),
        (("digits-mlp", "nothing-here"), "nothing-here"),
        (("digits-mlp", "--sparsities", "2"), "not a list of numbers"),
        (("digits-mlp", "--granularity", "out_channel"), "How much to prune is not said"),
    ):
        assert words in refusal(capsys, "compare", *argv, *folder)
