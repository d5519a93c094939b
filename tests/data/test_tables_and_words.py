"""Tables with named columns, batches by name, and generated words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

import explorer as ex
from explorer.types import InputSet


@dataclass(frozen=True)
class Classes:
    """As ``datasets.ClassLabel`` has them."""

    names: list[str]


class Rows:
    """The interface of ``datasets.Dataset``, which need not be installed: columns, features, rows by slice."""

    def __init__(self, columns: Mapping[str, Sequence[object]], features: Mapping[str, object] | None = None) -> None:
        self._columns = {name: list(values) for name, values in columns.items()}
        self.column_names = list(self._columns)
        self.features = {name: (features or {}).get(name) for name in self._columns}

    def __len__(self) -> int:
        return len(next(iter(self._columns.values())))

    def __getitem__(self, rows: slice) -> dict[str, list[object]]:
        return {name: values[rows] for name, values in self._columns.items()}


class Sentence(nn.Module):
    """Words with a mask, by name."""

    def __init__(self, n_words: int = 50) -> None:
        super().__init__()
        self.words = nn.Embedding(n_words, 8)
        self.places = nn.Embedding(200, 8)
        self.head = nn.Linear(8, 3)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        hidden = self.words(input_ids) + self.places(torch.arange(input_ids.shape[1]))
        return self.head((hidden * attention_mask[..., None]).mean(1))


def sentences(n: int, seed: int = 0) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(50, (n, 6), generator=generator)
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": ids[:, 0] % 3}


def model() -> ex.models.LoadedModel:  # type: ignore[name-defined]
    torch.manual_seed(0)
    batch = sentences(2)
    return ex.load(Sentence(), example={name: batch[name] for name in ("input_ids", "attention_mask")})


def test_a_table_with_named_columns_is_read_by_the_names_of_the_models_inputs() -> None:
    batch = sentences(300)
    rows = Rows({"text": ["a"] * 300, **{name: tensor.tolist() for name, tensor in batch.items()}, "idx": range(300)},
                {"labels": Classes(["no", "yes", "perhaps"])})  # fmt: skip

    data = ex.load_data(rows, model=model(), splits="0/1/0")

    tune = data.splits["tune"]
    assert isinstance(tune.x, InputSet)
    order = [batch["input_ids"].tolist().index(row) for row in tune.x.named["input_ids"].tolist()]
    assert torch.equal(tune.x.named["input_ids"], batch["input_ids"][order])
    assert torch.equal(tune.y, batch["labels"][order])  # type: ignore[arg-type]
    assert data.classes == ("no", "yes", "perhaps")
    assert any("idx" in finding.what for finding in data.findings)
    assert ex.evaluate(model(), None, data).evaluation is not None


def test_a_dict_of_tables_names_the_splits() -> None:
    tables = {
        name: Rows({name_: tensor.tolist() for name_, tensor in sentences(n, n).items()})
        for name, n in (("train", 40), ("validation", 20), ("test", 10))
    }
    data = ex.load_data(tables, model=model())
    assert {name: len(split) for name, split in data.splits.items()} == {"fit": 40, "tune": 20, "test": 10}


def test_pictures_in_a_table_are_read_as_pixels() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (12, 5, 5, 3), dtype=np.uint8)
    rows = Rows({"image": [Image.fromarray(picture) for picture in pixels], "label": [0, 1, 2] * 4})
    network = ex.load(nn.Sequential(nn.Flatten(), nn.Linear(75, 3)), example=torch.zeros(1, 3, 5, 5))

    data = ex.load_data(rows, model=network)

    expected = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    tune = data.splits["tune"]
    assert isinstance(tune.x, Tensor)
    assert sorted(tune.x.flatten(1).sum(1).tolist()) == pytest.approx(sorted(expected.flatten(1).sum(1).tolist()))


def test_batches_by_name_keep_every_input_of_the_model() -> None:
    class Items(Dataset[dict[str, object]]):
        def __len__(self) -> int:
            return 30

        def __getitem__(self, place: int) -> dict[str, object]:
            return {name: tensor[place] for name, tensor in sentences(30).items()} | {"sentence": f"number {place}"}

    data = ex.load_data(DataLoader(Items(), batch_size=7, shuffle=True), model=model(), splits="0/1/0")

    tune = data.splits["tune"]
    assert isinstance(tune.x, InputSet)
    assert len(tune) == 30
    rows = {
        tuple(row): label
        for row, label in zip(sentences(30)["input_ids"].tolist(), sentences(30)["labels"].tolist(), strict=True)
    }
    for row, label in zip(tune.x.named["input_ids"].tolist(), tune.y.tolist(), strict=True):  # type: ignore[union-attr]
        assert rows[tuple(row)] == label


def test_inputs_that_are_not_sure_are_refused() -> None:
    rows = Rows({"input_ids": [[1, 2]] * 3, "other": [[1, 2]] * 3, "labels": [0, 1, 0]})
    with pytest.raises(ex.ExplorerError, match="attention_mask is not in the data"):
        ex.load_data(rows, model=model())
    with pytest.raises(ex.ExplorerError, match="cannot be read as samples"):
        ex.load_data(rows)
    with pytest.raises(ex.ExplorerError, match="no array"):
        ex.load_data(Rows({"x": [[1, 2], [1]], "y": [0, 1]}))


def test_generated_words_are_of_the_models_vocabulary_and_masks_stay() -> None:
    data = ex.load_data("none", model=model())
    x = data.splits["tune"].x
    assert isinstance(x, InputSet)
    assert (int(x.named["input_ids"].min()), int(x.named["input_ids"].max())) == (0, 49)
    assert bool((x.named["attention_mask"] == 1).all())
    assert "words" in str(data.meta["generated"])
    again = ex.load_data("none", model=model()).splits["tune"].x
    assert torch.equal(x.named["input_ids"], again.named["input_ids"])  # type: ignore[union-attr]


def test_whole_numbers_that_are_no_words_are_not_generated() -> None:
    class Counts(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.float()

    network = ex.load(Counts(), example=torch.zeros(1, 4, dtype=torch.long))
    with pytest.raises(ex.ExplorerError, match="No inputs can be generated"):
        ex.load_data("none", model=network)
