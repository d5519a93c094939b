"""Optimal brain surgeon against Hassibi's closed form, least squares, and what it promises."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from builders import Plain, loaded
from torch import Tensor, nn
from zoo import model_of
from zoo_sequences import LastState

from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError
from explorer.pruning.apply import masked
from explorer.pruning.criteria.obs import Obs
from explorer.pruning.evidence import input_products
from explorer.pruning.evidence.input_products import InputProducts
from explorer.pruning.evidence.least_squares import EXACT_UP_TO, Products, Solver
from explorer.pruning.plan import plan
from explorer.pruning.scoring import score
from explorer.pruning.spec import Limit, PruneSpec
from explorer.types import Dataset, LoadedModel, Split, tensors_digest


def correlated(n: int, *shape: int, seed: int = 1) -> Tensor:
    """Inputs of chance that are mixed along their last dimension, so that one can stand for another."""
    generator = torch.Generator().manual_seed(seed)
    mix = torch.randn(shape[-1], shape[-1], generator=generator) + torch.eye(shape[-1])
    return torch.randn(n, *shape, generator=generator) @ mix + 0.3


def dataset(x: Tensor, name: str = "tiny-data") -> Dataset:
    labels = torch.arange(len(x)) % 4
    splits = {"fit": Split("fit", x, labels), "tune": Split("tune", x, labels)}
    return Dataset(name, splits, ("a", "b", "c", "d"), "d1")


def linear(n_in: int = 8, n_out: int = 4) -> tuple[LoadedModel, Dataset]:
    torch.manual_seed(0)
    return loaded(nn.Sequential(nn.Linear(n_in, n_out)), n_in), dataset(correlated(200, n_in))


def hessian(x: Tensor, damping: float) -> Tensor:
    h = (x.double().T @ x.double()) / len(x)
    return h + damping * h.diagonal().mean() * torch.eye(len(h), dtype=h.dtype)


def test_saliencies_are_those_of_hassibi() -> None:
    model, data = linear()
    inverse = hessian(data.splits["fit"].x[:128], 0.05).inverse().diagonal()
    found = score(model, PruneSpec("weight", Obs(damping=0.05)), data)
    saliency = model.weights["0.weight"].double().square() / (2 * inverse)
    products = found.evidence.kinds["input_products"]["0.weight"]
    torch.testing.assert_close(products.saliency(model.weights["0.weight"], 0.05), saliency.float())
    torch.testing.assert_close(found.values["0"], (saliency * inverse.mean()).float().flatten())


def test_one_weight_removed_changes_the_others_as_in_hassibis_closed_form() -> None:
    model, data = linear()
    weight = model.weights["0.weight"]
    made = plan(model, PruneSpec("weight", "obs", f"uniform:sparsity={1 / weight.numel()}"), data=data)
    row, column = (~made.masks["0.weight"]).nonzero()[0].tolist()
    inverse = hessian(data.splits["fit"].x[:128], 0.01).inverse()
    # delta = -w_q / [H^-1]_qq * H^-1 e_q, equation 5 of Hassibi and Stork.
    expected = weight.double().clone()
    expected[row] -= expected[row, column] / inverse[column, column] * inverse[:, column]
    torch.testing.assert_close(made.updates["0.weight"].double(), expected, rtol=1e-4, atol=1e-5)
    # The rise of the squared error is the saliency.
    change, h = (made.updates["0.weight"].double() - weight)[row], hessian(data.splits["fit"].x[:128], 0.01)
    saliency = weight[row, column].double() ** 2 / (2 * inverse[column, column])
    torch.testing.assert_close(change @ h @ change / 2, saliency, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("n_gone", [2, 5, 7])
def test_the_exact_solution_is_least_squares_on_the_columns_that_stay(n_gone: int) -> None:
    x = correlated(100, 8)
    torch.manual_seed(n_gone)
    weight, keep = torch.randn(3, 8).double(), torch.ones(3, 8, dtype=torch.bool)
    for row in keep:
        row[torch.randperm(8)[:n_gone]] = False
    products = Products((x.double().T @ x.double() / len(x))[None])
    found = products.compensated(weight, keep, 0.02)
    extra = 0.02 * products.mean[0].diagonal().mean()
    system = torch.cat([x.double() / len(x) ** 0.5, extra.sqrt() * torch.eye(8)])
    for new, old, stays in zip(found, weight, keep, strict=True):
        expected = torch.linalg.lstsq(system[:, stays], system @ old).solution
        torch.testing.assert_close(new[stays], expected)
        assert not new[~stays].any()


def test_all_or_nothing_of_a_row_leaves_it_empty_or_as_it_was() -> None:
    x = correlated(50, 6)
    weight, keep = torch.randn(3, 6), torch.ones(3, 6, dtype=torch.bool)
    keep[0], keep[2, 1] = False, False
    new = Products((x.double().T @ x.double() / 50)[None]).compensated(weight, keep, 0.01)
    assert not new[0].any()
    assert torch.equal(new[1], weight[1])
    assert not torch.equal(new[2], weight[2])


def error(x: Tensor, old: Tensor, new: Tensor) -> float:
    return float((x.double() @ (old - new).double().T).square().sum())


def test_with_many_inputs_the_sweep_helps_and_its_polish_is_near_the_best() -> None:
    n = 2 * EXACT_UP_TO + 100
    generator = torch.Generator().manual_seed(0)
    # Inputs that share few causes, as neighbouring pixels and channels do.
    x = torch.randn(1000, 40, generator=generator) @ torch.randn(40, n, generator=generator)
    x = x + torch.randn(1000, n, generator=generator)
    weight = torch.randn(20, n, generator=generator)
    keep = torch.rand(20, n, generator=generator) > 0.5
    products = Products((x.double().T @ x.double() / 1000)[None])
    polished = products.compensated(weight, keep, 0.01)
    (solver,) = products.solved(0.01)
    rows = weight.double()
    exact = torch.cat([solver.exact(rows[i : i + 1], keep[i]) for i in range(20)])
    swept = solver.swept(rows, keep)
    assert torch.equal(polished != 0, keep)
    assert torch.equal(swept != 0, keep)
    best, near, quick, none = (error(x, weight, new) for new in (exact, polished, swept, weight * keep))
    assert best <= near < quick < 0.5 * none
    assert near < 1.25 * best


def test_the_sweep_solves_exactly_what_only_earlier_columns_lose() -> None:
    # When what goes comes before what stays, each column's loss is made up for by all that stay: nothing is lost.
    x = correlated(100, 12)
    solver = Solver.of(x.double().T @ x.double() / 100, 0.01)
    rows, keep = torch.randn(5, 12).double(), torch.ones(5, 12, dtype=torch.bool)
    for i, row in enumerate(keep):
        row[: i + 2] = False
    exact = torch.cat([solver.exact(rows[i : i + 1], keep[i]) for i in range(5)])
    torch.testing.assert_close(solver.swept(rows, keep), exact)


@pytest.mark.parametrize("name", ["plain", "depthwise, grouped", "gru, last state", "hub attention", "functions"])
def test_every_layer_is_nearer_to_its_dense_output_than_without_updates(name: str) -> None:
    model = model_of(name)
    example = model.example
    x = correlated(64, *example.shape[1:])  # type: ignore[union-attr]
    made = plan(model, PruneSpec("weight", "obs", "uniform:sparsity=0.5"), data=dataset(x))
    seen = InputProducts().collect(model, Split("fit", x, None))
    assert made.updates
    for parameter, new in made.updates.items():
        problem, old = seen[parameter], model.weights[parameter]
        assert isinstance(problem, Products)
        assert torch.equal(new != 0, made.masks[parameter])

        def rise(changed: Tensor, problem: Products = problem, old: Tensor = old) -> float:
            d = problem.rows(changed) - problem.rows(old)
            return float(torch.einsum("grc,gcd,grd->", d, problem.mean, d))

        mask = made.masks[parameter]
        by_size = torch.zeros_like(mask).flatten()
        by_size[old.abs().flatten().topk(int(mask.sum())).indices] = True
        # A row that reads a single input has nothing that could make up for it.
        alone = problem.n_columns == 1
        assert rise(new) < rise(old * mask) or alone
        assert rise(new) < rise(old * by_size.reshape(old.shape)) or alone


def test_readers_make_up_for_channels_that_nobody_makes_any_more() -> None:
    torch.manual_seed(0)
    model, x = loaded(Plain(), 1, 8, 8), correlated(64, 1, 8, 8)
    made = plan(
        model, PruneSpec("out_channel", "obs", "uniform:sparsity=0.4", {"conv1": Limit(locked=False)}), data=dataset(x)
    )
    plain = replace(made, updates={})
    full = model.module
    assert {"conv2.weight", "fc.weight"} <= set(made.updates)
    net, bare = masked(model, made).module, masked(model, plain).module
    inside = full.conv2(torch.max_pool2d(full.bn1(full.conv1(x)).relu(), 2))  # type: ignore[union-attr, operator]
    kept = made.masks["conv2.bias"]
    errors = []
    for module in (net, bare):
        seen = module.conv2(torch.max_pool2d(module.bn1(module.conv1(x)).relu(), 2))  # type: ignore[operator]
        errors.append(float((seen - inside)[:, kept].square().mean()))
    assert errors[0] < 0.6 * errors[1]


def test_products_of_grouped_patches_agree_with_unfolded_ones() -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(6, 4, (3, 2), stride=2, padding=1, groups=2)
    model, x = loaded(nn.Sequential(layer), 6, 7, 8), correlated(30, 6, 7, 8)
    found = InputProducts().collect(model, Split("fit", x, None))["0.weight"]
    patches = nn.functional.unfold(x, (3, 2), stride=2, padding=1).unflatten(1, (2, 18))
    expected = torch.einsum("ngcl,ngdl->gcd", patches, patches) / 30
    assert isinstance(found, Products)
    torch.testing.assert_close(found.mean.float(), expected, rtol=1e-4, atol=1e-4)


def test_the_same_request_gives_the_same_bits_and_an_unchanged_layer_is_not_solved_again() -> None:
    model, data = model_of("plain"), dataset(correlated(64, 1, 8, 8))
    spec = PruneSpec("weight", "obs", "uniform:sparsity=0.5")
    scores = score(model, spec, data)
    one, other = plan(model, spec, scores), plan(model, spec, data=data)
    assert tensors_digest(dict(one.updates)) == tensors_digest(dict(other.updates))
    again = plan(model, PruneSpec("weight", "obs", "uniform:sparsity=0.5", {"conv1": Limit(locked=True)}), scores)
    assert "conv1.weight" not in again.updates
    assert again.updates["conv2.weight"] is one.updates["conv2.weight"]


def test_a_model_measured_with_updates_is_the_masked_model() -> None:
    model, x = model_of("plain"), correlated(64, 1, 8, 8)
    data = dataset(x)
    made = plan(model, PruneSpec("weight", "obs", "uniform:sparsity=0.5"), data=data)
    found = Evaluator(model, data.splits["tune"], threads=1).final(made)
    assert torch.equal(found.predictions, masked(model, made).module(x).argmax(1))


def test_what_cannot_be_a_least_squares_problem_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_products, "MOST_INPUTS", 40)
    model, data = model_of("plain"), dataset(correlated(20, 1, 8, 8))
    why = {k.name: k.why_not or "" for k in score(model, PruneSpec("weight", "obs"), data).groups}
    assert "reads 54 inputs" in why["conv2"]
    assert "at most 40" in why["conv2"]
    assert not why["conv1"]
    net = model_of("u-net")
    why = {k.name: k.why_not or "" for k in score(net, PruneSpec("weight", "obs"), data).groups}
    assert "transposed convolution" in why["up1"]


def test_an_input_that_is_always_zero_does_no_harm() -> None:
    model, data = linear()
    x = data.splits["fit"].x.clone()
    x[:, 3] = 0
    found = score(model, PruneSpec("weight", "obs"), dataset(x))
    assert bool(torch.isfinite(found.values["0"]).all())
    silent = score(model, PruneSpec("weight", "obs"), dataset(torch.zeros_like(x)))
    assert bool(torch.isfinite(silent.values["0"]).all())


def test_without_data_it_is_refused() -> None:
    with pytest.raises(ExplorerError, match="there is none"):
        plan(model_of("plain"), PruneSpec("weight", "obs"))


def test_states_of_recurrent_layers_are_made_up_for_too() -> None:
    torch.manual_seed(0)
    model, x = loaded(LastState(), 5, 6), correlated(64, 5, 6)
    made = plan(model, PruneSpec("weight", "obs", "uniform:sparsity=0.5"), data=dataset(x))
    assert {"rnn.weight_ih_l1", "rnn.weight_hh_l0_reverse"} <= set(made.updates)
    plain = replace(made, updates={})
    dense = model.module(x)  # type: ignore[misc]
    errors = [float((masked(model, p).module(x) - dense).square().mean()) for p in (made, plain)]
    assert errors[0] < errors[1]
