"""Training holds its masks, and does with them what torch's own pruning does."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils import prune as torch_prune

from explorer import data, models
from explorer.recovery.defaults import training_of
from explorer.recovery.state import mask_digest, n_revived, recovered_model
from explorer.recovery.training import Trainer, Training, distillation_loss, loss_of
from explorer.types import LoadedModel
from sample_models.train import RECIPES, labels, train
from tests.recovery.tiny import Two, copies, flowers, normed, same, two

PLAIN = Training(epochs=2, learning_rate=0.1, optimiser="sgd", momentum=0.0, schedule="constant", batch_size=16, clip=0)


def masks_of(seed: int = 1) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {
        "fc1.weight": torch.rand(10, 6, generator=generator) > 0.6,
        "fc2.weight": torch.rand(3, 10, generator=generator) > 0.5,
    }


def trained(settings: Training, masks: dict[str, Tensor], n: int = 2, dropout: float = 0.0) -> Trainer:
    trainer = Trainer(two(dropout), masks, settings, flowers().splits["fit"], seed=settings.seed)
    for _ in range(n):
        list(trainer.run_epoch())
    return trainer


def test_plain_sgd_with_masks_is_training_under_torch_nn_utils_prune() -> None:
    masks, fit = masks_of(), flowers().splits["fit"]
    theirs = Two()
    theirs.load_state_dict(copies(two()))
    for name in ("fc1", "fc2"):
        torch_prune.custom_from_mask(getattr(theirs, name), "weight", masks[f"{name}.weight"].float())
    optimiser = torch.optim.SGD(theirs.parameters(), lr=0.1)
    generator = torch.Generator().manual_seed(0)
    for _ in range(2):
        for index in torch.randperm(len(fit), generator=generator).split(16):
            optimiser.zero_grad()
            F.cross_entropy(theirs(fit.x[index]), labels(fit)[index]).backward()
            optimiser.step()
    theirs(fit.x[:1])  # their weights are computed in the forward pass
    ours = trained(PLAIN, masks).tensors()
    for name in ("fc1", "fc2"):
        assert torch.equal(ours[f"{name}.weight"] != 0, getattr(theirs, name).weight != 0)
        torch.testing.assert_close(ours[f"{name}.weight"], getattr(theirs, name).weight.detach(), rtol=1e-6, atol=1e-7)
        torch.testing.assert_close(ours[f"{name}.bias"], getattr(theirs, name).bias.detach(), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("optimiser", ["adamw", "sgd"])
def test_pruned_weights_stay_zero_bit_for_bit_and_their_moments_too(optimiser: str) -> None:
    settings = Training(epochs=3, learning_rate=0.05, optimiser=optimiser, weight_decay=0.1, batch_size=16)
    masks = masks_of()
    trainer = trained(settings, masks, 3)
    assert n_revived(trainer.tensors(), masks) == 0
    assert mask_digest(trainer.masks) == mask_digest(masks)
    for name, mask in masks.items():
        state = trainer.optimiser.state[trainer.parameters[name]]
        moments = [v for v in state.values() if isinstance(v, Tensor) and v.shape == mask.shape]
        assert len(moments) == (2 if optimiser == "adamw" else 1)
        assert all(bool((moment[~mask] == 0).all()) and bool((moment[mask] != 0).any()) for moment in moments)
        assert bool((trainer.tensors()[name][mask] != two().weights[name][mask]).all())


def test_masks_that_grow_take_weights_and_moments_with_them() -> None:
    trainer = trained(Training(epochs=2, learning_rate=0.05, batch_size=16), {}, 1)
    grown = masks_of(5)
    trainer.set_masks(grown)
    assert n_revived(trainer.tensors(), grown) == 0
    state = trainer.optimiser.state[trainer.parameters["fc1.weight"]]
    assert not bool(state["exp_avg"][~grown["fc1.weight"]].any())
    list(trainer.run_epoch())
    assert n_revived(trainer.tensors(), grown) == 0


def test_the_zero_audit_counts_what_is_alive_and_even_a_negative_zero() -> None:
    mask = torch.tensor([[True, False], [False, False]])
    assert n_revived({"w": torch.tensor([[1.0, 0.0], [0.0, 0.0]])}, {"w": mask}) == 0
    assert n_revived({"w": torch.tensor([[1.0, 1e-45], [-0.0, 0.0]])}, {"w": mask}) == 2


def test_the_distillation_loss_is_the_formula_of_hinton() -> None:
    student, teacher = torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([[0.0, 2.0], [1.0, 1.0]])

    def softmax(a: float, b: float) -> tuple[float, float]:
        p = math.exp(a) / (math.exp(a) + math.exp(b))
        return p, 1 - p

    total = 0.0
    for s, t in zip(student.tolist(), teacher.tolist(), strict=True):
        p, q = softmax(t[0] / 3, t[1] / 3), softmax(s[0] / 3, s[1] / 3)
        total += sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))
    assert float(distillation_loss(student, teacher, 3.0)) == pytest.approx(9 * total / 2, rel=1e-5)


def test_the_loss_mixes_labels_and_teacher_by_the_weight() -> None:
    student, teacher, y = torch.randn(4, 3), torch.randn(4, 3), torch.tensor([0, 1, 2, 0])
    mixed = loss_of(Training(distil_weight=0.3, temperature=2.0), student, y, teacher)
    expected = 0.7 * F.cross_entropy(student, y) + 0.3 * distillation_loss(student, teacher, 2.0)
    assert float(mixed) == pytest.approx(float(expected))
    alone = loss_of(Training(distil_weight=1.0, temperature=2.0), student, None, teacher)
    assert float(alone) == pytest.approx(float(distillation_loss(student, teacher, 2.0)))


def test_a_student_that_equals_its_teacher_has_nothing_to_learn() -> None:
    settings = Training(epochs=1, distil_weight=1.0, learning_rate=0.1, optimiser="sgd", momentum=0.0)
    before = copies(two())
    after = trained(settings, {}, 1).tensors()
    assert all(torch.allclose(after[name], before[name], atol=1e-6) for name in before)


def test_equal_arguments_give_equal_bits_also_with_dropout_and_whatever_the_caller_draws() -> None:
    settings = Training(epochs=2, learning_rate=0.02, batch_size=16)
    first = trained(settings, masks_of(), dropout=0.3).tensors()
    torch.manual_seed(99)
    before = torch.get_rng_state()
    assert same(first, trained(settings, masks_of(), dropout=0.3).tensors())
    drawn = torch.rand(1)
    torch.set_rng_state(before)
    torch.manual_seed(0)  # tiny.two() does this before it draws its weights, and nothing else may
    Two()
    assert torch.equal(drawn, torch.rand(1))


def test_networks_that_train_at_the_same_time_do_not_disturb_each_other() -> None:
    settings = Training(epochs=3, learning_rate=0.02, batch_size=4)
    alone = [trained(settings, masks_of(), 3, dropout=p).tensors() for p in (0.3, 0.5)]
    start = [two(p) for p in (0.3, 0.5, 0.3, 0.5)]
    fit = flowers().splits["fit"]

    def train_one(model: LoadedModel) -> dict[str, Tensor]:
        trainer = Trainer(model, masks_of(), settings, fit, seed=0)
        for _ in range(3):
            list(trainer.run_epoch())
        return trainer.tensors()

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(train_one, start))
    assert all(same(one, alone[i % 2]) for i, one in enumerate(found))


def test_another_seed_trains_another_network() -> None:
    one = trained(Training(epochs=1, batch_size=16), {}, 1).tensors()
    other = trained(Training(epochs=1, batch_size=16, seed=1), {}, 1).tensors()
    assert not same(one, other)


def test_a_snapshot_goes_on_with_the_same_bits() -> None:
    settings = Training(epochs=3, learning_rate=0.02, batch_size=16)
    whole = trained(settings, masks_of(), 3, dropout=0.2)
    half_way = trained(settings, masks_of(), 1, dropout=0.2)
    other = Trainer(two(0.2), {}, settings, flowers().splits["fit"], seed=7)
    other.restore(half_way.snapshot(), 1)
    for _ in range(2):
        list(other.run_epoch())
    assert same(whole.tensors(), other.tensors())
    assert same(whole.snapshot(), other.snapshot())


def test_it_trains_as_the_bundled_models_were_trained_bit_for_bit() -> None:
    recipe = replace(next(r for r in RECIPES if r.architecture == "digits-mlp"), epochs=2)
    model, fit = models.load("digits-mlp"), data.load("digits").splits["fit"]
    first = recovered_model(model, models.initial_weights("digits-mlp"))
    assert first.module is not None
    theirs = recovered_model(first, {}).module
    assert theirs is not None
    torch.set_num_threads(1)
    train(theirs.requires_grad_(True), fit, recipe)
    trainer = Trainer(first, {}, training_of(model, epochs=2), fit, seed=recipe.seed)
    for _ in range(2):
        list(trainer.run_epoch())
    assert same(trainer.tensors(), {name: t.detach() for name, t in theirs.state_dict().items()})


def test_a_lone_last_sample_does_not_break_batch_norm() -> None:
    fit = flowers(33).splits["fit"]
    trainer = Trainer(normed(), {}, Training(epochs=1, batch_size=16), fit, seed=0)
    list(trainer.run_epoch())
    assert math.isfinite(trainer.last_loss)


def test_the_model_that_is_trained_is_not_written_to() -> None:
    model = two()
    before = copies(model)
    list(Trainer(model, masks_of(), PLAIN, flowers().splits["fit"], seed=0).run_epoch())
    assert same(before, copies(model))
    assert not any(p.requires_grad for p in model.weights.values())
