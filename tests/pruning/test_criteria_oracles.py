"""Criteria that follow the loss, against its finite differences and independent runs."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from builders import Plain, loaded
from scored import Perceptron, Sequence, doubled, samples, seeded
from torch import Tensor, nn
from torch.nn import functional as F

from explorer.pruning.evidence import per_sample
from explorer.pruning.evidence.curvature import Curvature
from explorer.pruning.evidence.squared_gradients import SquaredGradients
from explorer.pruning.plan import plan
from explorer.pruning.scoring import score
from explorer.pruning.spec import PruneSpec
from explorer.types import Dataset, LoadedModel, Split

STEP = 1e-4


def tiny(n: int = 16, n_classes: int = 3) -> tuple[LoadedModel, Dataset]:
    model = doubled(loaded(_seeded_perceptron(n_classes), 5))
    return model, samples(model, n, n_classes)


def _seeded_perceptron(n_classes: int) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(4)
        return Perceptron(n_classes)


def loss_at(model: LoadedModel, split: Split, change: Callable[[nn.Module], None]) -> float:
    """The mean cross entropy of a copy whose weights were changed."""
    module = copy.deepcopy(model.module)
    with torch.no_grad():
        change(module)
        return float(F.cross_entropy(module(split.x), split.y))


def differences(model: LoadedModel, split: Split, name: str) -> tuple[Tensor, Tensor]:
    """First and second derivatives of the loss by every number of a parameter, by central differences."""
    shape = model.weights[name].shape
    first, second = torch.zeros(shape, dtype=torch.float64), torch.zeros(shape, dtype=torch.float64)
    here = loss_at(model, split, lambda _: None)
    for place in range(first.numel()):

        def moved(module: nn.Module, by: float, place: int = place) -> None:
            module.get_parameter(name).view(-1)[place] += by

        up, down = (loss_at(model, split, lambda m, by=by: moved(m, by)) for by in (STEP, -STEP))
        first.view(-1)[place] = (up - down) / (2 * STEP)
        second.view(-1)[place] = (up - 2 * here + down) / STEP**2
    return first, second


def parts(split: Split, n_parts: int) -> list[Split]:
    size = math.ceil(len(split) / n_parts)
    return [Split("fit", split.x[i : i + size], split.y[i : i + size]) for i in range(0, len(split), size)]


def scores_of(model: LoadedModel, data: Dataset, criterion: str, granularity: str = "weight") -> dict[str, Tensor]:
    return dict(score(model, PruneSpec(granularity, criterion), data).values)


@pytest.mark.parametrize("layer", ["a", "b"])
def test_gradient_is_the_slope_of_the_loss_of_each_batch(layer: str) -> None:
    model, data = tiny()
    slopes = [differences(model, part, f"{layer}.weight")[0].abs() for part in parts(data.splits["fit"], 8)]
    ours = scores_of(model, data, "gradient:n_samples=16")[layer]
    torch.testing.assert_close(ours, torch.stack(slopes).mean(0).flatten(), rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("form", ["sum", "squared"])
def test_taylor_is_the_slope_of_the_loss_as_a_unit_shrinks(form: str) -> None:
    model, data = tiny()
    changes = torch.zeros(8, 4, dtype=torch.float64)
    for i, part in enumerate(parts(data.splits["fit"], 8)):
        for unit in range(4):

            def scaled(module: nn.Module, by: float, unit: int = unit) -> None:
                module.a.weight[unit] *= by

            up, down = (loss_at(model, part, lambda m, by=by: scaled(m, by)) for by in (1 + STEP, 1 - STEP))
            changes[i, unit] = (up - down) / (2 * STEP)
    wanted = (changes.abs() if form == "sum" else changes.square()).mean(0)
    ours = scores_of(model, data, f"taylor:n_samples=16,form={form}", "out_channel")["a"]
    torch.testing.assert_close(ours.double(), wanted, rtol=1e-4, atol=1e-8)


def test_taylor_on_single_weights_is_weight_times_slope() -> None:
    model, data = tiny()
    slopes = [differences(model, part, "b.weight")[0].abs() for part in parts(data.splits["fit"], 8)]
    wanted = (model.weights["b.weight"].detach().abs() * torch.stack(slopes).mean(0)).flatten()
    torch.testing.assert_close(scores_of(model, data, "taylor:n_samples=16")["b"], wanted, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("layer", ["a", "b"])
def test_fisher_is_half_the_mean_squared_slope_of_single_samples_times_the_squared_weight(layer: str) -> None:
    model, data = tiny()
    split, weight = data.splits["fit"], model.weights[f"{layer}.weight"].detach()
    squares = [differences(model, one, f"{layer}.weight")[0].square() for one in parts(split, len(split))]
    wanted = weight.square() * torch.stack(squares).mean(0) / 2
    ours = scores_of(model, data, "fisher:n_samples=16")[layer]
    torch.testing.assert_close(ours, wanted.flatten(), rtol=1e-5, atol=1e-10)
    by_unit = scores_of(model, data, "fisher:n_samples=16", "out_channel")
    if layer == "a":
        torch.testing.assert_close(by_unit["a"].double(), wanted.sum(1), rtol=1e-5, atol=1e-10)


@pytest.mark.parametrize("layer", ["a", "b"])
def test_obd_is_half_the_second_difference_of_the_loss_times_the_squared_weight(layer: str) -> None:
    model, data = tiny()
    curvature = differences(model, data.splits["fit"], f"{layer}.weight")[1]
    wanted = model.weights[f"{layer}.weight"].detach().square() * curvature / 2
    ours = scores_of(model, data, "obd:n_samples=16")[layer]
    torch.testing.assert_close(ours, wanted.flatten(), rtol=1e-4, atol=1e-7)


def test_obd_predicts_what_the_loss_rises_by_at_a_minimum() -> None:
    """A model without hidden layer, trained to its minimum: removing one weight costs 1/2 h w^2 and little else."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = doubled(loaded(nn.Sequential(nn.Linear(4, 3)), 4))
    data = samples(model, 64, 3)
    split, module = data.splits["fit"], model.module
    trained = copy.deepcopy(module).requires_grad_(True)
    optimizer = torch.optim.LBFGS(trained.parameters(), max_iter=200, tolerance_grad=1e-12)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(trained(split.x), split.y)
        loss.backward()
        return loss

    optimizer.step(closure)
    model = doubled(replace(model, module=trained.requires_grad_(False)))
    ours = scores_of(model, data, "obd:n_samples=64")["0"]
    here = loss_at(model, split, lambda _: None)
    for place in range(12):

        def without(module: nn.Module, place: int = place) -> None:
            module[0].weight.view(-1)[place] = 0

        assert float(ours[place]) == pytest.approx(loss_at(model, split, without) - here, rel=0.2, abs=1e-5)


def jacobians(model: LoadedModel, x: Tensor, name: str) -> Tensor:
    """(n, n_classes, numbers of the parameter): derivatives of every class score, by autograd one at a time."""
    module = copy.deepcopy(model.module).requires_grad_(True)
    parameter = module.get_parameter(name)
    rows = [
        torch.stack([torch.autograd.grad(s, parameter, retain_graph=True)[0].flatten() for s in module(one[None])[0]])
        for one in x
    ]
    return torch.stack(rows)


@pytest.mark.parametrize("build", [Perceptron, Sequence])
def test_curvature_is_the_diagonal_of_the_gauss_newton_matrix(build: type[nn.Module]) -> None:
    model = doubled(seeded(build, *((5,) if build is Perceptron else (3, 4))))
    split = samples(model, 12).splits["fit"]
    found = Curvature().collect(model, Split("fit", split.x, None))
    p = model.module(split.x).softmax(1)
    hessian = torch.diag_embed(p) - p.unsqueeze(2) * p.unsqueeze(1)
    for name, ours in found.items():
        rows = jacobians(model, split.x, name)
        wanted = torch.einsum("nci,ncd,ndi->i", rows, hessian, rows) / len(split)
        torch.testing.assert_close(ours.flatten(), wanted, rtol=1e-9, atol=1e-14)


def test_curvature_of_many_classes_is_right_on_average() -> None:
    model, data = tiny(200, 40)
    split = data.splits["fit"]
    p = model.module(split.x).softmax(1)
    hessian = torch.diag_embed(p) - p.unsqueeze(2) * p.unsqueeze(1)
    rows = jacobians(model, split.x, "a.weight")
    wanted = torch.einsum("nci,ncd,ndi->i", rows, hessian, rows) / len(split)
    ours = Curvature().collect(model, split)["a.weight"].flatten()
    assert float((ours - wanted).norm() / wanted.norm()) < 0.08


@pytest.mark.parametrize("collector", [SquaredGradients, Curvature])
def test_samples_at_once_and_one_by_one_say_the_same(
    collector: type[SquaredGradients], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = doubled(seeded(Plain, 1, 8, 8))
    split = samples(model, 10).splits["fit"]
    at_once = collector().collect(model, split)
    monkeypatch.setattr(per_sample, "_MOST_AT_ONCE", 1)
    one_by_one = collector().collect(model, split)
    monkeypatch.setattr(per_sample, "_MOST_AT_ONCE", 3)
    in_threes = collector().collect(model, split)
    for name, ours in at_once.items():
        torch.testing.assert_close(one_by_one[name], ours)
        torch.testing.assert_close(in_threes[name], ours)


def test_snip_is_the_share_of_weight_times_slope_over_all_samples() -> None:
    model, data = tiny(70)
    split = data.splits["fit"]
    felt = {
        layer: (model.weights[f"{layer}.weight"] * differences(model, split, f"{layer}.weight")[0]).abs().flatten()
        for layer in ("a", "b")
    }
    total = sum(float(values.sum()) for values in felt.values())
    ours = scores_of(model, data, "snip:n_samples=70")
    for layer, values in felt.items():
        torch.testing.assert_close(ours[layer], values / total, rtol=1e-5, atol=1e-9)
    assert float(sum(values.sum() for values in ours.values())) == pytest.approx(1)


def test_one_step_of_movement_is_minus_weight_times_slope_counted_from_the_lowest() -> None:
    model, data = tiny()
    split = data.splits["fit"]
    moved = {
        layer: (-model.weights[f"{layer}.weight"] * differences(model, split, f"{layer}.weight")[0]).flatten()
        for layer in ("a", "b")
    }
    lowest = min(float(values.min()) for values in moved.values())
    assert lowest < 0
    ours = scores_of(model, data, "movement:n_samples=16,n_steps=1")
    for layer, values in moved.items():
        torch.testing.assert_close(ours[layer], values - lowest, rtol=1e-5, atol=1e-9)
        assert torch.equal(ours[layer].argsort(), values.argsort())


def test_movement_is_the_training_of_scores_and_weights_through_a_mask() -> None:
    """An independent run: scores are parameters, the mask passes their gradient straight through."""
    model, data = tiny()
    split, rate, n_steps = data.splits["fit"], 0.05, 7
    module = copy.deepcopy(model.module).requires_grad_(True)
    scores = {layer: torch.zeros(getattr(module, layer).weight.shape, dtype=torch.float64) for layer in ("a", "b")}
    for step in range(n_steps):
        share = 0.5 * (1 - (1 - step / n_steps) ** 3)
        masked = {}
        for layer, s in scores.items():
            gone = s.flatten().argsort(stable=True)[: int(share * s.numel())]
            mask = torch.ones(s.numel(), dtype=torch.float64)
            mask[gone] = 0
            s.requires_grad_(True)
            # Value of the mask, derivative of the score.
            masked[layer] = getattr(module, layer).weight * (mask.reshape(s.shape) + s - s.detach())
        hidden = torch.relu(F.linear(split.x, masked["a"], module.a.bias))
        loss = F.cross_entropy(F.linear(hidden, masked["b"], module.b.bias), split.y)
        loss.backward()
        with torch.no_grad():
            for layer, s in scores.items():
                scores[layer] = (s - s.grad).detach()
            for parameter in module.parameters():
                parameter -= rate * parameter.grad
                parameter.grad = None
    lowest = min(float(s.min()) for s in scores.values())
    ours = scores_of(model, data, f"movement:n_samples=16,n_steps={n_steps},learning_rate={rate}")
    for layer, s in scores.items():
        torch.testing.assert_close(ours[layer], s.flatten() - lowest, rtol=1e-9, atol=1e-12)


def test_negative_scores_keep_their_order_also_inside_patterns_and_over_layers() -> None:
    model, data = tiny()
    criterion = "movement:n_samples=16,n_steps=1"
    moved = {
        layer: (-model.weights[f"{layer}.weight"] * differences(model, data.splits["fit"], f"{layer}.weight")[0])
        for layer in ("a", "b")
    }
    # Of four inputs of b, the two that moved most towards zero would go.
    lost = moved["b"].sort(dim=1).values[:, :2].mean(dim=1)
    ours = scores_of(model, data, criterion, "n_of_m:n=2,m=4")
    torch.testing.assert_close(ours["b"], lost - lost.min(), rtol=1e-4, atol=1e-9)
    everywhere = torch.cat([values.flatten() for values in moved.values()])
    made = plan(model, PruneSpec("weight", criterion, "global:sparsity=0.5"), data=data)
    masks = torch.cat([made.masks[f"{layer}.weight"].flatten() for layer in ("a", "b")])
    assert float(everywhere[~masks].max()) < float(everywhere[masks].min())
