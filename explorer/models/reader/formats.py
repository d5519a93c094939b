"""What a file is, told by its first bytes and never by its name."""

from __future__ import annotations

import zipfile
import zlib
from typing import BinaryIO, Literal

from explorer.text.names import clean
from explorer.types.files.reading.limits import MAX_TENSOR_BYTES, unpacked_bytes
from explorer.types.files.reading.refusal import RefusedError

Format = Literal["safetensors", "zip", "legacy", "onnx", "gguf"]

SAVE_AGAIN = "Save the weights with torch.save(model.state_dict(), ...) or as safetensors, and open that file."

OPEN_THE_SOURCE = "Open the network that it was exported from, or convert its weights to safetensors."

# First bytes of what people open by mistake.
_OTHERS: tuple[tuple[bytes, str, str], ...] = (
    (b"version https://git-lfs", "It is a Git LFS pointer, not the weights.", "Fetch the file with git lfs pull."),
    (b"\x1f\x8b", "It is compressed with gzip.", "Unpack it first."),
    (b"\x28\xb5\x2f\xfd", "It is compressed with zstandard.", "Unpack it first."),
    (b"\x89HDF", "It is an HDF5 (Keras) file.", "Convert the weights to safetensors."),
    (b"\x93NUMPY", "It is a NumPy array.", "Save the weights as safetensors."),
)
# After its version, an ONNX file goes on with one of its texts, numbers or graphs.
_ONNX_FIELDS = (b"\x12", b"\x1a", b"\x22", b"\x28", b"\x32", b"\x3a", b"\x42")
_MOST_ONNX_VERSION = 30


def recognise(file: BinaryIO, n_bytes: int) -> Format:
    """The format of an open file; RefusedError when it holds no weights we read."""
    file.seek(0)
    head = file.read(512)
    file.seek(0)
    if n_bytes == 0:
        raise RefusedError("It is empty.", "Download or save it again.")
    if head.startswith(b"PK\x03\x04"):
        return "zip"
    if len(head) > 8 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= n_bytes:
        return "safetensors"
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "legacy"
    if head.startswith(b"GGUF"):
        return "gguf"
    for magic, why, fix in _OTHERS:
        if head.startswith(magic):
            raise RefusedError(why, fix)
    if _is_onnx(head):
        return "onnx"
    if head.lstrip().lower().startswith((b"<!doctype", b"<html")):
        raise RefusedError("It is a web page, not weights.", "Download the file itself, not the page that shows it.")
    raise RefusedError("It is neither safetensors nor a PyTorch checkpoint, or it is damaged.", SAVE_AGAIN)


def _is_onnx(head: bytes) -> bool:
    """Whether it begins as an ONNX file does; RefusedError for files of other frameworks, by their names."""
    if head[4:8] == b"TFL3":
        raise RefusedError("It is a TFLite file.", "Open the network that it was converted from.")
    if head[:1] == b"\x08" and head[1:2] and head[1] <= _MOST_ONNX_VERSION and head[2:3] in _ONNX_FIELDS:
        if head[1] == 1:
            raise RefusedError("It is a SavedModel of TensorFlow.", "Convert the weights to safetensors.")
        return True
    return False


def zip_contents(file: BinaryIO, n_bytes: int) -> int:
    """Bytes that a checkpoint's zip holds when unpacked; RefusedError when that is not plausible."""
    try:
        with zipfile.ZipFile(file) as archive:
            records = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError):
        raise RefusedError("Its zip archive is damaged or cut off.", "Download or save it again.") from None
    names = [record.filename for record in records]
    if len(set(names)) != len(names):
        raise RefusedError("It holds two records of one name, so what it contains is ambiguous.", SAVE_AGAIN)
    if any(record.flag_bits & 1 for record in records):
        raise RefusedError("It is encrypted.", SAVE_AGAIN)
    _check_kind(names)
    total = sum(record.file_size for record in records)
    if total > min(MAX_TENSOR_BYTES, unpacked_bytes(n_bytes)):
        raise RefusedError(
            f"Unpacked it would take {total / 2**20:,.0f} MiB, from {n_bytes / 2**20:,.1f} MiB.",
            SAVE_AGAIN,
        )
    file.seek(0)
    return total


def check_sums(file: BinaryIO) -> None:
    """Compare every record of a zip with the sum that was stored with it: one flipped bit is a wrong number.

    torch can leave the sums out; then all of them are 0, and there is nothing to compare with.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            damaged = archive.testzip() if any(record.CRC for record in archive.infolist()) else None
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError, NotImplementedError):
        raise RefusedError("Its zip archive is damaged or cut off.", "Download or save it again.") from None
    if damaged is not None:
        why = f"Its record {clean(damaged)!r} is damaged: the numbers in it are not those that were saved."
        raise RefusedError(why, "Download or save it again.")
    file.seek(0)


def is_program(file: BinaryIO) -> bool:
    """Whether a zip holds a program with its weights (TorchScript, .pt2), which torch opens by running its code."""
    with zipfile.ZipFile(file) as archive:
        inner = {name.partition("/")[2] for name in archive.namelist()}
    file.seek(0)
    return "constants.pkl" in inner or any(name.startswith(("code/", "models/")) for name in inner)


def _check_kind(names: list[str]) -> None:
    inner = {name.partition("/")[2] for name in names} | set(names)
    exported = "archive_format" in inner or any(name.startswith("models/") for name in inner)
    if exported and not any(name.startswith("data/weights/") for name in inner):
        raise RefusedError("It is an exported program (.pt2) without weights that can be read.", SAVE_AGAIN)
    if "model.weights.h5" in inner:
        raise RefusedError("It is a Keras file.", "Convert the weights to safetensors.")
    if "data.pkl" not in inner and not exported:
        arrays = any(name.endswith(".npy") for name in names)
        fix = "Use it as data: npz:PATH." if arrays else SAVE_AGAIN
        raise RefusedError("It is a zip archive, but not a PyTorch checkpoint.", fix)
