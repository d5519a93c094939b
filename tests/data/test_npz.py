"""Arrays: what the header says is checked before anything is loaded."""

from __future__ import annotations

import io
import shutil
import struct
import tracemalloc
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from explorer import data, models
from explorer.errors import ExplorerError
from explorer.types.files.reading import arrays, launch
from explorer.types.files.reading.answer import report_in


def saved(tmp_path: Path, **arrays: Any) -> str:
    np.savez(tmp_path / "d.npz", **arrays)
    return f"npz:{tmp_path / 'd.npz'}"


def refusal(address: str, **options: Any) -> ExplorerError:
    with pytest.raises(ExplorerError) as caught:
        data.load(address, **options)
    assert "allow_pickle" not in str(caught.value)
    return caught.value


def test_floats_are_taken_as_they_are(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
    split = data.load(saved(tmp_path, x=x, y=np.arange(6) % 2)).splits["tune"]
    assert split.y is not None
    label_of = {tuple(row): i % 2 for i, row in enumerate(x.tolist())}
    assert [label_of[tuple(row)] for row in split.x.tolist()] == split.y.tolist()
    assert split.y.bincount().tolist() == [3, 3]


@pytest.mark.parametrize("shape", [(6,), (6, 3)])
def test_numbers_to_predict_stay_numbers_beside_their_samples(shape: tuple[int, ...], tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
    y = x.sum(axis=1) if len(shape) == 1 else x[:, :3] + 0.5
    dataset = data.load(saved(tmp_path, x=x, y=y))
    split = dataset.splits["tune"]
    assert (dataset.classes, split.y.dtype, split.y.shape) == ((), torch.float32, shape)
    wanted = split.x.sum(dim=1) if len(shape) == 1 else split.x[:, :3] + 0.5
    assert torch.allclose(split.y, wanted)


def test_whole_numbers_in_the_shape_of_x_are_the_tokens_that_follow(tmp_path: Path) -> None:
    texts = np.random.default_rng(0).integers(50_257, size=(7, 9))
    y = np.concatenate([texts[:, 1:], np.full((7, 1), -100)], axis=1)
    dataset = data.load(saved(tmp_path, x=texts, y=y), splits="0.5/0.25/0.25")
    for split in dataset.splits.values():
        assert split.x.dtype == split.y.dtype == torch.int64
        assert torch.equal(split.x[:, 1:], split.y[:, :-1])
        assert bool((split.y[:, -1] == -100).all())
    assert dataset.classes == ()


def test_whole_numbers_as_features_with_one_class_each_are_no_tokens(tmp_path: Path) -> None:
    split = data.load(saved(tmp_path, x=np.arange(12).reshape(4, 3), y=np.array([0, 1, 1, 0]))).splits["tune"]
    assert (split.x.dtype, split.y.tolist().count(1)) == (torch.float32, 2)


def test_bytes_are_divided_by_255_and_normalised_as_the_model_wants(tmp_path: Path) -> None:
    x = np.full((4, 8, 8), 51, np.uint8)
    split = data.load(saved(tmp_path, x=x, y=np.arange(4)), model=models.load("digits-cnn")).splits["tune"]
    torch.testing.assert_close(split.x, torch.full((4, 1, 8, 8), (0.2 - 0.3053) / 0.3761))


def test_channels_last_is_turned_when_the_model_wants_them_first(tmp_path: Path) -> None:
    model = models.load("digits-cnn")
    split = data.load(saved(tmp_path, x=np.ones((4, 8, 8, 1)), y=np.arange(4)), model=model).splits["tune"]
    assert split.x.shape == (4, 1, 8, 8)


def test_arrays_for_splits_are_the_splits(tmp_path: Path) -> None:
    pairs = {
        f"{a}_{s}": np.zeros((n, 3)) if a == "x" else np.zeros(n, int)
        for s, n in (("train", 5), ("val", 3), ("test", 2))
        for a in "xy"
    }
    found = data.load(saved(tmp_path, **pairs))
    assert {n: len(s) for n, s in found.splits.items()} == {"fit": 5, "tune": 3, "test": 2}


def test_without_labels_there_is_no_y(tmp_path: Path) -> None:
    assert data.load(saved(tmp_path, x=np.zeros((4, 3)))).splits["tune"].y is None


@pytest.mark.parametrize("dtype", [">f4", "<f8", ">i2", "f2", "bool"])
def test_every_plain_type_of_number_is_read(dtype: str, tmp_path: Path) -> None:
    split = data.load(saved(tmp_path, x=np.ones((3, 2), dtype), y=np.array([0, 1, 1], ">i8"))).splits["tune"]
    assert torch.equal(split.x, torch.ones(3, 2))


@pytest.mark.parametrize(
    ("arrays", "word"),
    [
        ({"a": np.zeros(3)}, "neither x nor y"),
        ({"x": np.zeros(3)}, "shape"),
        ({"x": np.zeros((3, 2)), "y": np.zeros(2, int)}, "3 samples"),
        ({"x": np.zeros((0, 2)), "y": np.zeros(0, int)}, "0 samples"),
        ({"x": np.zeros((3, 2)), "y": np.array([0.5, np.nan, 2])}, "finite numbers"),
        ({"x": np.zeros((3, 2)), "y": np.array([-1, 1, 2])}, "one class per sample"),
        ({"x": np.zeros((3, 2)), "y": np.eye(3, dtype=int) + 1}, "one class per sample"),
        ({"x": np.full((3, 2), np.nan)}, "NaN"),
        ({"x": np.array([["a", "b"]])}, "plain numbers"),
        ({"x": np.zeros((3, 2)), "x_fit": np.zeros((3, 2))}, "It holds x, x_fit"),
    ],
)
def test_arrays_that_are_no_data_are_refused(arrays: dict[str, Any], word: str, tmp_path: Path) -> None:
    assert word in refusal(saved(tmp_path, **arrays)).why


def read(tmp_path: Path, y: Any, n_outputs: int | None = None, task: str | None = None) -> tuple[Any, str]:
    """The labels in the order of the rows, and what was said about them."""
    model = None if n_outputs is None else replace(models.load("digits-mlp"), example=None, n_classes=n_outputs)
    x = np.arange(2.0 * len(y)).reshape(-1, 2)
    found = data.load(saved(tmp_path, x=x, y=y), model=model, task=task)
    split = found.splits["tune"]
    assert split.y is not None
    return split.y[split.x[:, 0].argsort()], " ".join(f.what for f in found.findings)


def test_one_hot_rows_are_classes_whatever_their_type_unless_numbers_are_stated(tmp_path: Path) -> None:
    classes = [0, 2, 1, 1, 0]
    for kind in ("f4", "f8", "i8", "u1", "bool"):
        y, what = read(tmp_path, np.eye(3)[classes].astype(kind))
        assert (y.dtype, y.tolist(), what) == (torch.int64, classes, "y holds one-hot rows: read as 3 classes.")
    stated, what = read(tmp_path, np.eye(3)[classes], task="numbers")
    assert (stated.dtype, tuple(stated.shape), what) == (torch.float32, (5, 3), "")
    _, what = read(tmp_path, np.array([[1.0, 1], [0, 1]]))
    assert "not one-hot: read as numbers to predict" in what


def test_whole_numbers_are_to_be_predicted_where_the_model_has_one_output_unless_classes_are_stated(
    tmp_path: Path,
) -> None:
    ages = np.arange(347) * 3 - 20
    y, what = read(tmp_path, ages, n_outputs=1)
    assert (y.dtype, y.tolist()) == (torch.float32, ages.tolist())
    assert "347 different whole numbers: read as numbers to predict" in what
    y, what = read(tmp_path, np.array([0, 1, 1, 0]), n_outputs=1)
    assert (y.dtype, "class 1 where the output is above 0" in what) == (torch.int64, True)
    y, what = read(tmp_path, np.array([0, 1, 1, 0]), n_outputs=1, task="numbers")
    assert (y.dtype, what) == (torch.float32, "")
    y, _ = read(tmp_path, np.array([0.0, 1, 2]), task="classes")
    assert y.dtype == torch.int64
    _, what = read(tmp_path, np.arange(347))
    assert "347 different whole numbers for 347 samples: read as classes" in what


def test_labels_that_start_at_1_are_refused_with_that_word_or_said(tmp_path: Path) -> None:
    for y, n_outputs in (([1, 2, 3, 3], 3), ([1, 2, 2], 1), ([1, 2, 2], 2)):
        with pytest.raises(ExplorerError, match="The labels start at 1"):
            read(tmp_path, np.array(y), n_outputs=n_outputs)
    with pytest.raises(ExplorerError, match="-1 and 1"):
        read(tmp_path, np.array([-1, 1, 1]), n_outputs=1)
    assert "No sample is of class 0" in read(tmp_path, np.array([1, 2, 3]))[1]


def test_a_stated_task_that_cannot_be_is_refused(tmp_path: Path) -> None:
    for y, task in (
        ([0.5, 1], "classes"),
        ([[0.5, 1], [1, 1]], "tokens"),
        ([0, 1], "tokens"),
        ([[1, 1], [0, 1]], "classes"),
    ):
        with pytest.raises(ExplorerError, match="y does not hold"):
            read(tmp_path, np.array(y), task=task)
    assert "is not a task" in refusal("digits", task="colours").what
    assert "cannot be read as numbers" in refusal("digits", task="numbers").what
    y, _ = read(tmp_path, np.array([[0, 1], [1, 0]]), task="tokens")
    assert y.tolist() == [[0, 1], [1, 0]]


def test_a_table_of_bytes_is_taken_as_it_is_and_that_is_said(tmp_path: Path) -> None:
    address = saved(tmp_path, x=np.array([[0, 255], [51, 102]], np.uint8), y=np.array([0, 1]))
    found = data.load(address)
    assert sorted(found.splits["tune"].x.tolist()) == [[0, 255], [51, 102]]
    assert [f.what for f in found.findings] == ["x is a table of bytes: taken as it is, not divided by 255."]
    scaled = data.load(address, std=255)
    assert sorted(scaled.splits["tune"].x.tolist())[0] == [0, 1]
    assert not scaled.findings


def test_python_objects_are_never_loaded(tmp_path: Path) -> None:
    marker = tmp_path / "ran"

    class Payload:
        def __reduce__(self) -> Any:
            return (open, (str(marker), "w"))

    np.savez(tmp_path / "d.npz", x=np.array([[Payload()]], dtype=object))
    assert "plain numbers" in refusal(f"npz:{tmp_path / 'd.npz'}").why
    assert not marker.exists()


def with_header(tmp_path: Path, shape: str, body: bytes) -> str:
    """An archive whose x claims a shape."""
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    record = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + body
    with zipfile.ZipFile(tmp_path / "d.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", record)
    return f"npz:{tmp_path / 'd.npz'}"


@pytest.mark.parametrize("shape", ["(1000000, 1000000)", "(3, 2)", "(2, -1)", "('a', 2)"])
def test_a_header_that_does_not_match_the_record_is_refused(shape: str, tmp_path: Path) -> None:
    assert refusal(with_header(tmp_path, shape, bytes(16))).fix


def test_a_header_that_matches_is_read(tmp_path: Path) -> None:
    assert data.load(with_header(tmp_path, "(2, 1)", bytes(16))).splits["tune"].x.shape == (2, 1)


def test_more_than_fits_is_refused_before_loading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.data.request.MAX_BYTES", 1000)
    assert "memory" in refusal(saved(tmp_path, x=np.zeros((1000, 2)))).what


def test_two_records_of_one_name_are_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    np.save(out, np.zeros((2, 2)))
    with zipfile.ZipFile(tmp_path / "d.npz", "w") as archive:
        archive.writestr("x.npy", out.getvalue())
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("x.npy", out.getvalue())
    assert "two records" in refusal(f"npz:{tmp_path / 'd.npz'}").why


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04" + bytes(50)])
def test_what_is_no_archive_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "d.npz").write_bytes(content)
    assert "not a NumPy archive" in refusal(f"npz:{tmp_path / 'd.npz'}").why


def test_a_flipped_bit_in_the_numbers_is_noticed(tmp_path: Path) -> None:
    address = saved(tmp_path, x=np.ones((50, 50)))
    content = bytearray((tmp_path / "d.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "d.npz").write_bytes(content)
    assert "damaged" in refusal(address).why


def test_arrays_take_no_size(tmp_path: Path) -> None:
    assert "not scaled" in refusal(saved(tmp_path, x=np.zeros((3, 2))), size=8).what


HEADERS = (
    *("{'descr': '<f4', 'fortran_order': False, 'shape': (4, 3", "{'descr': [('a','<f4')], 'fortran_order': 0}"),
    *("{'descr': '<f4', 'fortran_order': None, 'shape': (4, 3)}", "{'descr': '<f4', 'shape': (4, 3)}"),
    *("{'descr': ('<f4', (2,)), 'fortran_order': False, 'shape': (2, 3)}", "(" * 200, "None", "[]", "{'descr'"),
    *(
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-4, -3)}",
        "{'descr': (), 'fortran_order': False, 'shape': ()}",
    ),
    *(
        "{'descr': '|O', 'fortran_order': False, 'shape': (6,)}",
        "{'descr': '<M8[s]', 'fortran_order': 0, 'shape': (6,)}",
    ),
    *(
        "{'descr': None, 'fortran_order': False, 'shape': (4, 3)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': 4}",
    ),
    *(
        "{'descr': '<V8', 'fortran_order': False, 'shape': (6,)}",
        "{'descr': 7, 'fortran_order': False, 'shape': (1e400,)}",
    ),
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2**60, 2)}",
)


def record(text: str, version: bytes = b"\x01\x00") -> bytes:
    size = struct.pack("<H" if version == b"\x01\x00" else "<I", len(text) + 1)
    return b"\x93NUMPY" + version + size + text.encode() + b"\n" + bytes(48)


def test_no_header_whatever_it_says_is_more_than_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The reading process does this with every file; here it is done without a process, and so without its limits.
    for limit in ("start_clocks", "restrict"):
        monkeypatch.setattr(arrays, limit, lambda *_: None)
    for n, header in enumerate([*map(record, HEADERS), record("{}", b"\x09\x00"), b"", b"\x93NUM", bytes(9)]):
        path = tmp_path / f"{n}.npz"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x.npy", header)
        assert arrays.main(str(path), str(tmp_path)) == 0
        assert {"why", "fix"} <= report_in(tmp_path).keys(), header


def test_a_small_archive_that_unpacks_to_much_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "z.npz", x=np.zeros((80 * 2**20, 1), np.uint8))
    assert (tmp_path / "z.npz").stat().st_size < 2**18
    assert "Unpacked it would take 80 MiB" in refusal(f"npz:{tmp_path / 'z.npz'}").why


def test_arrays_stored_by_columns_have_their_numbers_in_their_places(tmp_path: Path) -> None:
    x = np.arange(12.0).reshape(4, 3)
    split = data.load(saved(tmp_path, x=np.asfortranarray(x), y=np.arange(4))).splits["tune"]
    assert [split.x[split.y.tolist().index(i)].tolist() for i in range(4)] == x.tolist()


def test_arrays_are_read_by_another_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = saved(tmp_path, x=np.zeros((4, 3)))
    monkeypatch.setattr(launch.sys, "executable", shutil.which("false"))
    assert "broke the reader" in refusal(address).why


def test_a_label_of_any_size_takes_no_memory_of_its_size(tmp_path: Path) -> None:
    """A list of 1 to the largest label took 1.4 GB for 50,000,000, and 8 TB for a flipped bit higher up."""
    y = np.arange(1, 21)
    for largest in (50_000_000, 2**40, 2**62):
        y[-1] = largest
        address = saved(tmp_path, x=np.zeros((20, 4), np.float32), y=y)
        tracemalloc.start()
        try:
            with pytest.raises(ExplorerError):
                data.load(address)
            assert tracemalloc.get_traced_memory()[1] < 50e6
        finally:
            tracemalloc.stop()
