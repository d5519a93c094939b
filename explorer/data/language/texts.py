"""Texts on disk: one long text for a language model, or one folder per class for a classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, cast

import torch
from torch import Tensor

from explorer.data.class_places import ClassPlaces, class_places
from explorer.data.classes_file import mapping_in
from explorer.data.folder import SPLIT_FOLDERS
from explorer.data.language.tokenizer import Places, Tokenizer, padded, places_of_tokens, tokenizer_of, windows
from explorer.data.picture_trees import DiskTree
from explorer.data.request import DataRequest
from explorer.data.splitting import NAMES, counts, make_splits, ordered, tensors
from explorer.errors import ExplorerError
from explorer.text.names import clean
from explorer.types import Dataset, Finding, Inputs, LoadedModel, Split, SplitName, tensors_digest
from explorer.types.files import paths

SUFFIXES = (".txt", ".text", ".md", ".rst")
MAX_BYTES = 256 << 20
_FIX = "Name a UTF-8 text, a folder of them, or a folder with one subfolder per class."

Pair = tuple[Inputs, Tensor]


@dataclass(frozen=True)
class Texts:
    """A file or a folder of UTF-8 texts, read by the model's tokenizer, or byte by byte.

    Folders of class folders are for classifiers: a text is a sample, cut or padded to the model's length. All else
    is for language models: the texts are joined and cut into windows, and each token's label is the one that follows.
    Files or folders called train, val and test (or fit, tune) are the splits.
    """

    key: ClassVar[str] = "text"
    form: ClassVar[str] = "text:PATH"

    def load(self, request: DataRequest) -> Dataset:
        """x: tokens in the form of the model's example; y: (n,) classes, or (n, length) tokens."""
        if request.size is not None or request.mean is not None or request.std is not None:
            raise ExplorerError("Texts are not scaled.", fix="Leave size, mean and std out.")
        path = request.path
        at = places_of_tokens(request.model, request.address)
        tokenizer = tokenizer_of(cast(LoadedModel, request.model), at)
        parts = _parts(path)
        by_class = {name: files for name, files in parts.items() if isinstance(files, dict)}
        if by_class and len(by_class) < len(parts):
            why = "Some of its splits have class folders, and others have none."
            raise ExplorerError(f"{clean(path.name)!r} is no data for one task.", why=why, fix=_FIX)
        if by_class:
            pairs, classes, findings = _of_classes(path, by_class, tokenizer, at, request)
        else:
            plain = {name: files for name, files in parts.items() if not isinstance(files, dict)}
            pairs, classes, findings = _of_windows(path, plain, tokenizer, at), None, ()
        splits, why_not = _splits(pairs, request)
        meta = {"splits": request.splits and list(request.splits), "seed": request.seed, "n": counts(splits)}
        names = () if classes is None else classes.classes
        digest = tensors_digest(tensors(splits))
        return Dataset(request.address, splits, names, digest, why_not, meta, findings=(tokenizer.finding, *findings))


def _parts(path: Path) -> dict[str, list[Path] | dict[str, list[Path]]]:
    """{split, "" where undivided: files, or files by class}. Raises ExplorerError where there is no text."""
    if path.is_file():
        return {"": [path]}
    tree = DiskTree(path)
    folders = tree.folders(path)
    as_splits = {SPLIT_FOLDERS[f.name.lower()]: f for f in folders if f.name.lower() in SPLIT_FOLDERS}
    if as_splits:
        return {name: _inside(tree, folder) for name, folder in as_splits.items()}
    named = {SPLIT_FOLDERS.get(file.stem.lower()): [file] for file in _texts(tree, tree.files(path))}
    if not folders and named and None not in named:
        return {str(name): files for name, files in named.items()}
    return {"": _inside(tree, path)}


def _inside(tree: DiskTree, folder: Path) -> list[Path] | dict[str, list[Path]]:
    classes = {sub.name: _texts(tree, tree.below(sub)) for sub in tree.folders(folder)}
    return classes or _texts(tree, tree.files(folder))


def _texts(tree: DiskTree, files: Sequence[Path]) -> list[Path]:
    texts = sorted(path for path in files if path.suffix.lower() in SUFFIXES)
    for path in texts:
        tree.check(path)
    return texts


def _read(root: Path, files: Sequence[Path]) -> list[str]:
    """The texts. Raises ExplorerError for one that is not UTF-8, or for too many bytes."""
    if sum(path.stat().st_size for path in files) > MAX_BYTES:
        raise ExplorerError(f"{clean(root.name)!r} holds more than 256 MiB of text.", fix="Take fewer texts.")
    texts = []
    for path in files:
        with paths.opened(path, within=root if root.is_dir() else None) as source:
            content = source.file.read()
        try:
            texts.append(content.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            why = f"Byte {error.start:,} is none of UTF-8."
            raise ExplorerError(f"{clean(path.name)!r} cannot be read as text.", why=why, fix=_FIX) from None
    return texts


def _of_windows(root: Path, parts: Mapping[str, list[Path]], tokenizer: Tokenizer, at: Places) -> dict[str, Pair]:
    pairs = {}
    for name, files in parts.items():
        tokens = [token for text in _read(root, files) for token in tokenizer.encode(text)]
        x, y = windows(tokens, at.length)
        if not len(x):
            why = f"It has {len(tokens):,} tokens, and a window has {at.length + 1}."
            raise ExplorerError(f"{clean(root.name)!r} holds too little text.", why=why, fix=_FIX)
        pairs[name] = (at.inputs(x, torch.ones_like(x)), y)
    return pairs


def _of_classes(
    root: Path,
    parts: Mapping[str, dict[str, list[Path]]],
    tokenizer: Tokenizer,
    at: Places,
    request: DataRequest,
) -> tuple[dict[str, Pair], ClassPlaces, tuple[Finding, ...]]:
    names = sorted({name for classes in parts.values() for name in classes})
    places = class_places(names, request.model, request.address, mapping_in(DiskTree(root), root))
    pairs: dict[str, Pair] = {}
    n_cut = 0
    for split, classes in parts.items():
        files = [(path, places.places[name]) for name, texts in classes.items() for path in texts]
        tokens, mask, cut = padded(_read(root, [path for path, _ in files]), tokenizer, at.length)
        n_cut += cut
        if files:
            pairs[split] = (at.inputs(tokens, mask), torch.tensor([label for _, label in files]))
    if not pairs:
        raise ExplorerError(f"{clean(root.name)!r} holds no texts in class folders.", fix=_FIX)
    findings = places.findings
    if n_cut:
        what = f"{n_cut:,} texts are longer than the {at.length} tokens of the model's example, and are cut."
        findings = (*findings, Finding("warn", what, "", "Give a longer example to the model."))
    return pairs, places, findings


def _splits(pairs: Mapping[str, Pair], request: DataRequest) -> tuple[dict[str, Split], dict[str, str]]:
    if "" in pairs:
        return make_splits(*pairs[""], request.splits, request.seed)
    if request.splits is not None:
        raise ExplorerError(f"{request.address} is divided already.", fix="Leave splits out.")
    names: list[SplitName] = [name for name in NAMES if name in pairs]
    present: dict[str, Split] = {name: ordered(name, *pairs[name], request.seed) for name in names}
    why = "There are texts for other splits, but none for this one."
    return present, {name: why for name in NAMES if name not in present}
