"""Regrowth: the weakest go, those that the gradient pulls come back, and every layer keeps its count."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from explorer import data as data_sources
from explorer import models
from explorer.errors import ExplorerError
from explorer.pruning.spec import PruneSpec
from explorer.recovery import recipes
from explorer.recovery.masking import pruned
from explorer.recovery.recipe import Recipe, recover
from explorer.recovery.state import RecoveryProgress
from explorer.recovery.steps import Prune, Rigl
from explorer.recovery.steps.rigl import dense_gradients, moved_mask
from explorer.recovery.training import Trainer
from tests.recovery.tiny import at_start, half


def test_one_move_by_hand() -> None:
    weight = torch.tensor([[5.0, -1.0, 3.0, 2.0], [0.0, 0.0, 0.0, 0.0]])
    mask = torch.tensor([[True, True, True, True], [False, False, False, False]])
    gradient = torch.tensor([[9.0, 0.5, 9.0, 9.0], [0.1, -4.0, 1.0, 3.0]])
    # Half of four go: |-1| and |2|. Of all that are out, gradients 9 (the one that just went) and 4 pull hardest.
    wanted = torch.tensor([[True, False, True, True], [False, True, False, False]])
    assert torch.equal(moved_mask(weight, mask, gradient, 0.5), wanted)


def test_what_was_zero_before_the_recipe_does_not_come_back_however_hard_the_gradient_pulls() -> None:
    weight = torch.tensor([[5.0, -1.0, 3.0, 2.0], [0.0, 0.0, 0.0, 0.0]])
    mask = torch.tensor([[True, True, True, True], [False, False, False, False]])
    gradient = torch.tensor([[9.0, 0.5, 9.0, 9.0], [0.1, -4.0, 1.0, 3.0]])
    nonzero = torch.tensor([[True] * 4, [True, False, True, True]])  # that of -4 was zero already
    after = torch.tensor([[True, False, True, True], [False, False, False, True]])
    assert torch.equal(moved_mask(weight, mask, gradient, 0.5, nonzero), after)
    only_those = torch.tensor([[True] * 4, [False] * 4])
    assert torch.equal(moved_mask(weight, mask, gradient, 0.9, only_those), mask)


def test_regrowth_in_a_sparse_network_leaves_the_zeros_it_came_with() -> None:
    model, data = models.load("digits-mlp"), data_sources.load("digits")
    before = pruned(at_start(model), half(0.5)).model  # a network of its own, half of it zero
    *_, last = recover(before, recipes.dynamic(half(0.8), recipes.tuning_for(model, data, epochs=3)), data)
    assert last.recovered is not None
    weights = last.recovered.model.weights
    assert sum(int((~mask).sum()) for mask in before.nonzero.values()) > 20_000
    assert all(not bool(weights[name][~mask].any()) for name, mask in before.nonzero.items())
    assert len({p.mask_digest for p in last.recovered.history}) > 1


def test_nothing_moves_at_a_share_of_zero_or_where_nothing_is_pruned() -> None:
    weight, gradient = torch.randn(3, 4), torch.randn(3, 4)
    mask = torch.rand(3, 4) > 0.5
    assert torch.equal(moved_mask(weight, mask, gradient, 0.0), mask)
    full = torch.ones(3, 4, dtype=torch.bool)
    assert torch.equal(moved_mask(weight, full, gradient, 0.9), full)


def test_the_share_falls_along_half_a_cosine_and_rests_at_the_end() -> None:
    step = Rigl(epochs=8, share=0.4, until=0.75)
    assert step.share_in(1) == 0.0
    assert step.share_in(4) == pytest.approx(0.2 * (1 + math.cos(math.pi * 3 / 6)))
    assert [step.share_in(epoch) for epoch in (7, 8)] == [0.0, 0.0]


def test_gradients_reach_pruned_weights_and_are_those_of_plain_autograd() -> None:
    model, data = models.load("digits-mlp"), data_sources.load("digits")
    state = pruned(at_start(model), half(0.8))
    trainer = Trainer(state.model, state.masks, Rigl(epochs=1), data.splits["fit"])
    found = dense_gradients(trainer, data.splits["fit"])
    module, fit = state.model.module, data.splits["fit"]
    assert module is not None
    assert fit.y is not None
    plain = models.load("digits-mlp").module
    assert plain is not None
    plain.load_state_dict(module.state_dict())
    plain.requires_grad_(True)
    F.cross_entropy(plain(fit.x[:512]), fit.y[:512]).backward()
    for name, parameter in plain.named_parameters():
        if name in found:
            assert parameter.grad is not None
            torch.testing.assert_close(found[name], parameter.grad)
            assert bool(found[name][~state.masks[name]].any())


def test_masks_move_and_each_layer_keeps_its_count() -> None:
    model, data = models.load("digits-mlp"), data_sources.load("digits")
    settings = recipes.tuning_for(model, data, epochs=4)
    *told, last = recover(model, recipes.dynamic(half(0.9), settings), data)
    assert last.recovered is not None
    after = last.recovered.plan
    before = pruned(at_start(model), half(0.9)).plan
    assert after is not None
    assert before is not None
    for name, mask in before.masks.items():
        assert int(after.masks[name].sum()) == int(mask.sum())
    assert len({p.mask_digest for p in told if isinstance(p, RecoveryProgress) and p.complete}) > 2
    assert last.recovered.n_revived == 0
    assert last.recovered.tuned is not None
    assert last.recovered.as_pruned is not None
    assert last.recovered.tuned.value > last.recovered.as_pruned.value


def test_whole_units_cannot_move_weight_by_weight() -> None:
    model, data = models.load("digits-mlp"), data_sources.load("digits")
    spec = PruneSpec("out_channel", "lp_norm", "global:sparsity=0.5")  # type: ignore[arg-type]
    with pytest.raises(ExplorerError, match="cannot move weight by weight"):
        list(recover(model, Recipe((Prune(spec), Rigl(epochs=1))), data))
