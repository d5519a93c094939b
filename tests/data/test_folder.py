"""Pictures in folders: read exactly, divided fairly, and looked at before they are decoded."""

from __future__ import annotations

import os
import shutil
import struct
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

from explorer import data, models
from explorer.errors import ExplorerError
from explorer.types.files.reading import launch
from tests.data.pictures_on_disk import colour, noise, write_classes


def red(dataset: data.Dataset, split: str = "tune") -> list[int]:
    return sorted((dataset.splits[split].x[:, 0, 0, 0] * 255).round().int().tolist())


def refusal(root: Path, **options: object) -> ExplorerError:
    with pytest.raises(ExplorerError) as caught:
        data.load(f"folder:{root}", **options)  # type: ignore[arg-type]
    assert "Traceback" not in str(caught.value)
    return caught.value


def test_a_flat_folder_is_the_tune_split_and_says_why_the_others_are_absent(tmp_path: Path) -> None:
    found = data.load(f"folder:{write_classes(tmp_path, {'cat': 3, 'ant': 2})}")
    assert found.classes == ("ant", "cat")
    assert list(found.splits) == ["tune"]
    assert set(found.why_no_split) == {"fit", "test"}
    assert red(found) == [0, 1, 2, 20, 21]
    assert found.images


def test_labels_are_the_places_of_the_sorted_folder_names(tmp_path: Path) -> None:
    split = data.load(f"folder:{write_classes(tmp_path, {'cat': 3, 'ant': 2})}").splits["tune"]
    assert split.y is not None
    is_cat = split.x[:, 0, 0, 0] * 255 < 10
    assert torch.equal(split.y, is_cat.long())


def test_pixels_are_divided_by_255_then_normalised(tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 1, "b": 1})
    x = data.load(f"folder:{tmp_path}", mean="0.1,0.2,0.3", std="0.5,1,2").splits["tune"].x
    first = x[x[:, 0, 0, 0].argmin()]
    expected = torch.tensor([(0 - 0.1) / 0.5, 100 / 255 - 0.2, (200 / 255 - 0.3) / 2])
    torch.testing.assert_close(first, expected.view(3, 1, 1).expand(3, 4, 4))


def test_pictures_of_the_right_size_are_not_touched(tmp_path: Path) -> None:
    write_classes(tmp_path, {"b": 1}, size=(5, 5))
    (tmp_path / "a").mkdir()
    pixels = noise(5, 5)
    Image.fromarray(pixels).save(tmp_path / "a/x.png")
    split = data.load(f"folder:{tmp_path}", size=5).splits["tune"]
    assert split.y is not None
    read = (split.x[split.y == 0][0] * 255).round().byte().permute(1, 2, 0).numpy()
    assert np.array_equal(read, pixels)


def test_other_sizes_are_scaled_by_the_short_side_and_cropped_in_the_middle(tmp_path: Path) -> None:
    picture = np.zeros((4, 8, 3), np.uint8)
    picture[:, 2:6] = 255
    for name in "ab":
        (tmp_path / name).mkdir()
        Image.fromarray(picture).save(tmp_path / name / "x.png")
    x = data.load(f"folder:{tmp_path}", size=4).splits["tune"].x
    assert torch.equal(x, torch.ones_like(x))


def test_shares_divide_a_flat_folder_into_disjoint_stratified_splits(tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 8, "b": 8})
    found = data.load(f"folder:{tmp_path}", splits="0.5/0.25/0.25")
    assert [len(found.splits[n]) for n in ("fit", "tune", "test")] == [8, 4, 4]
    assert sorted(red(found, "fit") + red(found, "tune") + red(found, "test")) == [*range(8), *range(20, 28)]
    for split in found.splits.values():
        assert split.y is not None
        assert split.y.bincount().tolist() == [len(split) // 2] * 2


def test_another_seed_divides_differently(tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 8, "b": 8})
    one, two = (data.load(f"folder:{tmp_path}", splits="0.5/0.25/0.25", seed=s) for s in (0, 1))
    assert one.digest != two.digest


@pytest.mark.parametrize("names", [("fit", "tune", "test"), ("train", "val", "test"), ("Train", "validation", "TEST")])
def test_folders_for_splits_are_the_splits(names: tuple[str, str, str], tmp_path: Path) -> None:
    for i, name in enumerate(names):
        write_classes(tmp_path / name, {"a": i + 1, "b": 1})
    found = data.load(f"folder:{tmp_path}")
    assert {n: len(s) for n, s in found.splits.items()} == {"fit": 2, "tune": 3, "test": 4}
    assert "divided already" in refusal(tmp_path, splits="0.5/0.25/0.25").what


def test_a_split_without_folder_says_so(tmp_path: Path) -> None:
    for name in ("train", "val"):
        write_classes(tmp_path / name, {"a": 1, "b": 1})
    found = data.load(f"folder:{tmp_path}")
    assert "test" not in found.splits
    assert "none for this one" in found.why_no_split["test"]


def test_a_wrapping_folder_hidden_files_and_other_files_are_innocent(tmp_path: Path) -> None:
    root = write_classes(tmp_path / "archive", {"a": 2, "b": 1})
    (tmp_path / "__MACOSX" / "a").mkdir(parents=True)
    (tmp_path / "__MACOSX" / "a" / "000.png").write_bytes(b"junk")
    (root / "a" / "._000.png").write_bytes(b"junk")
    (root / ".hidden").mkdir()
    (root / "a" / "notes.txt").write_text("x")
    found = data.load(f"folder:{tmp_path}")
    assert found.classes == ("a", "b")
    assert len(found.splits["tune"]) == 3
    assert found.meta["skipped"] == 1
    assert [(f.level, f.what) for f in found.findings] == [("ok", "1 file was passed over: 1 .txt.")]


def digits_on_disk(root: Path, names: Mapping[int, str], *, n: int = 30) -> Path:
    """The first pictures of each digit among ``names``, each in the folder of that name."""
    raw = load_digits()
    for digit, name in names.items():
        (root / name).mkdir(parents=True)
        for i in np.flatnonzero(raw.target == digit)[:n]:
            Image.fromarray((raw.images[i] / 16 * 255).astype(np.uint8)).save(root / name / f"{i}.png")
    return root


def accuracy(root: Path) -> float:
    model = models.load("digits-cnn")
    split = data.load(f"folder:{root}", model=model).splits["tune"]
    assert model.module is not None
    with torch.no_grad():
        return float(model.module(split.x).argmax(dim=1).eq(split.y).double().mean())


def whats(root: Path, **options: Any) -> str:
    return " ".join(finding.what for finding in data.load(f"folder:{root}", **options).findings)


def test_numbered_folders_are_the_classes_of_their_numbers_whichever_are_empty_or_missing(tmp_path: Path) -> None:
    all_but_3 = {digit: str(digit) for digit in range(10) if digit != 3}
    roots = {
        "missing": digits_on_disk(tmp_path / "missing", all_but_3),
        "empty": digits_on_disk(tmp_path / "empty", all_but_3),
        "three of ten": digits_on_disk(tmp_path / "three", {2: "2", 5: "5", 9: "9"}),
        "from one": digits_on_disk(tmp_path / "one", {digit: str(digit + 1) for digit in range(10)}),
    }
    (roots["empty"] / "3").mkdir()
    # Shifted by one from 3 on they would be a third; by hand, each root read in its right places is 100 %.
    assert {name: accuracy(root) for name, root in roots.items()} == dict.fromkeys(roots, 1.0)
    model = models.load("digits-cnn")
    for name in ("missing", "empty"):
        assert "1 of 10 classes has no picture: 3." in whats(roots[name], model=model)
    assert "7 of 10 classes have no picture: 0, 1, 3, 4, 6, 7, 8." in whats(roots["three of ten"], model=model)
    assert whats(roots["from one"]) == "The class folders are sorted as numbers, not as text."


def test_an_empty_folder_and_one_of_unread_pictures_keep_the_places_of_their_classes(tmp_path: Path) -> None:
    write_classes(tmp_path, {"ant": 1, "bee": 0, "cat": 0, "dog": 1})
    colour(1).save(tmp_path / "cat" / "x.tiff")
    found = data.load(f"folder:{tmp_path}")
    assert found.classes == ("ant", "bee", "cat", "dog")
    assert found.splits["tune"].y is not None
    assert sorted(found.splits["tune"].y.tolist()) == [0, 3]
    findings = [(f.level, f.what) for f in found.findings]
    assert findings == [
        ("warn", "2 of 4 classes have no picture: bee, cat."),
        ("warn", "1 file was passed over: 1 .tiff."),
    ]


def test_twelve_numbered_folders_are_sorted_as_numbers_and_that_is_said(tmp_path: Path) -> None:
    write_classes(tmp_path, {str(k): 1 for k in range(12)})
    found = data.load(f"folder:{tmp_path}")
    assert found.classes == tuple(str(k) for k in range(12))
    assert [f.what for f in found.findings] == ["The class folders are sorted as numbers, not as text."]
    padded = write_classes(tmp_path / "padded", {f"{k:02}": 1 for k in range(12)})
    assert not data.load(f"folder:{padded}").findings


def test_folder_names_are_matched_with_the_models_names_of_its_classes(tmp_path: Path) -> None:
    model = models.load("digits-cnn")
    named = replace(model, n_classes=3, meta={**model.meta, "classes": ["dog", "cat", "ant"]})
    write_classes(tmp_path / "some", {"Ant": 1, "dog": 1}, size=(8, 8))
    found = data.load(f"folder:{tmp_path / 'some'}", model=named)
    assert found.classes == ("dog", "cat", "ant")
    assert found.splits["tune"].y is not None
    assert sorted(found.splits["tune"].y.tolist()) == [0, 2]
    write_classes(tmp_path / "other", {"ant": 1, "bee": 1, "dog": 1}, size=(8, 8))
    refused = refusal(tmp_path / "other", model=named)
    assert "The folders are ant, bee, dog; the model's classes are dog, cat, ant." in refused.why


def test_named_folders_that_are_not_as_many_as_the_models_classes_are_refused_with_both_lists(tmp_path: Path) -> None:
    digits_on_disk(tmp_path / "three", {2: "two", 5: "five", 9: "nine"}, n=2)
    refused = refusal(tmp_path / "three", model=models.load("digits-cnn"))
    assert "The folders are five, nine, two; the model's classes are 0, 1, 2" in refused.why
    assert "by number, 0 to 9" in refused.fix
    write_classes(tmp_path / "eleven", {f"c{k:02}": 1 for k in range(11)}, size=(8, 8))
    assert (
        "has 11 classes, the model tells 10 apart" in refusal(tmp_path / "eleven", model=models.load("digits-cnn")).what
    )


def test_folders_for_splits_beside_others_are_not_taken_for_classes(tmp_path: Path) -> None:
    for name in ("train", "val", "labels"):
        write_classes(tmp_path / name, {"a": 1, "b": 1})
    assert "labels" in refusal(tmp_path).why


def test_pictures_beside_the_class_folders_are_counted_as_passed_over(tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 1, "b": 1})
    colour(1).save(tmp_path / "lost.png")
    assert whats(tmp_path) == "1 file was passed over: 1 .png."


@pytest.mark.parametrize("suffix", ["png", "jpg", "jpeg", "bmp", "gif", "webp"])
def test_the_listed_formats_are_read(suffix: str, tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 1, "b": 1}, suffix)
    assert data.load(f"folder:{tmp_path}").splits["tune"].x.shape == (2, 3, 4, 4)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "1", "CMYK", "LA"])
def test_every_kind_of_pixels_becomes_three_channels(mode: str, tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        suffix = "jpg" if mode == "CMYK" else "png"
        colour(255).convert("L").convert("RGB").convert(mode).save(tmp_path / name / f"x.{suffix}")
    assert data.load(f"folder:{tmp_path}").splits["tune"].x.shape == (2, 3, 4, 4)


def test_sixteen_bits_a_pixel_are_scaled_and_not_clipped(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        Image.fromarray(np.full((4, 4), 128 * 256, np.uint16)).save(tmp_path / name / "x.png")
    x = data.load(f"folder:{tmp_path}").splits["tune"].x
    torch.testing.assert_close(x, torch.full_like(x, 128 / 255))


def test_a_model_brings_its_size_channels_and_normalisation(tmp_path: Path) -> None:
    write_classes(tmp_path, {"0": 1, "1": 1}, size=(16, 16))
    found = data.load(f"folder:{tmp_path}", model=models.load("digits-cnn"))
    assert found.splits["tune"].x.shape == (2, 1, 8, 8)
    assert (found.meta["size"], found.meta["mean"], found.meta["std"]) == (8, [0.3053], [0.3761])


def test_what_the_user_gives_overrides_the_model(tmp_path: Path) -> None:
    write_classes(tmp_path, {"0": 1, "1": 1}, size=(8, 8))
    found = data.load(f"folder:{tmp_path}", model=models.load("digits-cnn"), mean=0.5, std=0.25)
    assert (found.meta["mean"], found.meta["std"]) == ([0.5], [0.25])


def test_pictures_of_many_sizes_need_a_size(tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 1}, size=(4, 4))
    write_classes(tmp_path, {"b": 1}, size=(8, 8))
    assert "size 224" in refusal(tmp_path).fix


@pytest.mark.parametrize(
    ("options", "word"), [({"mean": "1,2"}, "2 numbers"), ({"std": 0}, "cannot divide"), ({"std": "-1"}, "divide")]
)
def test_normalisation_that_cannot_be_is_refused(options: dict[str, object], word: str, tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 1, "b": 1})
    assert word in str(refusal(tmp_path, **options))


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("edges", [(10_000, 10_000), (100_000, 100_000), (2**31 - 1, 1)])
def test_a_picture_that_claims_too_many_pixels_is_refused_before_decoding(
    edges: tuple[int, int], tmp_path: Path
) -> None:
    write_classes(tmp_path, {"a": 1, "b": 1})
    (tmp_path / "a" / "bomb.png").write_bytes(png_header(*edges))
    assert "a/bomb.png" in refusal(tmp_path, size=4).what
    assert "a/bomb.png" in refusal(tmp_path).what


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"\x89PNG\r\n\x1a\n", png_header(4, 4), b"%!PS-Adobe-3.0 EPSF-3.0\n"]
)
def test_a_damaged_picture_is_named(content: bytes, tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 1, "b": 1})
    (tmp_path / "b" / "broken.png").write_bytes(content)
    assert "b/broken.png" in refusal(tmp_path, size=4).what


def test_a_format_that_is_not_listed_is_not_decoded_whatever_its_name(tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 1, "b": 1})
    colour(1).save(tmp_path / "a" / "x.png", format="TIFF")
    assert "a/x.png" in refusal(tmp_path).what


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    root = write_classes(tmp_path / "data", {"a": 1, "b": 1})
    colour(9).save(tmp_path / "secret.png")
    (root / "a" / "link.png").symlink_to(tmp_path / "secret.png")
    assert "a/link.png" in refusal(root).what


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe_among_the_pictures_is_refused_at_once(tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 1, "b": 1})
    os.mkfifo(tmp_path / "a" / "pipe.png")
    assert "a/pipe.png" in refusal(tmp_path).what


def test_a_folder_without_classes_is_refused(tmp_path: Path) -> None:
    assert "no pictures" in refusal(tmp_path).what
    colour(1).save(tmp_path / "x.png")
    assert "one subfolder per class" in refusal(tmp_path).fix
    write_classes(tmp_path, {"only": 2})
    assert "only the class 'only'" in refusal(tmp_path).what


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("x")
    assert "not a folder" in refusal(tmp_path / "x").what


def test_more_than_fits_into_memory_is_refused_before_decoding(tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 40, "b": 40})
    assert "GiB" in refusal(tmp_path, size=4096).what


def test_pictures_are_read_by_another_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_classes(tmp_path, {"a": 1, "b": 1})
    monkeypatch.setattr(launch.sys, "executable", shutil.which("false"))
    with pytest.raises(ExplorerError, match="broke the reader"):
        data.load(f"folder:{tmp_path}")
