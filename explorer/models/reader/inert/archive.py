"""Files of torch, read inertly: checkpoints with objects in them, whole modules, TorchScript and exported programs."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Mapping
from typing import BinaryIO

import torch

from explorer.models.reader.formats import SAVE_AGAIN
from explorer.models.reader.inert.tensors import Later, Storage
from explorer.models.reader.inert.unpickled import DAMAGED, InertUnpickler, Pickled, plain, storage_dtype
from explorer.text.names import listed
from explorer.types.files.reading.refusal import RefusedError

_CONFIG = "data/weights/model_weights_config.json"
# The numbers that exported programs have for types.
_TYPES = {
    **{1: torch.uint8, 2: torch.int8, 3: torch.int16, 4: torch.int32, 5: torch.int64, 6: torch.float16},
    **{7: torch.float32, 8: torch.float64, 10: torch.complex64, 12: torch.bool, 13: torch.bfloat16},
    **{29: torch.float8_e4m3fn, 30: torch.float8_e5m2},
}
_MOST_LEGACY_STORAGES = 200_000


def read_inertly(file: BinaryIO, kind: str) -> tuple[object, list[str]]:
    """(mappings and tensors as they stand in the file, what was left out); RefusedError where it has no weights."""
    file.seek(0)
    try:
        if kind == "zip":
            with zipfile.ZipFile(file) as archive:
                return _zip(archive)
        return _legacy(file)
    except (RefusedError, MemoryError):
        raise
    except RecursionError:
        raise RefusedError("It nests objects deeper than any checkpoint does.", SAVE_AGAIN) from None
    except Exception:  # noqa: BLE001  a damaged pickle may raise anything at all
        raise DAMAGED from None


def _zip(archive: zipfile.ZipFile) -> tuple[object, list[str]]:
    names = archive.namelist()
    if any(name.partition("/")[2] == _CONFIG for name in names):
        return _exported(archive), [_program("an exported program (.pt2)")]
    record = next((name for name in names if name.partition("/")[2] == "data.pkl"), None)
    if record is None:
        raise RefusedError("It is an exported program (.pt2) without weights that can be read.", SAVE_AGAIN)
    top = record.partition("/")[0]
    if f"{top}/byteorder" in names and archive.read(f"{top}/byteorder") != b"little":
        raise RefusedError("It was written on a machine with another order of bytes.", SAVE_AGAIN)
    storages: dict[str, Storage] = {}

    def storage(pid: tuple[Pickled, ...]) -> Storage:
        key = f"{top}/data/{pid[2]}"
        if key not in storages:
            storages[key] = Storage(storage_dtype(pid[1]), lambda: archive.read(key))
        return storages[key]

    reader = InertUnpickler(io.BytesIO(archive.read(record)), storage)
    value = plain(reader.load())
    scripted = any(name.partition("/")[2] == "constants.pkl" for name in names)
    return value, [_program("a TorchScript program")] if scripted else _about(reader)


def _program(kind: str) -> str:
    return f"It is {kind}: its weights were read, and nothing of it was run."


def _about(reader: InertUnpickler) -> list[str]:
    named = reader.names()
    return [f"Python objects were not made, and nothing of them was run: {listed(named)}."] if named else []


def _exported(archive: zipfile.ZipFile) -> dict[str, object]:
    """The weights of an exported program, by the list in it."""
    top = next(name for name in archive.namelist() if name.partition("/")[2] == _CONFIG).partition("/")[0]
    entries = json.loads(archive.read(f"{top}/{_CONFIG}"))["config"]
    return {str(name): _weight(archive, f"{top}/data/weights/", entry) for name, entry in entries.items()}


def _weight(archive: zipfile.ZipFile, folder: str, entry: Mapping[str, Pickled]) -> object:
    about = entry["tensor_meta"]
    if entry.get("use_pickle") or about["dtype"] not in _TYPES:
        return None
    sizes, strides = ([value["as_int"] for value in about[key]] for key in ("sizes", "strides"))
    storage = Storage(_TYPES[about["dtype"]], lambda: archive.read(folder + str(entry["path_name"])))
    return Later(storage, about["storage_offset"]["as_int"], tuple(sizes), tuple(strides)).tensor()


def _legacy(file: BinaryIO) -> tuple[object, list[str]]:
    """The format before PyTorch 1.6: pickles one after the other, then the storages."""
    storages: dict[str, Storage] = {}
    content: dict[str, bytes] = {}

    def storage(pid: tuple[Pickled, ...]) -> Storage:
        key = str(pid[2])
        if key not in storages:
            storages[key] = Storage(storage_dtype(pid[1]), lambda: content[key])
        if len(storages) > _MOST_LEGACY_STORAGES or (len(pid) > 5 and pid[5] is not None):
            raise DAMAGED
        return storages[key]

    for _ in range(3):  # a magic number, the version, facts of the machine
        InertUnpickler(file, storage).load()
    reader = InertUnpickler(file, storage)
    value = reader.load()
    keys = InertUnpickler(file, storage).load()
    if not isinstance(keys, list):
        raise DAMAGED
    for key in map(str, keys):
        (n,) = struct.unpack("<q", file.read(8))
        n_bytes = n * storages[key].dtype.itemsize
        content[key] = file.read(n_bytes) if n_bytes >= 0 else b""
        if len(content[key]) != n_bytes:
            raise DAMAGED
    return plain(value), _about(reader)
