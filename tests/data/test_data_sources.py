"""What every data source promises, and the addresses themselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from explorer import data, models
from explorer.data.request import numbers, shares, square
from explorer.errors import ExplorerError
from explorer.types import Dataset
from tests.data.pictures_on_disk import write_classes
from tests.every import for_each

Load = Callable[[], Dataset]


def digits(root: Path) -> Load:
    return lambda: data.load("digits")


def flat_folder(root: Path) -> Load:
    write_classes(root, {"a": 6, "b": 5, "c": 7})
    return lambda: data.load(f"folder:{root}", splits="0.5/0.25/0.25")


def divided_folder(root: Path) -> Load:
    for split in ("train", "val", "test"):
        write_classes(root / split, {"a": 3, "b": 4})
    return lambda: data.load(f"folder:{root}")


def arrays(root: Path) -> Load:
    np.savez(root / "d.npz", x=np.random.default_rng(0).normal(size=(20, 1, 8, 8)), y=np.arange(20) % 10)
    return lambda: data.load(f"npz:{root / 'd.npz'}", splits=(0.5, 0.25, 0.25))


def generated(root: Path) -> Load:
    model = models.load("digits-cnn")
    return lambda: data.load("none", model=model, seed=1)


@pytest.fixture(params=[digits, flat_folder, divided_folder, arrays, generated])
def load(request: pytest.FixtureRequest, tmp_path: Path) -> Load:
    return request.param(tmp_path)  # type: ignore[no-any-return]


def test_a_split_is_there_or_says_why_not(load: Load) -> None:
    found = load()
    for name in ("fit", "tune", "test"):
        assert (name in found.splits) != (name in found.why_no_split)
    assert all(why.endswith(".") for why in found.why_no_split.values())


def test_inputs_are_contiguous_float32_and_labels_int64_within_the_classes(load: Load) -> None:
    found = load()
    for name, split in found.splits.items():
        assert split.name == name
        assert split.x.dtype == torch.float32
        assert split.x.is_contiguous()
        assert len(split) > 0
        if split.y is not None:
            assert split.y.dtype == torch.int64
            assert split.y.shape == (len(split),)
            assert int(split.y.min()) >= 0
            assert int(split.y.max()) < len(found.classes)


def test_the_same_address_gives_the_same_samples_in_the_same_order(load: Load) -> None:
    first, second = load(), load()
    assert first.digest == second.digest
    for name in first.splits:
        assert torch.equal(first.splits[name].x, second.splits[name].x)


def test_its_description_counts_its_samples(load: Load) -> None:
    found = load()
    assert found.meta["n"] == {name: len(split) for name, split in found.splits.items()}
    assert "seed" in found.meta


@for_each("address", ["", "didgits", "cifar100", "tsv", "zip:mnist", "file:x"])
def test_an_unknown_address_names_those_there_are(address: str) -> None:
    with pytest.raises(
        ExplorerError, match="digits, topics, folder:PATH, npz:PATH, csv:PATH, text:PATH, hf:PATH, none"
    ):
        data.load(address)


@pytest.mark.parametrize("address", ["folder:", "npz:", "folder:/no/such/place", "npz:~/no/such/place", "folder:\0"])
def test_a_place_where_nothing_is_is_refused(address: str) -> None:
    with pytest.raises(ExplorerError):
        data.load(address)


def test_generated_inputs_say_that_they_are_generated() -> None:
    found = data.load("none", model=models.load("digits-gru"))
    assert "not real data" in found.meta["generated"]
    assert found.splits["tune"].y is None
    assert found.splits["tune"].x.shape == (512, 1, 8, 8)
    assert len(found.classes) == 10
    assert not torch.equal(found.splits["tune"].x[:128], found.splits["fit"].x)


def test_generated_inputs_follow_the_seed() -> None:
    model = models.load("digits-cnn")
    one, same, other = (data.load("none", model=model, seed=seed) for seed in (1, 1, 2))
    assert one.digest == same.digest != other.digest


def test_generated_inputs_need_a_model_that_runs(tmp_path: Path) -> None:
    torch.save({"w": torch.ones(2, 2)}, tmp_path / "w.pt")
    with pytest.raises(ExplorerError, match="need a model"):
        data.load("none")
    with pytest.raises(ExplorerError, match="No inputs can be generated"):
        data.load("none", model=models.load(str(tmp_path / "w.pt")))


def test_data_with_more_classes_than_the_model_is_refused(tmp_path: Path) -> None:
    write_classes(tmp_path, {f"c{i:02}": 1 for i in range(11)}, size=(8, 8))
    with pytest.raises(ExplorerError, match="11 classes, the model tells 10 apart"):
        data.load(f"folder:{tmp_path}", model=models.load("digits-cnn"))


def test_data_of_another_shape_than_the_model_takes_is_refused(tmp_path: Path) -> None:
    write_classes(tmp_path, {str(digit): 1 for digit in range(10)})
    with pytest.raises(ExplorerError, match=r"\(1, 8, 8\)"):
        data.load(f"folder:{tmp_path}", model=models.load("digits-cnn"), size=16)


def test_options_may_be_numbers_lists_or_text() -> None:
    assert numbers("mean", 0.5) == numbers("mean", "0.5") == numbers("mean", [0.5]) == (0.5,)
    assert numbers("mean", "(0.485, 0.456,0.406)") == (0.485, 0.456, 0.406)
    assert shares("0.5/0.25/0.25") == shares((0.5, 0.25, 0.25)) == (0.5, 0.25, 0.25)
    assert square("32") == square(32) == 32
    assert square(None) is square("") is None


@for_each("bad", ["x", "", "1,,x", "nan", [None], "inf"])
def test_numbers_that_are_none_are_refused(bad: object) -> None:
    with pytest.raises(ExplorerError, match="mean"):
        numbers("mean", bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", ["0.5", "0.5/0.5", "1/1/1", "-1/1/1"])
def test_shares_that_do_not_divide_are_refused(bad: str) -> None:
    with pytest.raises(ExplorerError, match="splits"):
        shares(bad)


@pytest.mark.parametrize("bad", [0, -1, "big", 5000, "32x32"])
def test_sizes_that_are_none_are_refused(bad: object) -> None:
    with pytest.raises(ExplorerError, match="size"):
        square(bad)  # type: ignore[arg-type]
