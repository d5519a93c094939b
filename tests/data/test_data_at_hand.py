"""Tensors, arrays, tables, datasets and loaders become data: every sample once, with its own target, or a refusal."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, SubsetRandomSampler, TensorDataset

import explorer as ex
from explorer.types import LoadedModel

X = torch.randn(30, 6, generator=torch.Generator().manual_seed(1))
Y = torch.arange(30) % 3


def model(n_outputs: int = 3, **options: object) -> LoadedModel:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, n_outputs))
    return ex.load(net, example=X, **options)


def rows(data: ex.types.Dataset, split: str = "tune") -> set[tuple[float, ...]]:
    """Every sample with its target, whatever the order."""
    x, y = data.splits[split].x, data.splits[split].y
    assert y is not None
    return {(*row, float(target)) for row, target in zip(x.tolist(), y.tolist(), strict=True)}


ALL = {(*row, float(target)) for row, target in zip(X.tolist(), Y.tolist(), strict=True)}


class Named(Dataset[dict[str, Tensor]]):
    def __len__(self) -> int:
        return len(X)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"pixels": X[index], "label": Y[index]}


def padded(items: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    return torch.stack([torch.cat([x, torch.zeros(2)]) for x, _ in items]), torch.stack([y for _, y in items])


def test_every_sample_comes_once_with_its_own_target_from_every_kind_of_source() -> None:
    table = pd.DataFrame(X.numpy(), columns=list("abcdef"))
    sources = [
        *((X, Y), [X.numpy(), Y.numpy()], (table, pd.Series(Y.numpy())), {"x": X, "y": Y}, (X, Y.float())),
        *(TensorDataset(X, Y), Named(), DataLoader(TensorDataset(X, Y), batch_size=7, shuffle=True, drop_last=True)),
        (X, nn.functional.one_hot(Y)),
    ]
    for source in sources:
        data = ex.load_data(source, model=model())
        assert rows(data) == ALL, type(source)
        assert data.classes == ("0", "1", "2")
    assert len({ex.load_data(source).digest for source in sources[:4]}) == 1


def test_the_collate_of_a_loader_makes_the_samples() -> None:
    data = ex.load_data(DataLoader(TensorDataset(X, Y), batch_size=4, collate_fn=padded))

    assert data.splits["tune"].x.shape == (30, 8)


def test_a_sampler_of_its_own_decides_and_is_named() -> None:
    loader = DataLoader(TensorDataset(X, Y), sampler=SubsetRandomSampler(range(10)))

    data = ex.load_data(loader)

    assert len(data.splits["tune"]) == 10
    assert "sampler of its own" in data.findings[0].what


def test_named_splits_and_shares_divide_the_data() -> None:
    by_name = ex.load_data(
        {"train": (X[:10], Y[:10]), "val": TensorDataset(X[10:20], Y[10:20]), "test": (X[20:], Y[20:])}
    )
    by_share = ex.load_data((X, Y), splits="0.5/0.25/0.25")

    assert {name: len(split) for name, split in by_name.splits.items()} == {"fit": 10, "tune": 10, "test": 10}
    assert rows(by_name, "fit") | rows(by_name, "tune") | rows(by_name, "test") == ALL
    assert {name: len(split) for name, split in by_share.splits.items()} == {"fit": 14, "tune": 8, "test": 8}


def test_data_of_a_float64_module_keep_their_digits_and_other_data_are_float32() -> None:
    net = nn.Linear(6, 3).double()
    opened = ex.load(net, example=X)

    data = ex.load_data((X.double() + 1e-12, Y), model=opened)

    assert data.splits["tune"].x.dtype == torch.float64
    assert ex.load_data((X.double(), Y), model=model()).splits["tune"].x.dtype == torch.float32
    assert ex.load_data((X.bfloat16(), Y)).splits["tune"].x.dtype == torch.float32


def test_classes_by_name_take_the_places_of_the_models_names() -> None:
    names = np.array(["cat", "ant", "bee"])[Y.numpy()]

    alone = ex.load_data((X, names))
    of_model = ex.load_data((X, names), model=model(classes=["bee", "cat", "ant"]))

    assert alone.classes == ("ant", "bee", "cat")
    assert of_model.classes == ("bee", "cat", "ant")
    expected = {(*row, float(["bee", "cat", "ant"].index(name))) for row, name in zip(X.tolist(), names, strict=True)}
    assert rows(of_model) == expected
    assert "read as classes" in alone.findings[0].what


def test_a_stated_task_wins_over_a_guess_and_a_guess_is_said() -> None:
    bits = torch.randint(0, 2, (30, 3), generator=torch.Generator().manual_seed(0))

    guessed = ex.load_data((X, bits))
    assert guessed.splits["tune"].y.dtype == torch.bool  # type: ignore[union-attr]
    assert "labels, several a sample" in guessed.findings[0].what
    assert ex.load_data((X, Y), task="numbers").splits["tune"].y.is_floating_point()  # type: ignore[union-attr]
    assert ex.load_data((X, bits), model=model(task="numbers")).splits["tune"].y.is_floating_point()  # type: ignore[union-attr]
    assert not ex.load_data((X, bits), task="labels").findings
    custom = ex.load_data((X, torch.randn(30, 2, 5)), task="custom").splits["tune"]
    assert custom.y is None
    assert custom.targets is not None
    assert custom.targets.shape == (30, 2, 5)


def test_several_labels_are_measured_as_scikit_learn_does() -> None:
    bits = torch.randint(0, 2, (30, 3), generator=torch.Generator().manual_seed(0)).bool()
    opened = model()
    data = ex.load_data((X, bits), model=opened, task="labels")
    plan = ex.plan(opened, ex.PruneSpec("weight", "lp_norm", "uniform:sparsity=0.6"))

    report = ex.evaluate(opened, ex.PruneSpec("weight", "lp_norm", "uniform:sparsity=0.6"), data)

    assert report.evaluation is not None
    tune = data.splits["tune"]
    with torch.no_grad():
        chosen, dense = ex.masked(opened, plan).module(tune.x) > 0, opened.module(tune.x) > 0  # type: ignore[misc]
    right, right_dense = (chosen == tune.y).double().mean(), (dense == tune.y).double().mean()
    metrics = report.evaluation.metrics
    assert report.evaluation.accuracy.value == pytest.approx(float(right))
    assert report.evaluation.drop.value == pytest.approx(float(right_dense - right))
    assert report.evaluation.agreement.value == pytest.approx(float((chosen == dense).double().mean()))
    assert metrics["exact_match"].value == pytest.approx(accuracy_score(tune.y, chosen))
    assert metrics["label_f1"].value == pytest.approx(f1_score(tune.y, chosen, average="micro"))
    bce = nn.functional.binary_cross_entropy_with_logits(ex.masked(opened, plan).module(tune.x), tune.y.float())
    assert report.evaluation.loss is not None
    assert report.evaluation.loss.value == pytest.approx(float(bce), rel=1e-5)
    assert len(list(ex.scan(opened, data, levels=(0.5,)))) == 2
    assert str(report).endswith("samples")


def test_one_output_is_two_classes_with_the_task_binary() -> None:
    opened = model(1, task="binary")
    data = ex.load_data((X, (Y > 0).long()), model=opened)

    report = ex.evaluate(opened, None, data)

    with torch.no_grad():
        right = ((opened.module(data.splits["tune"].x)[:, 0] > 0).long() == data.splits["tune"].y).double().mean()  # type: ignore[misc]
    assert report.accuracy is not None
    assert report.accuracy.value == pytest.approx(float(right))


def test_data_may_be_given_where_they_are_used() -> None:
    assert ex.evaluate(model(), None, (X, Y)).accuracy is not None
    assert len(list(ex.sweep(model(), None, TensorDataset(X, Y), ratios=(1, 2)))) == 2


def test_what_does_not_fit_is_refused_with_both_sides_named() -> None:
    broken = TensorDataset(X, Y)
    broken.tensors = (X, Y[:5])
    refusals: dict[str, Callable[[], object]] = {
        "30 samples, y has 29": lambda: ex.load_data((X, Y[:29])),
        r"shape \(5,\)(.|\n)*shape \(6,\)": lambda: ex.load_data((X[:, :5], Y), model=model()),
        "has 4 classes, Sequential tells 3 apart": lambda: ex.load_data((X, torch.arange(30) % 4), model=model()),
        "start at 1 and end at 3": lambda: ex.load_data((X, Y + 1), model=model()),
        "needs one output, and Sequential gives 3": lambda: ex.load_data((X, Y), model=model(), task="binary"),
        "y has 2 labels, the model gives 3": lambda: ex.load_data(
            (X, Y[:, None] == torch.tensor([0, 1])), model=model(), task="labels"
        ),
        "2 classes are named, and labels go up to 2": lambda: ex.load_data((X, Y), classes=["a", "b"]),
        "NaN": lambda: ex.load_data((X.log(), Y)),
        "columns hold no numbers: name": lambda: ex.load_data((pd.DataFrame({"name": ["a"] * 3}), [0, 1, 0])),
        "IndexError": lambda: ex.load_data(broken),
        "no samples": lambda: ex.load_data(TensorDataset(X[:0], Y[:0])),
        "names its splits": lambda: ex.load_data({"first": (X, Y)}),
        "twice": lambda: ex.load_data({"fit": (X, Y), "train": (X, Y)}),
        "divided already": lambda: ex.load_data({"fit": (X, Y)}, splits="0.5/0.25/0.25"),
        "inputs are a int": lambda: ex.load_data(3),
        "3 things": lambda: ex.load_data((X, Y, Y)),
    }
    for words, attempt in refusals.items():
        with pytest.raises(ex.ExplorerError, match=words):
            attempt()
