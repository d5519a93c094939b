"""A module at hand becomes a model: copied, tried, named by its structure; the original is never written to."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.utils import parametrizations, prune, spectral_norm, weight_norm

import explorer as ex
from explorer.engine.evaluator import Evaluator
from explorer.export.slim import write_slim

HALF = ex.PruneSpec("weight", "lp_norm:p=1", "uniform:sparsity=0.5")
X = torch.randn(5, 6, generator=torch.Generator().manual_seed(0))


def mlp() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))


def trained() -> tuple[nn.Sequential, ex.types.Dataset]:
    data = ex.load_data("digits")
    torch.manual_seed(0)
    net = nn.Sequential(
        *(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU()),
        *(nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(128, 10)),
    )
    optimiser = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(30):
        optimiser.zero_grad()
        nn.functional.cross_entropy(net(data.splits["fit"].x), data.splits["fit"].y).backward()
        optimiser.step()
    return net, data


def state(module: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


class Several(nn.Module):
    def __init__(self, act: Callable[[Tensor], Tensor] = torch.relu, factor: float = 1.0) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.a, self.b, self.act, self.factor = nn.Linear(6, 3), nn.Linear(6, 2), act, factor

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"aux": self.b(x), "out": self.act(self.a(x)) * self.factor}


class Other(Several):
    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"aux": self.b(x), "out": self.act(self.a(x)) + self.factor}


class Two(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(6, 2)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return self.out(a - b)


@pytest.mark.slow
def test_everything_works_on_a_module_and_nothing_is_written_to_it(tmp_path: Path) -> None:
    net, data = trained()
    net.train()
    before, flags = state(net), [p.requires_grad for p in net.parameters()]
    model = ex.load(net, example=data.splits["fit"].x[:4], name="my net")

    report = ex.evaluate(model, HALF, data)
    assert len(list(ex.scan(model, data, levels=(0.5,), n_samples=64))) == 3
    assert len(list(ex.sweep(model, HALF, data, ratios=(1, 2)))) == 2
    assert ex.SearchResult.of(ex.search(model, data, budget="params=0.6", evaluations=4, levels=(0.3, 0.6)))
    *_, last = ex.recover(model, ex.recipes.one_shot(HALF, ex.recipes.Training(epochs=1)), data)
    plan = ex.plan(model, ex.PruneSpec("out_channel", "lp_norm", "uniform:sparsity=0.5"), data=data)
    written = ex.save(model, plan, tmp_path / "masked.safetensors")
    slim = write_slim(model, plan, tmp_path / "slim.safetensors")

    x = data.splits["tune"].x
    with torch.no_grad():
        exact = copy.deepcopy(net).eval()
        right = (exact(x).argmax(1) == data.splits["tune"].y).double().mean()
        smaller = ex.load(str(slim.weights)).module
        exact.load_state_dict(load_file(written.weights))
        assert smaller is not None
        assert torch.allclose(smaller(x), exact(x), atol=1e-5)
    assert report.dense_accuracy is not None
    assert report.dense_accuracy.value == pytest.approx(float(right))
    assert last.recovered is not None
    assert str(report).startswith("my net: ")
    assert net.training
    assert flags == [p.requires_grad for p in net.parameters()]
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())


def test_training_the_original_leaves_the_model_as_it_was() -> None:
    net, data = trained()
    model = ex.load(net, example=data.splits["fit"].x[:1])
    first = Evaluator(model, data.splits["tune"]).dense().accuracy.value
    with torch.no_grad():
        for tensor in net.state_dict().values():
            tensor.zero_()

    assert Evaluator(model, data.splits["tune"]).dense().accuracy.value == first > 0.5


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_a_module_is_measured_in_its_own_type(dtype: torch.dtype) -> None:
    net, data = trained()
    net = net.to(dtype).eval()
    model = ex.load(net, example=data.splits["fit"].x[:1])
    pruned = copy.deepcopy(net)
    for name, mask in ex.plan(model, HALF).masks.items():
        prune.custom_from_mask(pruned.get_submodule(name.removesuffix(".weight")), "weight", mask)

    report = ex.evaluate(model, HALF, data)

    tune = data.splits["tune"]
    with torch.no_grad():
        right = (pruned(tune.x.to(dtype)).argmax(1) == tune.y).double().mean()
    assert {weight.dtype for weight in model.weights.values()} == {dtype}
    assert report.accuracy is not None
    assert report.accuracy.value == pytest.approx(float(right))
    assert ex.plan(model, ex.PruneSpec("out_channel", "lp_norm", "uniform:sparsity=0.5")).n_pruned > 0


def test_weights_that_each_pass_computes_become_plain_ones_with_the_same_outputs() -> None:
    def with_mask(part: nn.Module) -> None:
        prune.l1_unstructured(part, "weight", 0.5)

    ways = (
        *(parametrizations.weight_norm, parametrizations.orthogonal, parametrizations.spectral_norm),
        *(weight_norm, spectral_norm, with_mask),
    )
    for change in ways:
        net = mlp()
        change(net[2])
        net(X)
        net.eval()
        before = state(net)
        with torch.no_grad():
            outputs = net(X)

        model = ex.load(net, example=X)

        assert list(model.weights) == ["0.weight", "0.bias", "2.weight", "2.bias"], change
        assert model.module is not None
        assert torch.equal(model.module(X), outputs), change
        assert "2.weight" in model.repairs[0]
        assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())


def test_wrappers_of_compilation_and_parallel_training_are_taken_off() -> None:
    for wrapped in (torch.compile(mlp(), backend="eager"), nn.DataParallel(mlp())):
        model = ex.load(wrapped, example=X)
        assert list(model.weights) == ["0.weight", "0.bias", "2.weight", "2.bias"]
        assert model.identity == ex.load(mlp(), example=X).identity


def test_the_output_that_was_chosen_is_measured() -> None:
    net = Several()
    expected = net(X)["out"]

    for choice in ("out", 1, -1, lambda outputs: outputs["out"]):
        model = ex.load(net, example=X, output=choice)
        assert model.module is not None
        assert torch.equal(model.module(X), expected)
        assert model.n_classes == 3
        assert list(model.weights) == ["a.weight", "a.bias", "b.weight", "b.bias"]
    by_default = ex.load(net, example=X)
    assert by_default.n_classes == 2
    assert "several outputs" in by_default.findings[0].what


def test_equal_identity_means_equal_weights_and_equal_code() -> None:
    def identity(net: nn.Module, output: str = "out") -> str:
        return ex.load(net, example=X, output=output).identity

    others = (Several(torch.tanh), Several(lambda x: 2 * x), Several(lambda x: 3 * x), Several(factor=2.0), Other())
    identities = {identity(net) for net in (Several(), *others)} | {identity(Several(), "aux")}

    assert len(identities) == 7
    assert identity(Several()) == identity(copy.deepcopy(Several()))


def test_what_cannot_be_opened_is_refused_in_words() -> None:
    net = mlp()
    closed = mlp()
    inner = closed.forward
    closed.forward = lambda x: inner(x)  # type: ignore[method-assign]
    refusals = {
        "needs an example": lambda: ex.load(net),
        "1x5": lambda: ex.load(net, example=torch.zeros(1, 5)),
        "no sample": lambda: ex.load(net, example=torch.zeros(0, 6)),
        "TorchScript": lambda: ex.load(torch.jit.script(net), example=X),
        "without numbers": lambda: ex.load(nn.Linear(6, 3, device="meta"), example=X),
        "does not compute with its own weights": lambda: ex.load(closed, example=X),
        "2 classes are named, and Sequential tells 3 apart": lambda: ex.load(net, example=X, classes=["a", "b"]),
        "a mapping with aux, out": lambda: ex.load(Several(), example=X, output="logits"),
        "is not a task": lambda: ex.load(net, example=X, task="fun"),
        "example= goes with a module alone": lambda: ex.load("digits-cnn", example=X),
        "arch= goes with an address alone": lambda: ex.load(net, example=X, arch="cifar-resnet20"),
        "Load it first": lambda: ex.evaluate(net, HALF, "digits"),
        "is no model": lambda: ex.load(3),
    }
    for words, attempt in refusals.items():
        with pytest.raises(ex.ExplorerError, match=words):
            attempt()


def test_a_float16_module_is_not_trained() -> None:
    net, data = trained()
    model = ex.load(net.half(), example=data.splits["fit"].x[:1])

    with pytest.raises(ex.ExplorerError, match="float16"):
        list(ex.recover(model, ex.recipes.one_shot(HALF, ex.recipes.Training(epochs=1)), data))


def test_a_float64_module_has_no_slim_form_and_says_so(tmp_path: Path) -> None:
    net, data = trained()
    model = ex.load(net.double(), example=data.splits["fit"].x[:1])
    plan = ex.plan(model, ex.PruneSpec("out_channel", "lp_norm", "uniform:sparsity=0.5"))

    with pytest.raises(ex.ExplorerError, match="float64"):
        write_slim(model, plan, tmp_path / "slim.safetensors")
