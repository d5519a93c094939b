"""Image folders in a ZIP file, and the file that says which class a folder is."""

from __future__ import annotations

import io
import json
import os
import stat
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import nn

import explorer as ex
from explorer.types import LoadedModel
from tests.data.pictures_on_disk import colour, write_classes


def packed(folder: Path, target: Path, more: Mapping[str, bytes] | None = None) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder.parent).as_posix())
        for name, content in (more or {}).items():
            archive.writestr(name, content)
    return target


def png() -> bytes:
    out = io.BytesIO()
    colour(1).save(out, format="PNG")
    return out.getvalue()


def network(n_classes: int, classes: list[str] | None = None) -> LoadedModel:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(48, n_classes))
    return ex.load(net, example=torch.zeros(1, 3, 4, 4), classes=classes)


def test_a_zipped_folder_is_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    for split in ("train", "val"):
        write_classes(folder / split, {"cat": 3, "ant": 2, "empty": 0})
    (folder / "train" / "cat" / "notes.txt").write_text("no picture")
    archive = packed(folder, tmp_path / "pictures.zip", {"__MACOSX/train/cat/._0.png": b"x"})
    before = sorted(path.name for path in tmp_path.iterdir())

    one, other = (ex.load_data(f"folder:{path}") for path in (folder, archive))

    assert one.classes == other.classes == ("ant", "cat", "empty")
    for name in ("fit", "tune"):
        assert torch.equal(one.splits[name].x, other.splits[name].x)  # type: ignore[arg-type]
        assert torch.equal(one.splits[name].y, other.splits[name].y)  # type: ignore[arg-type]
    assert [f.what for f in one.findings] == [f.what for f in other.findings]
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_archives_that_would_grow_or_lead_elsewhere_are_refused(tmp_path: Path) -> None:
    folder = write_classes(tmp_path / "p", {"a": 1, "b": 1})
    link = zipfile.ZipInfo("p/a/link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    hostile: dict[str, tuple[str | zipfile.ZipInfo, bytes]] = {
        "would grow": ("p/a/bomb.png", b"\0" * (40 << 20)),
        "lead out": ("../../evil.png", png()),
        "is a link": (link, b"/etc/passwd"),
    }
    for words, (name, content) in hostile.items():
        archive = packed(folder, tmp_path / "x.zip")
        with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as file:
            file.writestr(name, content)
        with pytest.raises(ex.ExplorerError, match=words):
            ex.load_data(f"folder:{archive}")
    assert not (tmp_path.parent / "evil.png").exists()
    (tmp_path / "no.zip").write_bytes(os.urandom(500))
    with pytest.raises(ex.ExplorerError, match="not a ZIP"):
        ex.load_data(f"folder:{tmp_path / 'no.zip'}")


def test_a_record_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    archive = packed(
        write_classes(tmp_path / "p", {"a": 1, "b": 1}), tmp_path / "x.zip", {"p/a/big.png": b"\0" * (3 << 20)}
    )
    content = bytearray(archive.read_bytes())
    at = content.rindex(b"p/a/big.png") - 46  # its entry in the central directory
    assert content[at : at + 4] == b"PK\1\2"
    content[at + 24 : at + 28] = struct.pack("<I", 100)
    archive.write_bytes(content)
    with pytest.raises(ex.ExplorerError, match=r"big.png.*cannot be read"):
        ex.load_data(f"folder:{archive}")


def test_a_classes_file_places_folders_of_other_names(tmp_path: Path) -> None:
    write_classes(tmp_path, {"katze": 2, "ameise": 3})
    model = network(3, ["ant", "bee", "cat"])
    with pytest.raises(ex.ExplorerError, match="not sure"):
        ex.load_data(f"folder:{tmp_path}", model=model)

    (tmp_path / "classes.json").write_text(json.dumps({"katze": "cat", "ameise": "ant"}))
    named = ex.load_data(f"folder:{tmp_path}", model=model)
    (tmp_path / "classes.json").unlink()
    (tmp_path / "classes.txt").write_text("ameise\nbiene\nkatze\n")
    listed = ex.load_data(f"folder:{tmp_path}", model=model)

    for data in (named, listed):
        assert data.classes == ("ant", "bee", "cat")
        tune = data.splits["tune"]
        is_cat = (tune.x[:, 0, 0, 0] * 255).round() < 10  # type: ignore[call-overload]
        assert torch.equal(tune.y == 2, is_cat) or torch.equal(tune.y == 0, is_cat)  # type: ignore[arg-type]
        assert sorted(tune.y.tolist()) == [0, 0, 0, 2, 2]  # type: ignore[union-attr]


def test_a_classes_file_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 1, "b": 1})
    cases = {"does not name b": "a\nc\n", "names 4 classes": "a\nb\nc\nd\n", "cannot be read": "a\na\n"}
    for words, content in cases.items():
        (tmp_path / "classes.txt").write_text(content)
        with pytest.raises(ex.ExplorerError, match=words):
            ex.load_data(f"folder:{tmp_path}", model=network(3))
    (tmp_path / "classes.txt").unlink()
    (tmp_path / "classes.json").write_text('{"a": 0, "b": "unknown"}')
    with pytest.raises(ex.ExplorerError, match="b has no place"):
        ex.load_data(f"folder:{tmp_path}", model=network(3))
