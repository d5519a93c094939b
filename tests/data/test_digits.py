"""The bundled data: three splits that never touch, each fair from its first sample on."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from sklearn.datasets import load_digits

from explorer import data
from explorer.data.splitting import divide, sizes, stratified_order
from explorer.errors import ExplorerError
from explorer.types import Dataset
from tests.every import for_each


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return data.load("digits")


def test_the_splits_have_the_agreed_sizes(digits: Dataset) -> None:
    assert {name: len(split) for name, split in digits.splits.items()} == {"fit": 897, "tune": 450, "test": 450}


def pixels(x: torch.Tensor) -> list[tuple[int, ...]]:
    """The pictures as scikit-learn has them: 64 whole numbers from 0 to 16."""
    return [tuple(row) for row in ((x * 0.3761 + 0.3053) * 16).round().int().flatten(1).tolist()]


def test_every_picture_is_in_exactly_one_split(digits: Dataset) -> None:
    divided = Counter(picture for split in digits.splits.values() for picture in pixels(split.x))
    assert divided == Counter(tuple(row) for row in load_digits().data.astype(int).tolist())


def test_labels_stay_with_their_pictures(digits: Dataset) -> None:
    raw = load_digits()
    known = {tuple(row): int(label) for row, label in zip(raw.data.astype(int).tolist(), raw.target, strict=True)}
    split = digits.splits["tune"]
    assert split.y is not None
    assert [known[picture] for picture in pixels(split.x)] == split.y.tolist()


def test_each_class_has_its_share_of_each_split(digits: Dataset) -> None:
    everything = torch.from_numpy(load_digits().target).bincount()
    for split in digits.splits.values():
        assert split.y is not None
        expected = everything * len(split) / 1797
        assert float((split.y.bincount() - expected).abs().max()) <= 2


@pytest.mark.parametrize("name", ["fit", "tune", "test"])
def test_every_prefix_holds_each_class_in_proportion(digits: Dataset, name: str) -> None:
    y = digits.splits[name].y
    assert y is not None
    counted = torch.nn.functional.one_hot(y, 10).cumsum(0)
    expected = torch.arange(1, len(y) + 1)[:, None] * y.bincount()[None] / len(y)
    assert float((counted - expected).abs().max()) < 2.0


def test_no_seed_moves_a_sample_between_splits(digits: Dataset) -> None:
    assert data.load("digits", seed=7).digest == digits.digest


def test_inputs_are_normalised_float32(digits: Dataset) -> None:
    x = digits.splits["fit"].x
    assert x.dtype == torch.float32
    assert x.shape[1:] == (1, 8, 8)
    assert abs(float(x.mean())) < 0.02
    assert abs(float(x.std()) - 1) < 0.02


@pytest.mark.parametrize("option", [{"size": 16}, {"mean": 0.5}, {"splits": "0.8/0.1/0.1"}])
def test_what_is_fixed_cannot_be_changed(option: dict[str, object]) -> None:
    with pytest.raises(ExplorerError, match="fixed"):
        data.load("digits", **option)  # type: ignore[arg-type]


def test_tune_and_test_are_rounded_up() -> None:
    assert sizes(1797, (0.5, 0.25, 0.25)) == (897, 450, 450)
    assert sizes(5, (0.0, 0.5, 0.5)) == (0, 3, 2)
    assert sizes(10, (0.0, 1.0, 0.0)) == (0, 10, 0)
    assert sizes(1, (0.5, 0.25, 0.25)) == (0, 1, 0)


@for_each("n", [1, 2, 7, 100])
@for_each("labelled", [True, False])
def test_an_order_holds_every_index_once_and_is_the_same_each_time(n: int, labelled: bool) -> None:
    y = torch.arange(n) % 3 if labelled else None
    order = stratified_order(y, n, seed=3)
    assert sorted(order.tolist()) == list(range(n))
    assert torch.equal(order, stratified_order(y, n, seed=3))


def test_another_seed_gives_another_order() -> None:
    y = torch.arange(60) % 3
    assert not torch.equal(stratified_order(y, 60, 0), stratified_order(y, 60, 1))


def test_a_rare_class_is_spread_over_the_order() -> None:
    y = torch.tensor([0] * 98 + [1] * 2)
    places = (y[stratified_order(y, 100, 0)] == 1).nonzero().flatten().tolist()
    assert places[0] < 51 <= places[1] + 1


def test_divided_parts_are_disjoint_and_complete() -> None:
    y = torch.arange(101) % 4
    parts = divide(y, 101, (0.5, 0.25, 0.25), seed=5)
    assert sorted(torch.cat(list(parts.values())).tolist()) == list(range(101))
