"""The instructions of a pickle, followed by Python's own reader written in Python, with stand-ins for all it names."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, TypeAlias

from torch import Tensor

from explorer.models.reader.formats import SAVE_AGAIN
from explorer.models.reader.inert.stubs import Stub, contents_of, stub_of
from explorer.models.reader.inert.tensors import REBUILDERS, STORAGES, Later, Storage
from explorer.text.names import clean
from explorer.types.files.reading.refusal import RefusedError

Pickled: TypeAlias = Any
"""Whatever a pickle may hold."""
MAX_DEPTH = 64
MAX_CLASSES = 10_000
DAMAGED = RefusedError("It is damaged, cut off, or not a PyTorch checkpoint.", SAVE_AGAIN)


class Entries(dict[Pickled, Pickled]):
    """In the place of dictionaries that carry more than their entries."""

    def __setstate__(self, state: object) -> None:
        """What else they carry is not read."""


ReadStorage = Callable[[tuple[Pickled, ...]], Storage]


class InertUnpickler(pickle._Unpickler):  # type: ignore[misc, name-defined]  # the one that is written in Python
    """Reads a pickle without importing or calling anything that it names.

    ``storage`` gives the storage that a persistent id stands for.
    """

    def __init__(self, file: BinaryIO, storage: ReadStorage) -> None:
        super().__init__(file, encoding="utf-8", errors="replace")
        self._storage = storage
        self.classes: dict[tuple[str, str], Pickled] = {}

    def find_class(self, module: str, name: str) -> Pickled:
        """A stand-in, by the name; RefusedError for what no checkpoint names."""
        key = (str(module), str(name))
        if key in REBUILDERS:
            return REBUILDERS[key]
        if key in (("collections", "OrderedDict"), ("builtins", "dict"), ("__builtin__", "dict")):
            return Entries
        if key in (("builtins", "set"), ("__builtin__", "set")):
            return set
        if key == ("copyreg", "_reconstructor") or key == ("copy_reg", "_reconstructor"):
            return _reconstructed
        if key == ("torch", "Size"):
            return tuple
        if key not in self.classes:
            if len(self.classes) >= MAX_CLASSES:
                raise DAMAGED
            self.classes[key] = stub_of(*key)
        return self.classes[key]

    def get_extension(self, code: int) -> None:
        """Short codes for classes are agreed between programs; a file cannot bring them."""
        raise DAMAGED

    def persistent_load(self, pid: Pickled) -> Pickled:
        """The storage, or the class of a module of old files, that an id stands for."""
        if isinstance(pid, tuple) and len(pid) >= 2 and pid[0] == "module":
            return pid[1]
        if isinstance(pid, tuple) and len(pid) >= 5 and pid[0] == "storage":
            return self._storage(pid)
        raise DAMAGED

    def names(self) -> list[str]:
        """The classes that were named and not imported, without those of torch's own tensors."""
        return [".".join(key) for key in self.classes if key[0] != "torch"]


def _reconstructed(kind: object, *_: object) -> object:
    return kind() if isinstance(kind, type) and issubclass(kind, Stub) else Stub()


def storage_dtype(kind: object) -> Pickled:
    """The type of the numbers in a storage, by the stand-in of its class."""
    name = getattr(kind, "origin", "").rpartition(".")[2]
    if name not in STORAGES:
        raise RefusedError(f"It holds numbers of a type that is not known, {clean(name, 80)}.", SAVE_AGAIN)
    return STORAGES[name]


def plain(value: object, depth: int = 0) -> object:
    """What was read, with tensors in their places and objects as mappings of what they hold."""
    if isinstance(value, Later):
        return value.tensor()
    if depth == MAX_DEPTH:
        return None
    if isinstance(value, Stub):
        return _inside(value, depth)
    if isinstance(value, Mapping):
        return {_key(key): plain(entry, depth + 1) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry, depth + 1) for entry in value]
    return value if isinstance(value, str | int | float | bool) or value is None else None


def _inside(stub: Stub, depth: int) -> dict[object, object]:
    """The tensors of an object under dotted names, those of the objects in it too."""
    tensors: dict[object, object] = {}
    for key, entry in contents_of(stub).items():
        value = plain(entry, depth + 1)
        if isinstance(value, Tensor):
            tensors[str(key)] = value
        elif isinstance(value, Mapping):
            tensors.update({f"{key}.{name}": part for name, part in value.items() if isinstance(part, Tensor)})
        elif isinstance(value, list):
            tensors.update({f"{key}.{i}": part for i, part in enumerate(value) if isinstance(part, Tensor)})
    return tensors


def _key(key: object) -> object:
    return key if isinstance(key, str | int) else str(type(key).__name__)
