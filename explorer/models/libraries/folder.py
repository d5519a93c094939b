"""A folder of a model in the layout of Hugging Face: its descriptions, and its weights in one file or in shards."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from explorer.errors import ExplorerError
from explorer.models.fit.names import unwrapped
from explorer.models.reader import read_file
from explorer.text.names import clean, listed
from explorer.types.aliases import JsonDict
from explorer.types.files import paths
from explorer.types.files.reading.limits import MAX_FILE_BYTES

CONFIG = "config.json"
_MAX_JSON = 16 * 2**20
_WHOLE = ("model.safetensors", "pytorch_model.bin")


@dataclass(frozen=True, eq=False)
class FolderWeights:
    """What the files of a folder hold together, with what was noticed while they were read."""

    tensors: dict[str, Tensor]
    repairs: tuple[str, ...]
    oddities: tuple[str, ...]
    label: str


@dataclass(frozen=True)
class ModelFolder:
    """A real folder, and the folder that its links may lead into (a cache keeps its files elsewhere)."""

    path: Path
    within: Path

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        return (self.path / name).is_file()

    def described(self, name: str) -> JsonDict:
        """The JSON object in a file of this name; ExplorerError where it is none."""
        value = self._json(name)
        if not isinstance(value, dict):
            raise self._unusable(name, "It holds no JSON object.")
        return value

    def listed(self, name: str) -> list[JsonDict]:
        """The JSON objects in a list; ExplorerError where it is none."""
        value = self._json(name)
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            raise self._unusable(name, "It holds no list.")
        return value

    def weights(self) -> FolderWeights:
        """The tensors of all its files, read in processes of their own. ExplorerError where they are not complete."""
        for name in _WHOLE:
            if self.has(name):
                return self._read([name], name)
            if self.has(f"{name}.index.json"):
                return self._shards(f"{name}.index.json")
        raise ExplorerError(
            f"{clean(self.path.name)!r} holds no weights.",
            why=f"There is neither {' nor '.join(_WHOLE)} in it, whole or in parts.",
            fix="Save the model with save_pretrained(folder).",
        )

    def _shards(self, index: str) -> FolderWeights:
        places = self.described(index).get("weight_map")
        if not isinstance(places, dict) or not places or not all(map(_is_plain_name, places.values())):
            raise self._unusable(index, "It does not say which file holds which weight.")
        read = self._read(sorted(set(places.values())), index)
        if absent := [name for name in places if name not in read.tensors]:
            raise self._unusable(index, f"The files lack {listed(absent)}.")
        return read

    def _read(self, names: list[str], label: str) -> FolderWeights:
        tensors: dict[str, Tensor] = {}
        notes: list[str] = []
        oddities: list[str] = []
        for name in names:
            with paths.opened(self.path / name, within=self.within) as source:
                if source.path.stat().st_size > MAX_FILE_BYTES:
                    raise self._unusable(name, f"It is larger than {MAX_FILE_BYTES / 2**30:.0f} GiB.")
                contents = read_file(source.elsewhere, clean(name))
            mine = {**contents.tensors, **{alias: contents.tensors[n] for alias, n in contents.aliases.items()}}
            if twice := tensors.keys() & mine.keys():
                raise self._unusable(label, f"Two of its files hold {listed(sorted(twice))}.")
            tensors |= mine
            notes += contents.repairs
            oddities += [note for note in contents.oddities if not note.startswith("Tied weights")]
        plain, unwrapping = unwrapped(tensors)
        return FolderWeights(plain, (*dict.fromkeys(notes), *unwrapping), tuple(dict.fromkeys(oddities)), label)

    def _json(self, name: str) -> object:
        with paths.opened(self.path / name, within=self.within) as source:
            text = source.file.read(_MAX_JSON + 1)
        try:
            return json.loads(text) if len(text) <= _MAX_JSON else None
        except (ValueError, RecursionError):
            raise self._unusable(name, "It is no JSON.") from None

    def _unusable(self, name: str, why: str) -> ExplorerError:
        return ExplorerError(f"{clean(name)} cannot be used.", why=why, fix="Download or save the model again.")


def model_folder(address: str) -> ModelFolder | None:
    """The folder at a path, where it holds a ``config.json`` and may be opened; None otherwise."""
    try:
        path = paths.real(address)
    except ExplorerError:
        return None
    return ModelFolder(path, path) if path.is_dir() and (path / CONFIG).exists() else None


def _is_plain_name(name: object) -> bool:
    return isinstance(name, str) and name == Path(name).name and not name.startswith(".")
