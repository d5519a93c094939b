"""Data that somebody brings: arrays, tables, pictures, archives, texts, saved tables, names of classes."""

from __future__ import annotations

import io
import json
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import explorer as ex
from explorer.types import Dataset, LoadedModel
from tests.data.test_texts import Bytes, saved
from tests.fuzz import containers, mutations
from tests.fuzz.kind import Kind
from tests.fuzz.weights import sample


def npz() -> list[bytes]:
    """Archives with and without splits, stored and compressed."""
    drawn = np.random.default_rng(1)
    whole = {"x": drawn.integers(0, 255, (20, 8, 8), dtype=np.uint8), "y": drawn.integers(0, 10, 20)}
    parts = {
        "x_fit": drawn.normal(size=(12, 1, 8, 8)).astype("f4"),
        "y_fit": np.arange(12) % 10,
        "x_tune": drawn.normal(size=(8, 1, 8, 8)),
        "y_tune": np.arange(8) % 10,
    }
    out = []
    for write in (np.savez, np.savez_compressed):
        for arrays in (whole, parts):
            file = io.BytesIO()
            write(file, **arrays)
            out.append(file.getvalue())
    return out


def csv() -> list[bytes]:
    """Rows of 64 pixels and a class."""
    drawn = np.random.default_rng(2)
    head = ",".join([*(f"p{i}" for i in range(64)), "label"])
    rows = [",".join([*(f"{v:.2f}" for v in drawn.random(64)), str(i % 10)]) for i in range(12)]
    return ["\n".join([head, *rows]).encode(), "\n".join([head.replace(",", ";"), *rows]).replace(",", ";").encode()]


@cache
def _pictures() -> dict[str, bytes]:
    pixels = np.random.default_rng(3).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    out = {}
    for mode in ("L", "RGB", "P", "RGBA"):
        for form in ("PNG", "JPEG", "BMP", "GIF", "WEBP"):
            if (mode, form) not in (("RGBA", "JPEG"), ("P", "JPEG")):
                file = io.BytesIO()
                Image.fromarray(pixels).convert(mode).save(file, format=form)
                out[f"{mode}.{form.lower()}"] = file.getvalue()
    return out


def pictures() -> list[bytes]:
    """Small pictures of every form that is read."""
    return list(_pictures().values())


def archives() -> list[bytes]:
    """A zip of class folders."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        for i, (name, content) in enumerate(_pictures().items()):
            out.writestr(f"{i % 10}/{name}", content)
    return [file.getvalue()]


def class_names() -> list[bytes]:
    """classes.json beside the class folders."""
    return [json.dumps({"0": 0, "1": 1}).encode(), json.dumps({"0": 7, "1": 3}).encode()]


def texts() -> list[bytes]:
    """Text in several scripts."""
    return [b"It was a bright cold day in April. " * 30, "Übung, 数字 и буквы 🙂\n".encode() * 20]


@cache
def _table() -> dict[str, bytes]:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "saved"
        saved(place, {"x": [[float(i + j) for j in range(64)] for i in range(9)], "label": [i % 3 for i in range(9)]})
        return {file.name: file.read_bytes() for file in sorted(place.iterdir())}


def tables() -> list[bytes]:
    """The columns that ``datasets`` has saved."""
    return [content for name, content in _table().items() if name.endswith(".arrow")]


def table_states() -> list[bytes]:
    """What lies beside them."""
    return [_table()["state.json"], _table()["dataset_info.json"]]


def _loaded(address: str, model: LoadedModel | None = None) -> str:
    data: Dataset = ex.load_data(address, model=model)
    for split in data.splits.values():
        split.x[: min(2, len(split))]
    return "warns" if data.findings else "opens"


def open_npz(content: bytes, folder: Path) -> str:
    """As data of a bundled model."""
    (folder / "d.npz").write_bytes(content)
    return _loaded(f"npz:{folder / 'd.npz'}", sample("digits-mlp"))


def open_csv(content: bytes, folder: Path) -> str:
    """As a table by itself."""
    (folder / "d.csv").write_bytes(content)
    return _loaded(f"csv:{folder / 'd.csv'}")


def _class_folders(folder: Path) -> Path:
    for name in "01":
        (folder / "pictures" / name).mkdir(parents=True)
        (folder / "pictures" / name / "sound.png").write_bytes(_pictures()["L.png"])
    return folder / "pictures"


def open_picture(content: bytes, folder: Path) -> str:
    """Among sound ones; its suffix says nothing of what it is."""
    root = _class_folders(folder)
    (root / "0" / "input.png").write_bytes(content)
    return _loaded(f"folder:{root}", sample("digits-cnn"))


def open_archive(content: bytes, folder: Path) -> str:
    """As pictures."""
    (folder / "d.zip").write_bytes(content)
    return _loaded(f"folder:{folder / 'd.zip'}", sample("digits-cnn"))


def open_class_names(content: bytes, folder: Path) -> str:
    """Beside sound pictures."""
    root = _class_folders(folder)
    (root / "classes.json").write_bytes(content)
    return _loaded(f"folder:{root}", sample("digits-cnn"))


@cache
def _language_model() -> LoadedModel:
    ids = torch.zeros(2, 12, dtype=torch.long)
    return ex.load(Bytes(), example={"input_ids": ids, "attention_mask": torch.ones_like(ids)})


def open_text(content: bytes, folder: Path) -> str:
    """For a language model of bytes."""
    (folder / "d.txt").write_bytes(content)
    return _loaded(f"text:{folder / 'd.txt'}", _language_model())


def open_table(content: bytes, folder: Path) -> str:
    """The columns changed; what lies beside them is sound."""
    return _with_table(folder, {"data-00000-of-00001.arrow": content})


def open_table_state(content: bytes, folder: Path) -> str:
    """What lies beside the columns changed."""
    return _with_table(folder, {"state.json" if b"_data_files" in content else "dataset_info.json": content})


def _with_table(folder: Path, changed: dict[str, bytes]) -> str:
    (folder / "saved").mkdir()
    for name, content in {**_table(), **changed}.items():
        (folder / "saved" / name).write_bytes(content)
    return _loaded(f"hf:{folder / 'saved'}")


KINDS = (
    Kind("npz", npz, containers.arrays, open_npz, 3),
    Kind("csv", csv, mutations.edited_text, open_csv, 3),
    Kind("picture", pictures, containers.picture, open_picture, 3),
    Kind("zip of pictures", archives, containers.pictures_in_zip, open_archive, 2),
    Kind("names of classes", class_names, mutations.edited_json, open_class_names, 1),
    Kind("text", texts, mutations.mutated, open_text, 1),
    Kind("saved table", tables, mutations.mutated, open_table, 2),
    Kind("state of a saved table", table_states, mutations.edited_json, open_table_state, 1),
)
