"""A recipe is a value that can be replayed: same masks, same accuracy, and nothing looked at that must not be."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import Any

import pytest
import torch

import explorer as ex
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError
from explorer.params import params_of
from explorer.recovery.recipe import Recipe, recover
from explorer.recovery.state import Recovered, RecoveryProgress, masked_model, measured
from explorer.recovery.steps import MEMBERS, Finetune, Gradual, Prune, Refresh, Rewind
from explorer.recovery.steps.base import Step
from explorer.types import Dataset, LoadedModel, Split, tensors_digest
from tests.every import for_each
from tests.recovery.tiny import copies, flowers, half, normed, same, two

QUICK = Recipe((Prune(half(0.8)), Refresh(), Finetune(epochs=3, batch_size=128, learning_rate=2e-3)))


def ended(model: LoadedModel | str, recipe: Recipe, data: Dataset | str | None = None, **ways: Any) -> Recovered:
    *_, last = recover(model, recipe, data, **ways)
    assert last.recovered is not None
    return last.recovered


@pytest.fixture(scope="module")
def story() -> tuple[RecoveryProgress, ...]:
    return tuple(recover("digits-mlp", QUICK))


def test_a_recipe_comes_back_from_its_json_and_from_text() -> None:
    assert Recipe.from_json(QUICK.to_json()) == QUICK
    assert Recipe.from_json(json.dumps(QUICK.to_json())) == QUICK
    assert Recipe.from_json(QUICK.to_json()).digest == QUICK.digest
    assert Recipe(("finetune:epochs=1",)).summary == "finetune, 1 epoch"  # type: ignore[arg-type]
    assert Recipe(("refresh:n_samples=64", "finetune:epochs=2")).steps == (Refresh(64), Finetune(epochs=2))  # type: ignore[arg-type]


@for_each(
    ("broken", "said"),
    [
        ("{", "This is not JSON"),
        ("[]", "A recipe is a JSON object"),
        ({"steps": [], "seed": 0}, "A recipe of 0 steps"),
        ({"steps": [{"key": "finetune", "epochs": 0}]}, "epochs = 0 does not suit"),
        ({"steps": [{"key": "finetune", "epochs": "many"}]}, "epochs = 'many' does not suit"),
        ({"steps": [{"key": "finetune", "optimiser": "lion"}]}, "optimiser = 'lion' does not suit"),
        ({"steps": [{"key": "finetune", "pace": 1}]}, "has no parameter 'pace'"),
        ({"steps": [{"key": "recover"}]}, "no recovery step called 'recover'"),
        ({"steps": [{"key": "prune"}]}, "needs 'spec'"),
        ({"steps": [{"key": "prune", "spec": {"criterion": {"key": "no"}}}]}, "no criterion called 'no'"),
        ({"steps": [{"key": "prune", "spec": 7}]}, "A PruneSpec is a JSON object"),
        ({"steps": [{"key": "refresh"}], "seed": -1}, "-1 is no seed"),
        ({"steps": [{"key": "refresh"}], "seed": True}, "True is no seed"),
        ({"steps": [{"key": "refresh"}], "name": "x"}, "no part 'name'"),
        ({"steps": ["refresh"]}, "needs a key"),
    ],
)
def test_what_is_no_recipe_is_refused_in_a_sentence(broken: Any, said: str) -> None:
    with pytest.raises(ExplorerError, match=said):
        Recipe.from_json(broken)


def test_a_recipe_from_a_file_names_no_file_and_the_users_word_takes_its_place() -> None:
    text = json.dumps(Recipe((Prune(half()), Rewind(file="/any/first.pt"), Refresh())).to_json())
    with pytest.raises(ExplorerError, match=r"'/any/first\.pt'.*not opened by itself.*--first-weights"):
        Recipe.foreign(text)
    with pytest.raises(ExplorerError, match="not opened by itself"):
        list(recover(two(), text, flowers()))
    assert Recipe.foreign(text, "own.pt").steps == (Prune(half()), Rewind(file="own.pt"), Refresh())
    with pytest.raises(ExplorerError, match="No step of this recipe rewinds"):
        Recipe.foreign(Recipe((Refresh(),)).to_json(), "own.pt")


def test_no_step_but_a_rewind_takes_a_name_of_a_file() -> None:
    texts = {(s.key, p.name) for s in MEMBERS for p in params_of(s) if p.default == ""}
    assert texts == {("rewind", "file")}


def test_the_story_tells_every_epoch_and_step_in_order(story: tuple[RecoveryProgress, ...]) -> None:
    finished = [p for p in story if p.complete]
    assert [(p.index, p.key, p.epoch) for p in finished] == [
        (0, "prune", 0),
        (1, "refresh", 0),
        (2, "finetune", 1),
        (2, "finetune", 2),
        (2, "finetune", 3),
        (3, "done", 0),
    ]
    assert len(finished) == QUICK.n_stages
    assert [p.recovered is not None for p in finished] == [False] * 5 + [True]
    assert all(b.seconds >= a.seconds for a, b in itertools.pairwise(story))
    assert len({p.mask_digest for p in finished}) == 1
    assert {p.n_revived for p in finished} == {0}


def test_the_result_holds_the_three_dots_and_the_whole_protocol(story: tuple[RecoveryProgress, ...]) -> None:
    found = story[-1].recovered
    assert found is not None
    assert found.dense is not None
    assert found.as_pruned == story[0].accuracy
    assert found.tuned == story[-1].accuracy
    assert found.tuned is not None
    assert found.as_pruned is not None
    assert found.tuned.value > found.as_pruned.value
    protocol = dict(found.protocol)
    assert json.loads(json.dumps(protocol)) == protocol
    assert protocol["recipe"] == QUICK.to_json()
    assert protocol["epochs"] == found.state.epochs == 3
    assert protocol["data"]["digest"] == ex.load_data("digits").digest
    assert protocol["optimiser"] == ["adamw"]
    assert protocol["mask_digest"] == found.state.mask_digest
    assert found.model.meta["lineage"]["from"]["digest"] == found.state.dense.digest
    assert protocol["summary"] == "prune, refresh, finetune, 3 epochs"


def test_a_replay_gives_the_same_masks_the_same_accuracy_and_the_same_bits(story: tuple[RecoveryProgress, ...]) -> None:
    first = story[-1].recovered
    again = tuple(recover("digits-mlp", json.dumps(QUICK.to_json()), "digits"))
    assert [p for p in again if p.complete] == [p for p in story if p.complete]
    other = again[-1].recovered
    assert first is not None
    assert other is not None
    assert other.model.digest == first.model.digest
    assert other.state.mask_digest == first.state.mask_digest
    assert same(copies(other.model), copies(first.model))


def test_a_caller_with_more_threads_gets_the_same_bits(story: tuple[RecoveryProgress, ...]) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        found = ended("digits-mlp", QUICK)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    first = story[-1].recovered
    assert first is not None
    assert found.model.digest == first.model.digest


def test_the_dense_model_is_not_written_to_and_pruned_weights_are_zero() -> None:
    model = normed()
    before, digest = copies(model), tensors_digest(dict(model.weights))
    found = ended(model, replace(QUICK, seed=4), flowers())
    assert same(before, copies(model))
    assert tensors_digest(dict(model.weights)) == digest
    assert found.plan is not None
    for name, mask in found.plan.masks.items():
        assert not bool(found.model.weights[name][~mask].any())
    assert found.n_revived == 0


def test_the_recipes_seed_changes_what_is_trained() -> None:
    small = Recipe((Finetune(epochs=1, batch_size=16),))
    first, other = (ended(two(), replace(small, seed=seed), flowers()).model.digest for seed in (0, 1))
    assert first != other


def test_the_best_epoch_is_chosen_on_tune_and_the_last_one_on_request() -> None:
    recipe = Recipe((Finetune(epochs=6, batch_size=8, learning_rate=0.3, optimiser="sgd", schedule="constant"),))
    data = flowers(30)
    found = ended(two(), recipe, data)
    epochs = [p for p in found.history if p.epoch]
    best = max(epochs, key=lambda p: (p.accuracy.value, -p.loss.value))  # type: ignore[union-attr]
    assert len({p.loss for p in epochs}) == 6
    assert found.tuned is not None
    assert best.accuracy is not None
    assert found.tuned.value == best.accuracy.value
    last = ended(two(), Recipe((replace(recipe.steps[0], keep="last"),)), data)  # type: ignore[type-var]
    assert epochs[-1].loss is not None
    evaluator = Evaluator(two(), data.splits["tune"])
    measured_last = measured(last.state, data.splits["tune"], evaluator)
    assert measured_last.loss is not None
    assert measured_last.loss.value == epochs[-1].loss.value


def test_the_choice_depends_on_tune_alone_and_test_is_never_touched() -> None:
    class Untouchable(Split):
        is_locked = False

        def __getattribute__(self, name: str) -> Any:
            if name in ("x", "y") and Untouchable.is_locked:
                raise AssertionError("test was looked at")
            return super().__getattribute__(name)

    data = flowers()
    locked = Untouchable("test", torch.zeros(0), None)
    Untouchable.is_locked = True
    found = ended(two(), QUICK, replace(data, splits={**data.splits, "test": locked}))
    assert found.model.digest == ended(two(), QUICK, data).model.digest


def test_without_a_tune_split_the_last_epoch_is_kept() -> None:
    data = flowers()
    found = ended(two(), QUICK, replace(data, splits={"fit": data.splits["fit"]}))
    last = replace(QUICK.steps[2], keep="last")  # type: ignore[type-var]
    assert found.tuned is None
    assert found.dense is None
    assert found.model.digest == ended(two(), Recipe((*QUICK.steps[:2], last)), data).model.digest


def test_without_labels_the_dense_model_may_teach_alone() -> None:
    data = flowers()
    blind = replace(data, splits={name: Split(s.name, s.x, None) for name, s in data.splits.items()})
    alone = Recipe((Prune(half(0.6)), Finetune(epochs=8, batch_size=8, distil_weight=1.0, learning_rate=0.02)))
    found = ended(two(), alone, blind)
    assert found.tuned is not None
    assert found.as_pruned is not None
    assert found.tuned.name == "agreement"
    assert found.tuned.value >= found.as_pruned.value
    with pytest.raises(ExplorerError, match="no labels to train with"):
        recover(two(), QUICK, blind)


def test_what_is_measured_is_paired_with_the_original_dense_model() -> None:
    model, data = two(), flowers()
    found = ended(model, QUICK, data)
    evaluator = Evaluator(model, data.splits["test"])
    result = measured(found.state, data.splits["test"], evaluator)
    assert model.module is not None
    assert found.model.module is not None
    x, y = data.splits["test"].x, data.splits["test"].y
    assert y is not None
    dense, recovered = (float((m(x).argmax(1) == y).double().mean()) for m in (model.module, found.model.module))
    assert result.accuracy.value == pytest.approx(recovered)
    assert result.drop.value == pytest.approx(dense - recovered)
    with pytest.raises(ExplorerError, match="looks at other samples"):
        measured(found.state, data.splits["tune"], evaluator)


def test_a_recovered_network_is_measured_saved_and_opened_like_any_other(tmp_path: Any) -> None:
    found = ended("digits-mlp", QUICK)
    assert found.plan is not None
    path = tmp_path / "recovered.safetensors"
    ex.save(found.model, found.plan, path)
    opened = ex.load(str(path))
    assert opened.digest == found.model.digest
    assert found.tuned is not None
    accuracy = ex.evaluate(opened, None, "digits").accuracy
    assert accuracy is not None
    assert accuracy.value == found.tuned.value
    evaluation = Evaluator(found.model, ex.load_data("digits").splits["tune"]).final(found.plan)
    assert evaluation.accuracy.value == found.tuned.value


def test_a_training_that_diverges_says_so() -> None:
    data = flowers()
    fit = data.splits["fit"]
    broken = replace(data, splits={**data.splits, "fit": Split("fit", fit.x.log(), fit.y)})
    with pytest.raises(ExplorerError, match="Training diverged"):
        list(recover(two(), QUICK, broken))


def test_noise_a_missing_fit_split_and_a_model_that_cannot_run_are_refused_before_any_work() -> None:
    with pytest.raises(ExplorerError, match="Recovery needs real data"):
        recover("digits-mlp", QUICK, "none")
    data = flowers()
    with pytest.raises(ExplorerError, match="no fit split"):
        recover(two(), QUICK, replace(data, splits={"tune": data.splits["tune"]}))
    with pytest.raises(ExplorerError, match="cannot be trained"):
        recover(replace(two(), module=None), QUICK, data)
    with pytest.raises(ExplorerError, match="no pictures"):
        recover(two(), Recipe((Finetune(shift=1.0),)), data)


def test_zeros_a_network_came_with_stay_zero_in_every_recovery() -> None:
    dense = two()
    zeros = {name: tensor.abs() < tensor.abs().median() for name, tensor in dense.weights.items() if tensor.dim() == 2}
    model = masked_model(dense, dense.weights, {name: ~at for name, at in zeros.items()})
    n_zeros = sum(int(at.sum()) for at in zeros.values())
    training = Finetune(epochs=2, learning_rate=0.1)
    chains: tuple[tuple[Step, ...], ...] = (
        (training,),
        (Prune(half(0.2)), training),
        (Gradual(spec=half(0.6), epochs=3),),
    )
    for steps in chains:
        *_, last = recover(model, Recipe(steps), flowers())
        assert last.recovered is not None
        assert all(int(last.recovered.model.weights[name][at].count_nonzero()) == 0 for name, at in zeros.items())
        assert last.recovered.n_revived == 0
        assert last.recovered.state.sparsity >= n_zeros / 90
    notes = [note for progress in recover(model, Recipe((Prune(half(0.2)),)), flowers()) for note in progress.notes]
    assert f"{n_zeros} weights were already zero: they count as pruned and are held." in notes
