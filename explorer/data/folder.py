"""Pictures on disk, one folder per class, divided into splits or not."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from explorer.data.read_apart import decoded_apart
from explorer.data.request import DataRequest, check_total, normalise
from explorer.data.splitting import NAMES, counts, make_splits, ordered, tensors
from explorer.errors import ExplorerError
from explorer.types import Dataset, Split, SplitName, tensors_digest

SPLIT_FOLDERS: dict[str, SplitName] = {
    "fit": "fit",
    "train": "fit",
    "tune": "tune",
    "val": "tune",
    "valid": "tune",
    "validation": "tune",
    "test": "test",
}
SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp"}
JUNK = {"__MACOSX", "@eaDir", "__pycache__"}
MAX_PICTURES = 500_000

Files = list[tuple[Path, str]]


@dataclass(frozen=True)
class Folder:
    """One folder per class; PNG, JPEG, BMP, GIF and WEBP.

    Labels are the positions of the sorted folder names. With fit/tune/test (or train/val/test)
    folders above the class folders, these are the splits; otherwise every picture is in the
    tune split unless ``splits`` divides them. Pictures of another size than ``size`` are scaled
    by their short side and cropped in the middle.
    """

    key: ClassVar[str] = "folder"
    form: ClassVar[str] = "folder:PATH"

    def load(self, request: DataRequest) -> Dataset:
        """x: (n, channels, size, size) float32, y: (n,) int64 positions in ``classes``."""
        root = request.path
        if not root.is_dir():
            raise ExplorerError(f"{request.place!r} is not a folder.", fix="Name the folder that holds the classes.")
        parts, n_skipped = _listing(root)
        classes = tuple(sorted({label for files in parts.values() for _, label in files}))
        _check_classes(root, classes)
        n_channels = _n_channels(request)
        mean, std = request.normalisation(n_channels)
        pixels = _decoded(root, parts, request, n_channels)
        size = pixels.shape[-1]
        places = {label: place for place, label in enumerate(classes)}
        loaded: dict[str, tuple[Tensor, Tensor]] = {}
        start = 0
        for name, files in parts.items():
            y = torch.tensor([places[label] for _, label in files])
            part = pixels[start : start + len(files)].float().div_(255)
            loaded[name] = (normalise(part, mean, std), y)
            start += len(files)
        splits, why_not = _splits(loaded, request)
        meta = {
            "size": size,
            "channels": n_channels,
            "mean": list(mean),
            "std": list(std),
            "splits": None if request.splits is None else list(request.splits),
            "seed": request.seed,
            "n": counts(splits),
            "skipped": n_skipped,
        }
        digest = tensors_digest(tensors(splits))
        return Dataset(request.address, splits, classes, digest, why_not, meta, images=True)


def _decoded(root: Path, parts: Mapping[str, Files], request: DataRequest, n_channels: int) -> Tensor:
    """(n, channels, size, size) uint8: the pictures of all parts, one part after the other."""
    files = [path for part in parts.values() for path, _ in part]
    size = request.size or request.from_model("size")
    if size is not None:
        check_total(len(files) * n_channels * size * size * 4, request.address)
    return decoded_apart(root, files, size, n_channels, request.address)


def _n_channels(request: DataRequest) -> int:
    shape = request.from_model("input_shape")
    return 1 if shape and len(shape) == 3 and shape[0] == 1 else 3


def _splits(
    loaded: Mapping[str, tuple[Tensor, Tensor]], request: DataRequest
) -> tuple[dict[str, Split], dict[str, str]]:
    if "" in loaded:
        return make_splits(*loaded[""], request.splits, request.seed)
    if request.splits is not None:
        raise ExplorerError(
            f"{request.address} is divided already, by its folders.",
            fix="Leave splits out, or name a folder that holds the classes directly.",
        )
    present: dict[str, Split] = {name: ordered(name, *loaded[name], request.seed) for name in NAMES if name in loaded}
    why = "The data has folders for splits, but none for this one."
    return present, {name: why for name in NAMES if name not in present}


def _listing(root: Path) -> tuple[dict[str, Files], int]:
    """The pictures of each split (or of "" when undivided) with their class, and how many files were no pictures."""
    folders = _folders(root, root)
    while len(folders) == 1 and folders[0].name.lower() not in SPLIT_FOLDERS and _folders(root, folders[0]):
        folders = _folders(root, folders[0])  # a wrapping folder, as unpacked archives have
    names = {folder.name.lower() for folder in folders}
    divided = bool(names) and names <= SPLIT_FOLDERS.keys()
    parts: dict[str, Files] = {}
    n_skipped = 0
    for folder in folders:
        split = SPLIT_FOLDERS[folder.name.lower()] if divided else ""
        for class_folder in _folders(root, folder) if divided else [folder]:
            files, n_other = _pictures(root, class_folder)
            n_skipped += n_other
            if files:
                parts.setdefault(split, []).extend((path, class_folder.name) for path in files)
    n_files = sum(len(files) for files in parts.values())
    if not n_files or n_files > MAX_PICTURES:
        raise ExplorerError(
            f"{root.name!r} holds {n_files or 'no'} pictures in folders of classes.",
            why=f"From 1 to {MAX_PICTURES:,} can be loaded.",
            fix="Name a folder with one subfolder per class, each holding PNG, JPEG, BMP, GIF or WEBP files.",
        )
    return parts, n_skipped


def _folders(root: Path, folder: Path) -> list[Path]:
    """The folders in one, sorted; ExplorerError for a link to one that lies elsewhere."""
    visible = (p for p in folder.iterdir() if p.name not in JUNK and not p.name.startswith("."))
    folders = sorted((p for p in visible if p.is_dir()), key=lambda p: p.name)
    for path in folders:
        if not path.resolve().is_relative_to(root):
            raise _leads_out(root, path)
    return folders


def _pictures(root: Path, folder: Path) -> tuple[list[Path], int]:
    """The pictures below a class folder, sorted, and how many other files were passed over."""
    pictures, n_other = [], 0
    for path in sorted(folder.rglob("*")):
        if path.is_dir() or JUNK & set(path.parts) or path.name.startswith("."):
            continue
        if path.suffix.lower() not in SUFFIXES:
            n_other += 1
            continue
        _check_inside(root, path)
        pictures.append(path)
    return pictures, n_other


def _check_inside(root: Path, path: Path) -> None:
    """A link must not lead out of the folder, and a pipe would block for ever."""
    real = path.resolve()
    if not real.is_relative_to(root) or not real.exists() or not stat.S_ISREG(real.stat().st_mode):
        raise _leads_out(root, path)


def _leads_out(root: Path, path: Path) -> ExplorerError:
    return ExplorerError(
        f"{path.relative_to(root).as_posix()!r} is not a file or folder inside {root.name!r}.",
        why="Links that lead elsewhere and special files are not opened.",
        fix="Copy what it leads to into the folder, or remove it.",
    )


def _check_classes(root: Path, classes: tuple[str, ...]) -> None:
    if len(classes) < 2:
        raise ExplorerError(
            f"{root.name!r} holds only the class {classes[0]!r}.",
            why="Labels are the positions of the sorted class folders, so all of them must be there.",
            fix="Name the folder above the class folders.",
        )
