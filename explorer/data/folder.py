"""Pictures on disk, one folder per class, divided into splits or not."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from explorer.data.class_places import ClassPlaces, class_places
from explorer.data.classes_file import mapping_in
from explorer.data.lazy_pictures import FIRST, LazyPictures, Shelf
from explorer.data.picture_trees import Tree, tree_at
from explorer.data.read_apart import Pixels, decoded_apart
from explorer.data.request import DataRequest, check_total, normalise, refuse_task
from explorer.data.splitting import NAMES, counts, make_splits, ordered, tensors
from explorer.errors import ExplorerError
from explorer.text.names import listed
from explorer.types import Dataset, Finding, Inputs, Split, SplitName, tensors_digest
from explorer.types.files.reading.fitting import Fitting
from explorer.types.inputs import LazySamples

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
OTHER_PICTURES = {
    ".tif",
    ".tiff",
    ".heic",
    ".heif",
    ".avif",
    ".jp2",
    ".ppm",
    ".pgm",
    ".pbm",
    ".tga",
    ".jfif",
    ".jxl",
    ".dng",
}
MAX_PICTURES = 500_000
LAZY_BYTES = 512 << 20  # of float32: more are decoded when they are asked for

Files = list[tuple[Path, str]]


@dataclass(frozen=True)
class Listing:
    """The pictures of each split (or of "" when undivided) with their class; all class folders, empty ones too.

    ``top`` is the folder that holds classes or splits. ``passed_over`` counts the files that are not read, by class
    folder ("" for those in none) and suffix.
    """

    top: Path
    parts: dict[str, Files] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    passed_over: dict[str, Counter[str]] = field(default_factory=dict)

    def pass_over(self, folder: str, suffixes: Counter[str]) -> None:
        """Count files that are not read."""
        self.passed_over.setdefault(folder, Counter()).update(suffixes)

    @property
    def n_pictures(self) -> Counter[str]:
        """How many pictures each class folder holds, over all splits."""
        return Counter(label for files in self.parts.values() for _, label in files)


@dataclass(frozen=True)
class Folder:
    """One folder per class, on disk or in a ZIP file, which is never unpacked; PNG, JPEG, BMP, GIF and WEBP.

    A class keeps its place where its folder is empty; see :func:`explorer.data.class_places.class_places` for
    the places; a file ``classes.txt`` beside the class folders names them in the model's order. With fit/tune/test
    (or train/val/test) folders above the class folders, these are the splits; otherwise every picture is in the
    tune split unless ``splits`` divides them. Pictures of another size than ``size`` are scaled
    by their short side and cropped in the middle, or as the model's library does it.
    """

    key: ClassVar[str] = "folder"
    form: ClassVar[str] = "folder:PATH"

    def load(self, request: DataRequest) -> Dataset:
        """x: (n, channels, size, size) float32, y: (n,) int64 positions in ``classes``."""
        refuse_task(request, but="classes", what="Pictures in folders have one class each.")
        root = request.path
        tree = tree_at(root, request.address)
        listing = _listing(tree)
        at = class_places(tuple(listing.folders), request.model, request.address, mapping_in(tree, listing.top))
        _check_classes(root, at.classes)
        parts = listing.parts
        labels = {name: torch.tensor([at.places[label] for _, label in files]) for name, files in parts.items()}
        read = _pictures(root, parts, request)
        splits, why_not = _splits({name: (read.of[name], y) for name, y in labels.items()}, request)
        n_channels, size, mean, std = len(read.mean), read.size, read.mean, read.std
        meta = {
            "size": size,
            "channels": n_channels,
            "mean": list(mean),
            "std": list(std),
            "splits": None if request.splits is None else list(request.splits),
            "seed": request.seed,
            "n": counts(splits),
            "skipped": sum(counter.total() for counter in listing.passed_over.values()),
        }
        digest = _digest(splits, read)
        findings = (*read.findings, *at.findings, *_without_pictures(listing, at), *_passed_over(listing))
        return Dataset(request.address, splits, at.classes, digest, why_not, meta, images=True, findings=findings)


def _without_pictures(listing: Listing, at: ClassPlaces) -> tuple[Finding, ...]:
    """The classes that no picture shows: their places are theirs all the same."""
    name_of = {place: name for name, place in at.places.items()}
    empty = [i for i in range(len(at.classes)) if not listing.n_pictures[name_of.get(i, "")]]
    if not empty:
        return ()
    n_absent = sum(i not in name_of for i in empty)
    which = listed([at.classes[i] for i in empty], 8)
    what = f"{len(empty)} of {len(at.classes)} classes {'has' if len(empty) == 1 else 'have'} no picture: {which}."
    evidence = (
        f"{len(empty) - n_absent} of their folders are empty, {n_absent} are missing; no other class's label moves."
    )
    return (Finding("warn", what, evidence, "Add their pictures, or read the accuracy as that of the other classes."),)


def _passed_over(listing: Listing) -> tuple[Finding, ...]:
    """How many files of which kinds were not read."""
    total = sum(listing.passed_over.values(), Counter[str]())
    if not total:
        return ()
    kinds = listed([f"{n:,} {suffix or 'without suffix'}" for suffix, n in total.most_common()], 8)
    where = listed([name or "no class folder" for name in sorted(listing.passed_over)], 8)
    read = "PNG, JPEG, BMP, GIF and WEBP"
    are_pictures = bool((OTHER_PICTURES | SUFFIXES) & total.keys())
    n = total.total()
    what = f"{n:,} {'file was' if n == 1 else 'files were'} passed over: {kinds}."
    evidence = f"In {where}; {read} in class folders are read."
    action = f"Save them as one of {read}, inside class folders." if are_pictures else ""
    return (Finding("warn" if are_pictures else "ok", what, evidence, action),)


@dataclass(frozen=True, eq=False)
class _Read:
    """The pictures of each part, as they lie on disk: normalised at once, or when they are asked for."""

    of: Mapping[str, Inputs]
    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    shelf: Shelf | None = None
    fitting: Fitting | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """How pictures are prepared where the model says it, and that they are decoded when they are asked for."""
        prepared = () if self.fitting is None else (Finding("ok", f"Pictures are fitted: {self.fitting.sentence}"),)
        return (*prepared, *self._decoding)

    @property
    def _decoding(self) -> tuple[Finding, ...]:
        if self.shelf is None:
            return ()
        n, stay = len(self.shelf.files), self.shelf.limit / 2**20
        what = f"{n:,} pictures are decoded when they are needed; up to {stay:,.0f} MB of them stay in memory."
        return (Finding("ok", what, "One that is damaged is named when its turn comes, and nothing is measured then."),)


def _pictures(root: Path, parts: Mapping[str, Files], request: DataRequest) -> _Read:
    """Decoded at once where they take little memory, else when they are asked for."""
    files = [path for part in parts.values() for path, _ in part]
    n_channels = _n_channels(request)
    mean, std = request.normalisation(n_channels)
    fitting = Fitting.of(request.from_model("preprocess")) if request.size is None else None
    size = request.size or (fitting.edge if fitting else request.from_model("size"))
    if size is not None and len(files) * n_channels * size * size * 4 > LAZY_BYTES:
        check_total(min(len(files), FIRST) * n_channels * size * size * 4, request.address)  # evaluated together
        shelf = Shelf(root, files, size, mean, std, request.address, fitting)
        lazy = {name: LazyPictures(shelf, places) for name, places in _places(parts).items()}
        return _Read(lazy, size, mean, std, shelf, fitting)
    pixels = decoded_apart(root, files, Pixels(size, n_channels, fitting), request.address)
    check_total(4 * pixels.numel(), request.address)
    at_once = {name: normalise(pixels[at].float().div_(255), mean, std) for name, at in _places(parts).items()}
    return _Read(at_once, pixels.shape[-1], mean, std, fitting=fitting)


def _places(parts: Mapping[str, Files]) -> dict[str, Tensor]:
    """Where the pictures of each part are among all of them."""
    places, start = {}, 0
    for name, files in parts.items():
        places[name] = torch.arange(start, start + len(files))
        start += len(files)
    return places


def _digest(splits: Mapping[str, Split], read: _Read) -> str:
    if read.shelf is None:
        return tensors_digest(tensors(splits))
    labels = {f"{name}.y": split.y for name, split in splits.items() if split.y is not None}
    parts = [split.x.digest for split in splits.values() if isinstance(split.x, LazySamples)]
    return hashlib.sha256(json.dumps([tensors_digest(labels), parts]).encode()).hexdigest()[:16]


def _n_channels(request: DataRequest) -> int:
    shape = request.from_model("input_shape")
    return 1 if shape and len(shape) == 3 and shape[0] == 1 else 3


def _splits(
    loaded: Mapping[str, tuple[Inputs, Tensor]], request: DataRequest
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


def _listing(tree: Tree) -> Listing:
    """Everything below the root that is a picture of a class, and a count of what is not."""
    root = tree.root
    top, folders = root, tree.folders(root)
    while len(folders) == 1 and folders[0].name.lower() not in SPLIT_FOLDERS and tree.folders(folders[0]):
        top, folders = folders[0], tree.folders(folders[0])  # a wrapping folder, as unpacked archives have
    listing = Listing(top)
    divided = _are_splits(root, folders)
    for parent in [top, *folders] if divided else [top]:
        if loose := _loose(tree, parent):
            listing.pass_over("", loose)
    for folder in folders:
        split = SPLIT_FOLDERS[folder.name.lower()] if divided else ""
        for class_folder in tree.folders(folder) if divided else [folder]:
            _take(listing, tree, class_folder, split)
    n_files = listing.n_pictures.total()
    if not n_files or n_files > MAX_PICTURES:
        raise ExplorerError(
            f"{root.name!r} holds {n_files or 'no'} pictures in folders of classes.",
            why=f"From 1 to {MAX_PICTURES:,} can be loaded.",
            fix="Name a folder with one subfolder per class, each holding PNG, JPEG, BMP, GIF or WEBP files.",
        )
    return listing


def _are_splits(root: Path, folders: Sequence[Path]) -> bool:
    """Whether the folders are splits and not classes; ExplorerError where some are and some are not."""
    others = [folder.name for folder in folders if folder.name.lower() not in SPLIT_FOLDERS]
    splits = {SPLIT_FOLDERS[folder.name.lower()] for folder in folders if folder.name not in others}
    if others and len(splits) > 1:
        raise ExplorerError(
            f"{root.name!r} holds folders for splits beside others.",
            why=f"Not a split: {listed(others)}.",
            fix="Move these folders elsewhere, or name a folder that holds the classes directly.",
        )
    return bool(splits) and not others


def _loose(tree: Tree, folder: Path) -> Counter[str]:
    """The pictures that lie beside class folders and so have no class, by suffix."""
    suffixes = (path.suffix.lower() for path in tree.files(folder))
    return Counter(suffix for suffix in suffixes if suffix in SUFFIXES | OTHER_PICTURES)


def _take(listing: Listing, tree: Tree, folder: Path, split: str) -> None:
    """The pictures below a class folder, and how many files of other suffixes are passed over."""
    pictures, others = [], Counter[str]()
    for path in tree.below(folder):
        if path.suffix.lower() not in SUFFIXES:
            others[path.suffix.lower()] += 1
            continue
        tree.check(path)
        pictures.append((path, folder.name))
    listing.folders.add(folder.name)
    if others:
        listing.pass_over(folder.name, others)
    if pictures:
        listing.parts.setdefault(split, []).extend(pictures)


def _check_classes(root: Path, classes: tuple[str, ...]) -> None:
    if len(classes) < 2:
        raise ExplorerError(
            f"{root.name!r} holds only the class {classes[0]!r}.",
            why="A label is the place of a class folder among all of them, so all of them must be there.",
            fix="Name the folder above the class folders.",
        )
