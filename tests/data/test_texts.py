"""Texts for language models and classifiers, and folders that ``datasets`` has saved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import explorer as ex
from explorer.types import InputSet, LoadedModel

LENGTH = 12


class Bytes(nn.Module):
    """A language model of bytes, or a classifier of texts."""

    def __init__(self, n_words: int = 256, n_classes: int | None = None) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.words = nn.Embedding(n_words, 6)
        self.head = nn.Linear(6, n_classes or n_words)
        self.pools = n_classes is not None

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        hidden = self.words(input_ids) * attention_mask[..., None]
        return self.head(hidden.mean(1) if self.pools else hidden)


def model(**options: Any) -> LoadedModel:
    ids = torch.zeros(2, LENGTH, dtype=torch.long)
    return ex.load(Bytes(**options), example={"input_ids": ids, "attention_mask": torch.ones_like(ids)})


def test_a_text_is_cut_into_windows_whose_labels_are_the_bytes_that_follow(tmp_path: Path) -> None:
    text = "".join(chr(97 + i % 26) for i in range(13 * 20)) + "rest"
    (tmp_path / "t.txt").write_text(text)

    data = ex.load_data(f"text:{tmp_path / 't.txt'}", model=model(), splits="0/1/0")

    tune = data.splits["tune"]
    assert isinstance(tune.x, InputSet)
    tokens, following = tune.x.named["input_ids"].tolist(), tune.y.tolist()  # type: ignore[union-attr]
    rows = {bytes(row).decode(): bytes(y).decode() for row, y in zip(tokens, following, strict=True)}
    assert rows == {text[k : k + 12]: text[k + 1 : k + 13] for k in range(0, 260, 13)}
    assert bool((tune.x.named["attention_mask"] == 1).all())
    assert "bytes" in data.findings[0].what
    assert ex.evaluate(model(), None, data).to_json()["judged_by"] == "tokens"


def test_files_called_train_and_val_are_the_splits(tmp_path: Path) -> None:
    for name, n in (("train", 5), ("val", 3)):
        (tmp_path / f"{name}.txt").write_text("x" * 13 * n)
    data = ex.load_data(f"text:{tmp_path}", model=model())
    assert {name: len(split) for name, split in data.splits.items()} == {"fit": 5, "tune": 3}


def test_texts_in_class_folders_are_padded_and_cut(tmp_path: Path) -> None:
    for name, texts in {"b": ["hello", "a text that is too long"], "a": ["ä"]}.items():
        (tmp_path / name).mkdir()
        for k, text in enumerate(texts):
            (tmp_path / name / f"{k}.txt").write_text(text, encoding="utf-8")

    data = ex.load_data(f"text:{tmp_path}", model=model(n_classes=2))

    tune = data.splits["tune"]
    assert isinstance(tune.x, InputSet)
    tokens, masks, labels = (t.tolist() for t in (*tune.x.named.values(), tune.y))  # type: ignore[union-attr]
    rows = {bytes(ids[: sum(mask)]): y for ids, mask, y in zip(tokens, masks, labels, strict=True)}
    # Of one that is cut the last token stays, which is the mark of the end where a tokenizer makes one.
    assert rows == {b"hello": 1, b"a text that" + b"g": 1, "ä".encode(): 0}
    assert data.classes == ("a", "b")
    assert any("1 texts are longer" in finding.what for finding in data.findings)


def test_the_tokenizer_of_the_models_folder_reads_texts(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "small", "text", "more"]
    (tmp_path / "vocab.txt").write_text("\n".join(vocabulary))
    transformers.BertTokenizer(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path / "model")
    texts = tmp_path / "texts"
    for name, text in {"one": "a small text", "two": "more text"}.items():
        (texts / name).mkdir(parents=True)
        (texts / name / "t.txt").write_text(text)
    network = model(n_words=len(vocabulary), n_classes=2)
    network.meta["preprocess"] = {"kind": "tokenizer", "folder": str(tmp_path / "model")}  # type: ignore[index]

    data = ex.load_data(f"text:{texts}", model=network)

    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "model", local_files_only=True)
    expected = tokenizer(["a small text", "more text"], padding="max_length", max_length=LENGTH, return_tensors="pt")
    tune = data.splits["tune"]
    assert isinstance(tune.x, InputSet)
    order = tune.y.tolist()  # type: ignore[union-attr]
    for name in ("input_ids", "attention_mask"):
        assert torch.equal(tune.x.named[name], expected[name][order])


def test_texts_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    place = tmp_path / "t.txt"
    place.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ex.ExplorerError, match="cannot be read as text"):
        ex.load_data(f"text:{place}", model=model())
    place.write_text("short")
    with pytest.raises(ex.ExplorerError, match="too little text"):
        ex.load_data(f"text:{place}", model=model())
    with pytest.raises(ex.ExplorerError, match="cannot be made tokens"):
        ex.load_data(f"text:{place}", model=model(n_words=50))
    with pytest.raises(ex.ExplorerError, match="takes no tokens"):
        ex.load_data(f"text:{place}", model=ex.load("digits-mlp"))
    with pytest.raises(ex.ExplorerError, match="no model is given"):
        ex.load_data(f"text:{place}")


def saved(folder: Path, columns: dict[str, Any], features: dict[str, Any] | None = None) -> None:
    """As ``datasets.Dataset.save_to_disk`` writes it."""
    pa = pytest.importorskip("pyarrow")
    folder.mkdir(parents=True)
    table = pa.table(columns)
    with (
        pa.OSFile(str(folder / "data-00000-of-00001.arrow"), "wb") as file,
        pa.ipc.new_stream(file, table.schema) as out,
    ):
        out.write_table(table)
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}))
    (folder / "dataset_info.json").write_text(json.dumps({"features": features or {}}))


def test_a_saved_data_set_is_read_with_its_splits_and_classes(tmp_path: Path) -> None:
    classes = {"label": {"names": ["bad", "good"], "_type": "ClassLabel"}}
    for name, n in (("train", 6), ("validation", 4)):
        ids = [[i] * LENGTH for i in range(n)]
        columns = {"input_ids": ids, "attention_mask": [[1] * LENGTH] * n, "label": [i % 2 for i in range(n)]}
        saved(tmp_path / "d" / name, {**columns, "text": ["x"] * n}, classes)
    (tmp_path / "d" / "dataset_dict.json").write_text('{"splits": ["train", "validation"]}')

    data = ex.load_data(f"hf:{tmp_path / 'd'}", model=model(n_classes=2))

    assert {name: len(split) for name, split in data.splits.items()} == {"fit": 6, "tune": 4}
    assert data.classes == ("bad", "good")
    tune = data.splits["tune"]
    assert isinstance(tune.x, InputSet)
    assert (tune.x.named["input_ids"][:, 0] % 2).tolist() == tune.y.tolist()  # type: ignore[union-attr]


def test_a_saved_column_of_text_goes_through_the_tokenizer(tmp_path: Path) -> None:
    saved(tmp_path / "d", {"sentence": ["hello", "you", "there"], "label": [0, 1, 0]})
    data = ex.load_data(f"hf:{tmp_path / 'd'}", model=model(n_classes=2))
    tune = data.splits["tune"]
    assert isinstance(tune.x, InputSet)
    tokens, labels = tune.x.named["input_ids"].tolist(), tune.y.tolist()  # type: ignore[union-attr]
    texts = {bytes(row).rstrip(b"\0").decode(): y for row, y in zip(tokens, labels, strict=True)}
    assert texts == {"hello": 0, "you": 1, "there": 0}


def test_folders_that_datasets_did_not_save_are_refused(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    with pytest.raises(ex.ExplorerError, match="no state.json") as caught:
        ex.load_data(f"hf:{tmp_path / 'd'}", model=model(n_classes=2))
    assert "save_to_disk" in caught.value.fix
    saved(tmp_path / "e", {"x": [[1.0], [1.0, 2.0]], "y": [0, 1]})
    with pytest.raises(ex.ExplorerError, match="differ in length"):
        ex.load_data(f"hf:{tmp_path / 'e'}")
    saved(tmp_path / "f", {"x": [[1.0, 2.0], [3.0, 4.0]], "y": [0, 1]})
    (tmp_path / "f" / "data-00000-of-00001.arrow").write_bytes(b"ARROW1\0\0garbage")
    with pytest.raises(ex.ExplorerError, match="damaged"):
        ex.load_data(f"hf:{tmp_path / 'f'}")
    with pytest.raises(ex.ExplorerError, match="There is nothing at"):
        ex.load_data(f"hf:{tmp_path / 'g'}")
