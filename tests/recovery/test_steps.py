"""Every step keeps what all steps promise; and each does what it says."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from explorer import data as data_sources
from explorer import models
from explorer.errors import ExplorerError
from explorer.params import member_to_json
from explorer.pruning.layers import layer_table
from explorer.pruning.spec import PruneSpec
from explorer.recovery.context import RecoveryContext
from explorer.recovery.masking import grown_plan, pruned
from explorer.recovery.state import RecoveryProgress, State, mask_digest, n_revived, recovered_model
from explorer.recovery.steps import (
    STEPS,
    Finetune,
    Gradual,
    Narrow,
    Prune,
    Refresh,
    Reinit,
    Rewind,
    Rigl,
    ShuffleMask,
    Step,
)
from explorer.recovery.steps.refresh import has_batch_norm, statistics
from explorer.types import Dataset, LayerInfo, LoadedModel
from tests.every import for_each
from tests.recovery.tiny import at_start, copies, flowers, half, normed, same, two

EXAMPLES: dict[str, Step] = {
    "prune": Prune(half(0.7)),
    "finetune": Finetune(epochs=1, batch_size=128),
    "gradual": Gradual(epochs=2, batch_size=128, spec=half(0.8)),
    "rigl": Rigl(epochs=2, batch_size=128, until=1.0),
}
each_step = pytest.mark.parametrize("step", [EXAMPLES.get(cls.key) or cls() for cls in STEPS], ids=lambda s: s.key)


def room_for(state: State, data: Dataset) -> RecoveryContext:
    return RecoveryContext(data, layer_table(state.dense), key="step")


def done(step: Step, state: State, data: Dataset) -> tuple[State, list[RecoveryProgress]]:
    told = []
    doing = step.run(state, room_for(state, data))
    while True:
        try:
            told.append(next(doing))
        except StopIteration as end:
            return end.value, told


@pytest.fixture(scope="module")
def cut(sample: LoadedModel, digits: Dataset) -> State:
    return done(Prune(half(0.5)), at_start(sample), digits)[0]


@each_step
def test_a_step_comes_back_from_its_json(step: Step) -> None:
    assert STEPS.from_json(member_to_json(step)) == step
    assert type(step).__doc__
    assert step.label
    assert step.n_epochs >= 0


@each_step
def test_a_step_writes_to_nothing_it_was_given(step: Step, cut: State, digits: Dataset) -> None:
    dense, model = copies(cut.dense), copies(cut.model)
    masks = {name: mask.clone() for name, mask in cut.masks.items()}
    done(step, cut, digits)
    assert same(dense, copies(cut.dense))
    assert same(model, copies(cut.model))
    assert same(masks, dict(cut.masks))


@each_step
def test_a_step_gives_the_same_bits_each_time(step: Step, cut: State, digits: Dataset) -> None:
    one, other = done(step, cut, digits), done(step, cut, digits)
    assert one[0].model.digest == other[0].model.digest
    assert one[0].mask_digest == other[0].mask_digest
    finished = [[p for p in told if p.complete] for _, told in (one, other)]
    assert finished[0] == finished[1]


@each_step
def test_after_a_step_pruned_weights_are_exactly_zero_and_the_audit_says_so(
    step: Step, cut: State, digits: Dataset
) -> None:
    after, told = done(step, cut, digits)
    assert n_revived(after.model.weights, after.masks) == 0
    assert [p.n_revived for p in told if p.complete] == [0] * max(1, step.n_epochs)
    assert told[-1].complete
    assert told[-1].share == 1.0
    assert told[-1].mask_digest == after.mask_digest == mask_digest(after.masks)
    assert told[-1].sparsity == pytest.approx(after.sparsity)
    assert (after.plan is None) == isinstance(step, Narrow)
    assert after.plan is None or after.plan.digest == after.mask_digest


@each_step
def test_a_step_counts_its_epochs_and_its_model_is_a_model_of_its_own(step: Step, cut: State, digits: Dataset) -> None:
    after, _ = done(step, cut, digits)
    assert after.epochs == cut.epochs + step.n_epochs
    assert after.dense is cut.dense
    assert not any(p.requires_grad for p in after.model.weights.values())
    assert after.model.module is not None
    assert not after.model.module.training
    assert after.model.weights.keys() == cut.model.weights.keys()
    if not isinstance(step, Refresh):
        assert after.model.digest != after.dense.digest


@each_step
def test_a_step_that_is_closed_stops(step: Step, cut: State, digits: Dataset) -> None:
    doing = step.run(cut, room_for(cut, digits))
    next(doing)
    doing.close()
    with pytest.raises(StopIteration):
        next(doing)


@each_step
def test_a_step_says_in_words_what_it_cannot_do(step: Step, sample: LoadedModel) -> None:
    noise = data_sources.load("none", model=sample)
    refusal = step.why_not(sample, noise)
    if isinstance(step, Finetune | Gradual | Refresh | Rigl):
        assert refusal is not None
        assert refusal.what == "Recovery needs real data."
    else:
        assert refusal is None


# -- prune ------------------------------------------------------------------------------------


@for_each("criterion", ["lp_norm", "random:seed=3"])
@for_each("granularity", ["weight", "out_channel", "block:rows=2,columns=2"])
def test_masks_only_grow_and_reach_the_level_of_the_request(criterion: str, granularity: str) -> None:
    state, sizes = at_start(models.load("digits-cnn")), []
    for level in (0.3, 0.6, 0.8):
        spec = PruneSpec(granularity, criterion, f"global:sparsity={level}")  # type: ignore[arg-type]
        after = pruned(state, spec)
        assert after.plan is not None
        for name, mask in state.masks.items():
            assert not bool((after.masks[name] & ~mask).any())
        units = [(k.n_pruned, k.group.n_units) for k in after.plan.groups if k.group.why_not is None and not k.locked]
        assert sum(n for n, _ in units) == pytest.approx(level * sum(total for _, total in units), abs=1.0)
        sizes.append(after.sparsity)
        state = replace(after, model=recovered_model(after.model, _noised(after.model, after.masks)))
    assert sizes == sorted(sizes)


def _noised(model: LoadedModel, masks: dict[str, Tensor] | object) -> dict[str, Tensor]:
    """Other kept weights, as after training; some are exactly zero, which must not save what is pruned."""
    generator = torch.Generator().manual_seed(5)
    found = {}
    for name, mask in dict(masks).items():  # type: ignore[call-overload]
        tensor = torch.randn(mask.shape, generator=generator) * mask
        found[name] = tensor.masked_fill(torch.rand(mask.shape, generator=generator) < 0.1, 0.0)
    return found


def test_a_lower_level_than_what_is_pruned_already_brings_nothing_back() -> None:
    state = pruned(at_start(two()), half(0.8))
    again = pruned(state, half(0.2))
    assert again.mask_digest == state.mask_digest


def test_pruning_further_scores_the_weights_of_now() -> None:
    state = pruned(at_start(two()), half(0.5))
    weights = {name: tensor.clone() for name, tensor in state.model.weights.items()}
    kept = state.masks["fc1.weight"].nonzero()
    first = tuple(kept[0].tolist())
    weights["fc1.weight"][first] = 1e-9  # small now, whatever it was
    after = pruned(replace(state, model=recovered_model(state.model, weights)), half(0.55))
    assert not bool(after.masks["fc1.weight"][first])


def test_channels_after_weights_keep_both_masks_and_the_shapes_of_removal() -> None:
    state = pruned(at_start(models.load("digits-cnn")), half(0.5))
    spec = PruneSpec("out_channel", "lp_norm", "global:sparsity=0.5")  # type: ignore[arg-type]
    after = pruned(state, spec)
    assert after.plan is not None
    assert after.plan.kept_shapes
    assert after.sparsity > 0.6
    again = pruned(after, half(0.9))
    assert again.plan is not None
    assert set(again.plan.kept_shapes) == set(after.plan.kept_shapes)
    for name, shape in again.plan.kept_shapes.items():
        assert all(a <= b for a, b in zip(shape, after.plan.kept_shapes[name], strict=True))


def test_the_first_plan_is_the_plan_of_the_dense_model() -> None:
    from explorer.pruning.plan import plan

    model = two()
    assert same(dict(grown_plan(model, half(), {}).masks), dict(plan(model, half()).masks))


# -- refresh ----------------------------------------------------------------------------------


def test_refreshed_statistics_are_mean_and_variance_by_hand() -> None:
    model, x = normed(), flowers(48).splits["fit"].x
    z = x @ model.weights["fc1.weight"].T + model.weights["fc1.bias"]
    halves = (z[:24].double(), z[24:].double())
    mean = sum(h.mean(0) for h in halves) / 2
    variance = sum(((h - h.mean(0)) ** 2).sum(0) / 23 for h in halves) / 2
    found = statistics(model, x, 24)
    torch.testing.assert_close(found["norm.running_mean"].double(), mean, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(found["norm.running_var"].double(), variance, rtol=1e-5, atol=1e-6)
    assert int(found["norm.num_batches_tracked"]) == 2


def test_a_refresh_leaves_every_weight_as_it_is() -> None:
    state = at_start(normed())
    after, _ = done(Refresh(n_samples=40, batch_size=20), state, flowers())
    assert all(torch.equal(after.model.weights[n], t) for n, t in state.model.weights.items())
    assert after.model.digest != state.model.digest


def test_a_network_without_batch_norm_is_told_that_nothing_was_refreshed(cut: State, digits: Dataset) -> None:
    after, told = done(Refresh(), cut, digits)
    assert after is cut
    assert told[-1].notes == ("This network has no batch norm; nothing was refreshed.",)
    assert not has_batch_norm(cut.model)
    assert has_batch_norm(normed())


# -- rewind, reinit, shuffle_mask -----------------------------------------------------------------


def test_rewinding_restores_the_exact_first_weights_under_the_mask(digits: Dataset) -> None:
    sample = models.load("digits-resnet")
    state = done(Finetune(epochs=1), pruned(at_start(sample), half(0.8)), digits)[0]
    after, _ = done(Rewind(), state, digits)
    first = models.initial_weights("digits-resnet")
    expected = {n: t.masked_fill(~state.masks[n], 0) if n in state.masks else t for n, t in first.items()}
    assert same(copies(after.model), expected)
    assert after.mask_digest == state.mask_digest


def test_rewinding_to_an_early_moment_is_the_dense_training_up_to_there(cut: State, digits: Dataset) -> None:
    from explorer.recovery.defaults import training_of
    from explorer.recovery.training import Trainer

    after, told = done(Rewind("early", epochs=2), cut, digits)
    first = recovered_model(cut.dense, models.initial_weights("digits-mlp"))
    trainer = Trainer(first, {}, training_of(cut.dense), digits.splits["fit"], seed=0)
    for _ in range(2):
        list(trainer.run_epoch())
    for name, tensor in trainer.tensors().items():
        expected = tensor.masked_fill(~cut.masks[name], 0) if name in cut.masks else tensor
        assert torch.equal(copies(after.model)[name], expected)
    assert sum(p.complete for p in told) == 1


def test_where_the_first_weights_are_not_known_rewinding_is_refused() -> None:
    refusal = Rewind().why_not(two(), flowers())
    assert refusal is not None
    assert "tiny" in refusal.what


def test_fresh_weights_differ_from_the_dense_ones_under_the_same_mask(cut: State, digits: Dataset) -> None:
    one, _ = done(Reinit(seed=1), cut, digits)
    other, _ = done(Reinit(seed=2), cut, digits)
    assert one.mask_digest == other.mask_digest == cut.mask_digest
    assert len({one.model.digest, other.model.digest, cut.model.digest}) == 3
    kept = cut.masks["fc1.weight"]
    assert bool((one.model.weights["fc1.weight"][kept] != cut.model.weights["fc1.weight"][kept]).all())


def test_a_network_whose_layers_can_begin_anew_needs_no_named_architecture() -> None:
    state = pruned(at_start(normed()), half())
    after, _ = done(Reinit(), state, flowers())
    assert n_revived(after.model.weights, state.masks) == 0
    assert not torch.equal(after.model.weights["fc1.weight"], state.model.weights["fc1.weight"])


@pytest.mark.parametrize("granularity", ["weight", "out_channel", "n_of_m:n=2,m=4"])
def test_a_shuffled_mask_has_the_same_count_in_every_layer(granularity: str, digits: Dataset) -> None:
    spec = PruneSpec(granularity, "lp_norm", "global:sparsity=0.6")  # type: ignore[arg-type]
    state = pruned(at_start(models.load("digits-cnn")), spec)
    after, _ = done(ShuffleMask(), state, digits)

    def counts(of: State) -> list[int]:
        assert of.plan is not None
        layers: list[LayerInfo] = list(of.plan.layers)
        return [of.plan.n_pruned_in(layer) for layer in layers]

    assert counts(after) == counts(state)
    assert after.mask_digest != state.mask_digest
    for name, mask in after.masks.items():
        back = mask & ~state.masks.get(name, torch.ones_like(mask))
        assert torch.equal(after.model.weights[name][back], state.dense.weights[name][back])


def test_a_mask_of_two_kinds_of_units_is_not_shuffled(digits: Dataset) -> None:
    state = pruned(at_start(models.load("digits-cnn")), half(0.5))
    spec = PruneSpec("out_channel", "lp_norm", "global:sparsity=0.3")  # type: ignore[arg-type]
    with pytest.raises(ExplorerError, match="drawn again"):
        done(ShuffleMask(), pruned(state, spec), digits)


# -- gradual ----------------------------------------------------------------------------------------


def test_sparsity_rises_along_the_cubic_while_training_goes_on_and_only_full_sparsity_is_kept() -> None:
    step = Gradual(epochs=5, spec=half(0.8), rising=0.6, batch_size=16, learning_rate=0.01)
    state, told = done(step, at_start(two()), flowers())
    n = 60 + 30
    expected = [round(0.8 * (1 - (1 - t / 3) ** 3) * n) / n for t in (1, 2, 3)]
    assert [p.sparsity for p in told if p.complete] == pytest.approx([*expected, 0.8, 0.8])
    assert state.sparsity == pytest.approx(0.8)
    assert len({p.mask_digest for p in told if p.complete}) == 3
    assert step.n_prunings == 3


def test_a_rise_to_less_than_the_first_sparsity_is_refused() -> None:
    refusal = Gradual(spec=half(0.3), initial=0.5).why_not(two(), flowers())
    assert refusal is not None
    assert "0.5 to 0.3" in refusal.what
