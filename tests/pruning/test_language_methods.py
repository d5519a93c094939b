"""Wanda, SparseGPT, magnitude by row and OWL as their papers write them, against plain loops and arithmetic by hand."""

from __future__ import annotations

import pytest
import torch
from builders import loaded
from torch import Tensor, nn
from torch.nn import functional

from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError
from explorer.pruning.allocation import PerLayer
from explorer.pruning.apply import masked
from explorer.pruning.plan import group_masks, plan
from explorer.pruning.scoring import score
from explorer.pruning.spec import PruneSpec
from explorer.types import Dataset, LoadedModel, Split, tensors_digest

VOCABULARY, DIM, LENGTH = 12, 16, 5


class TwoLayers(nn.Module):
    """Tokens looked up, two layers with a ReLU between them, and scores of the next token."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(VOCABULARY, DIM)
        self.blocks = nn.Sequential(
            nn.Sequential(nn.Linear(DIM, 24), nn.ReLU()), nn.Sequential(nn.Linear(24, DIM, bias=False))
        )
        self.head = nn.Linear(DIM, VOCABULARY)

    def forward(self, tokens: Tensor) -> Tensor:
        out: Tensor = self.head(self.blocks(self.embed(tokens)))
        return out


def language() -> tuple[LoadedModel, Dataset]:
    torch.manual_seed(0)
    module = TwoLayers().eval()
    weights = {name: p.detach() for name, p in module.named_parameters()}
    model = LoadedModel(
        "two layers", module, weights, tensors_digest(weights), torch.zeros(1, LENGTH, dtype=torch.int64)
    )
    tokens = torch.randint(VOCABULARY, (64, LENGTH + 1))
    split = Split("fit", tokens[:, :-1].clone(), tokens[:, 1:].clone())
    return model, Dataset("tokens", {"fit": split, "tune": Split("tune", split.x, split.y)}, (), "d")


def inputs(model: LoadedModel, data: Dataset) -> dict[str, Tensor]:
    """(tokens, columns) float64: what each of the two layers and the head is given."""
    module, x = model.module, data.splits["fit"].x
    assert isinstance(module, TwoLayers)
    with torch.no_grad():
        first = module.embed(x).flatten(0, 1)
        second = module.blocks[0](first)  # type: ignore[index]
        return {"blocks.0.0": first.double(), "blocks.1.0": second.double(), "head": module.blocks[1](second).double()}  # type: ignore[index]


def sparsegpt(weight: Tensor, x: Tensor, sparsity: float, block: int, pattern: tuple[int, int] | None = None) -> Tensor:
    """Algorithm 1 of arXiv:2301.00774, one column and one row at a time."""
    w, h = weight.double().clone(), x.T @ x
    h += 0.01 * h.diagonal().mean() * torch.eye(len(h), dtype=h.dtype)
    u = torch.linalg.cholesky(torch.linalg.inv(h), upper=True)
    n_rows, n_columns = w.shape
    gone = torch.zeros_like(w, dtype=torch.bool)
    for j in range(n_columns):
        if pattern is None and j % block == 0:
            cost = {(r, c): float(w[r, c] ** 2 / u[c, c] ** 2) for r in range(n_rows) for c in range(j, j + block)}
            for r, c in sorted(cost, key=lambda at: cost[at])[: round(sparsity * n_rows * block)]:
                gone[r, c] = True
        if pattern is not None and j % pattern[1] == 0:
            for r in range(n_rows):
                cost_of = {c: float(w[r, c] ** 2 / u[c, c] ** 2) for c in range(j, j + pattern[1])}
                for c in sorted(cost_of, key=lambda at: cost_of[at])[: pattern[1] - pattern[0]]:
                    gone[r, c] = True
        for r in range(n_rows):
            if gone[r, j]:
                error = w[r, j] / u[j, j]
                for c in range(j, n_columns):
                    w[r, c] -= error * u[j, c]
    return w.masked_fill(gone, 0)


def test_wanda_takes_the_lowest_products_of_every_row_of_a_language_model() -> None:
    model, data = language()
    pruned = plan(model, PruneSpec("weight", "wanda", "uniform:sparsity=0.5"), data=data)
    for name, x in inputs(model, data).items():
        weight = model.weights[f"{name}.weight"]
        product = weight.double().abs() * x.square().sum(dim=0).sqrt()
        lost = product.argsort(dim=1)[:, : weight.shape[1] // 2]
        assert torch.equal(
            pruned.masks[f"{name}.weight"], torch.ones_like(weight, dtype=torch.bool).scatter(1, lost, 0)
        )


def test_wanda_compares_within_the_layer_where_the_model_reads_no_tokens() -> None:
    model = loaded(nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 3)), 6)
    x = torch.randn(32, 6, generator=torch.Generator().manual_seed(1))
    data = Dataset("numbers", {"fit": Split("fit", x, torch.arange(32) % 3)}, ("a", "b", "c"), "d")
    auto, layer = (score(model, PruneSpec("weight", f"wanda:compare={c}"), data).values for c in ("auto", "layer"))
    assert all(torch.equal(auto[name], layer[name]) for name in layer)


def test_magnitude_by_row_takes_the_smallest_of_every_row() -> None:
    model, data = language()
    pruned = plan(model, PruneSpec("weight", "row_magnitude", "global:sparsity=0.25"), data=data)
    for name in ("embed", "blocks.0.0", "blocks.1.0", "head"):
        weight = model.weights[f"{name}.weight"]
        lost = weight.abs().argsort(dim=1)[:, : weight.shape[1] // 4]
        assert torch.equal(
            pruned.masks[f"{name}.weight"], torch.ones_like(weight, dtype=torch.bool).scatter(1, lost, 0)
        )


@pytest.mark.parametrize("sparsity", [0.25, 0.5])
def test_sparsegpt_leaves_the_weights_that_a_plain_loop_over_columns_leaves(sparsity: float) -> None:
    model, data = language()
    pruned = plan(model, PruneSpec("weight", "sparsegpt:block=8", f"uniform:sparsity={sparsity}"), data=data)
    left = dict(masked(model, pruned).module.named_parameters())
    for name, x in inputs(model, data).items():
        by_hand = sparsegpt(model.weights[f"{name}.weight"], x, sparsity, 8)
        assert torch.equal(by_hand != 0, pruned.masks[f"{name}.weight"])
        torch.testing.assert_close(left[f"{name}.weight"].double(), by_hand, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("n", "m"), [(2, 4), (4, 8)])
def test_sparsegpt_chooses_inside_each_group_of_an_n_of_m_pattern(n: int, m: int) -> None:
    model, data = language()
    pruned = plan(model, PruneSpec(f"n_of_m:n={n},m={m}", "sparsegpt", "uniform:sparsity=1"), data=data)
    left = dict(masked(model, pruned).module.named_parameters())
    for name, x in inputs(model, data).items():
        by_hand = sparsegpt(model.weights[f"{name}.weight"], x, 0.5, 128, (n, m))
        assert torch.equal(by_hand != 0, pruned.masks[f"{name}.weight"])
        torch.testing.assert_close(left[f"{name}.weight"].double(), by_hand, rtol=1e-4, atol=1e-5)


def test_sparsegpt_leaves_a_smaller_error_than_wanda_and_wanda_than_magnitude() -> None:
    model, data = language()
    x = inputs(model, data)["blocks.1.0"]
    weight = model.weights["blocks.1.0.weight"].double()
    errors = []
    for criterion in ("sparsegpt", "wanda", "row_magnitude"):
        pruned = plan(model, PruneSpec("weight", criterion, "uniform:sparsity=0.5"), data=data)
        new = dict(masked(model, pruned).module.named_parameters())["blocks.1.0.weight"].double()
        errors.append(float((x @ (new - weight).T).square().sum()))
    assert errors[0] < errors[1] < errors[2]


def test_a_scan_of_one_layer_measures_what_the_plan_of_that_layer_does() -> None:
    model, data = language()
    spec = PruneSpec("weight", "sparsegpt:block=8")
    scores = score(model, spec, data)
    group = next(group for group in scores.groups if group.name == "blocks.1.0")
    alone = PruneSpec("weight", "sparsegpt:block=8", PerLayer(shares=(("blocks.1.0", 0.5),)))
    pruned = plan(model, alone, scores)
    order = scores.values[group.name].argsort(stable=True)
    keep = torch.ones(len(order), dtype=torch.bool)
    keep[order[: len(order) // 2]] = False
    assert torch.equal(
        group_masks(model, spec, scores, group, keep)["blocks.1.0.weight"], pruned.masks["blocks.1.0.weight"]
    )
    assert Evaluator(model, data.splits["tune"]).final(pruned).judged_by == "tokens"


def test_owl_spreads_the_shares_of_blocks_by_their_outliers() -> None:
    model, data = language()
    spec = PruneSpec("weight", "wanda", "owl:sparsity=0.5,multiple=3,spread=0.1")
    pruned = plan(model, spec, data=data)
    strengths = {
        name: model.weights[f"{name}.weight"].double().abs() * x.square().sum(dim=0).sqrt()
        for name, x in inputs(model, data).items()
    }
    outliers = {name: float((each > 3 * each.mean()).double().mean()) for name, each in strengths.items()}
    low, high = min(outliers.values()), max(outliers.values())
    raised = {name: 0.2 * (share - low) / (high - low) for name, share in outliers.items()}
    mean = sum(raised.values()) / len(raised)
    level = 0.5 - sum(strengths[n].numel() * (mean - raised[n]) for n in raised) / sum(
        s.numel() for s in strengths.values()
    )
    assert high > low
    n_pruned = {group.group.name: group.n_pruned for group in pruned.groups}
    for name in strengths:
        assert n_pruned[name] == pytest.approx(strengths[name].numel() * (level + mean - raised[name]), abs=1)
    assert sum(n_pruned.values()) == round(0.5 * sum(s.numel() for s in strengths.values()))


def test_taylor_follows_the_loss_of_tokens_and_leaves_out_what_has_no_target() -> None:
    model, data = language()
    split = data.splits["fit"]
    assert split.y is not None
    split.y[:, 0] = -1
    module = TwoLayers()
    module.load_state_dict(dict(model.weights))
    parts = []
    for x, y in zip(split.x.split(8), split.y.split(8), strict=True):
        module.zero_grad()
        functional.cross_entropy(module(x)[:, 1:].flatten(0, 1), y[:, 1:].flatten()).backward()
        gradient = module.head.weight.grad
        assert gradient is not None
        parts.append((module.head.weight * gradient).detach().abs())
    scores = score(model, PruneSpec("weight", "taylor"), data).values["head"]
    torch.testing.assert_close(scores, torch.stack(parts).mean(dim=0).flatten(), rtol=1e-4, atol=1e-8)


def test_the_curvature_of_classes_is_refused_for_tokens() -> None:
    model, data = language()
    with pytest.raises(ExplorerError, match="cannot be computed here"):
        score(model, PruneSpec("weight", "obd"), data)
