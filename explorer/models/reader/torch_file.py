"""PyTorch checkpoints, new (zip) and legacy: with ``weights_only=True``, and inertly where that refuses them."""

from __future__ import annotations

import pickle
import re
from typing import Any, BinaryIO

import torch

from explorer.models.reader.formats import SAVE_AGAIN, is_program
from explorer.models.reader.inert.archive import read_inertly
from explorer.models.reader.inert.unpickled import DAMAGED
from explorer.types.files.reading.refusal import RefusedError


def read_torch(file: BinaryIO, kind: str) -> tuple[Any, list[str], list[str]]:
    """What was saved, all tensors on the CPU; the devices they were saved on; and what was not read of it."""
    if kind == "zip" and is_program(file):
        value, notes = read_inertly(file, kind)
        return value, [], notes
    try:
        return *_weights_only(file), []
    except _ObjectsError as refusal:
        try:
            value, notes = read_inertly(file, kind)
        except RefusedError as inert:
            raise (refusal if inert is DAMAGED else inert) from None
        return value, [], notes


class _ObjectsError(RefusedError):
    """It names classes or functions besides tensors."""


def _weights_only(file: BinaryIO) -> tuple[Any, list[str]]:
    devices: set[str] = set()

    def to_cpu(storage: object, location: str) -> Any:
        devices.add(location)
        return storage

    torch.sparse.check_sparse_tensor_invariants.enable()  # type: ignore[no-untyped-call]
    try:
        content = torch.load(file, map_location=to_cpu, weights_only=True)
    except pickle.UnpicklingError as error:
        raise _objects(str(error)) from None
    except (MemoryError, RecursionError):
        raise RefusedError("It needs more memory than reading a file of its size may take.", SAVE_AGAIN) from None
    except Exception as error:  # noqa: BLE001  a damaged pickle may raise anything at all
        raise _other(str(error)) from None
    return content, sorted(devices - {"cpu"})


def _objects(message: str) -> RefusedError:
    """torch's own message advises to switch its protection off: only the class it names is kept."""
    named = re.search(r"(?:GLOBAL|global:?|class)\s+`?([A-Za-z_][\w.]*\.[A-Za-z_]\w*)", message)
    if named is None and "nsupported" not in message:
        return DAMAGED
    what = f" ({named.group(1)[:80]})" if named else ""
    return _ObjectsError(
        f"It holds Python objects{what} beside the weights, and opening those can run code.", SAVE_AGAIN
    )


def _other(message: str) -> RefusedError:
    if "allocate" in message or "memory" in message:
        return RefusedError("It needs more memory than reading a file of its size may take.", SAVE_AGAIN)
    if "sparse" in message.lower() or "indices" in message:
        return RefusedError("A sparse tensor in it names places outside its own shape.", SAVE_AGAIN)
    return DAMAGED
