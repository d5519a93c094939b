"""What the reading process does with a file of weights: its ``main`` takes FILE and FOLDER.

Reads one file nobody vouches for, under limits, and leaves ``report.json`` and, on success,
``tensors.safetensors`` in the folder. It ends with status 0 in both cases; any other end means
that the file broke the reader or hit a limit.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import torch
from safetensors.torch import save_file

from explorer.errors import ExplorerError
from explorer.models import bitmask, packed, slim
from explorer.models.reader import TENSORS
from explorer.models.reader.contents import (
    TOO_MUCH,
    Contents,
    checked,
    chosen_set,
    extra_state,
    flat,
    other_sets,
    plain,
)
from explorer.models.reader.formats import SAVE_AGAIN, Format, check_sums, recognise, zip_contents
from explorer.models.reader.gguf_file import read_gguf, read_gguf_header
from explorer.models.reader.onnx_file import read_onnx
from explorer.models.reader.safetensors_file import Header, read_header, read_safetensors
from explorer.models.reader.torch_file import read_torch
from explorer.models.reader.transfer import together
from explorer.types.files.reading.answer import write_report
from explorer.types.files.reading.limits import (
    MAX_FILE_BYTES,
    MODEST_BYTES,
    computing_seconds,
    opened_bytes,
    restrict,
    start_clocks,
    waiting_seconds,
)
from explorer.types.files.reading.refusal import RefusedError


def main(source: str, folder: str, chosen: str = "", beside: str = "") -> int:
    """Read ``source``, or the ``chosen`` set of weights in it, and leave the answer in ``folder``.

    ``beside`` is the folder that the file lies in, where it may bring files of numbers.
    """
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    try:
        with _regular(source) as file:
            contents = read(file, Path(source), chosen, Path(beside) if beside else None)
        answer = _written(contents, Path(folder))
    except (RefusedError, ExplorerError) as refusal:
        answer = {"why": refusal.why, "fix": refusal.fix}
    except (MemoryError, RecursionError):
        answer = {"why": "It needs more memory than reading a file of its size may take.", "fix": SAVE_AGAIN}
    write_report(Path(folder), answer)
    return 0


def _regular(source: str) -> BinaryIO:
    """The opened file; a pipe or device (which could block for ever) is refused without waiting."""
    handle = os.open(source, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    file = os.fdopen(handle, "rb")
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        raise RefusedError("It is not a regular file.", "Name a file of weights.")
    if status.st_size > MAX_FILE_BYTES:
        raise RefusedError(f"It is larger than {MAX_FILE_BYTES / 2**30:.0f} GiB.", "Split it or convert it to float16.")
    return file


def read(file: BinaryIO, path: Path, chosen: str = "", beside: Path | None = None) -> Contents:
    """Everything of use in an open file; RefusedError otherwise."""
    n_bytes = os.fstat(file.fileno()).st_size
    start_clocks(computing_seconds(n_bytes), waiting_seconds(n_bytes))
    kind = recognise(file, n_bytes)
    if kind == "safetensors":
        out = _safetensors(file, path, n_bytes)
        out.tensors = dict(flat(chosen_set(out.tensors, chosen))[0]) if chosen else out.tensors
    elif kind == "onnx":
        out = _onnx(file, n_bytes, beside)
    elif kind == "gguf":
        out = _gguf(file, n_bytes)
    else:
        out = _checkpoint(file, kind, n_bytes, chosen)
    _try_slim(out)
    return out


def _checkpoint(file: BinaryIO, kind: Format, n_bytes: int, chosen: str) -> Contents:
    restrict(n_bytes if kind != "zip" else zip_contents(file, n_bytes))
    if kind == "zip":
        check_sums(file)
    out = Contents()
    saved, devices, notes = read_torch(file, kind)
    saved = chosen_set(saved, chosen) if chosen else saved
    tensors, out.repairs, out.facts = flat(saved)
    out.oddities += other_sets(saved)
    out.extra = extra_state(saved)
    out.repairs += notes
    if kind == "legacy":
        out.repairs.append("Written in the format used before PyTorch 1.6.")
    if devices:
        out.repairs.append(f"Saved on {', '.join(devices[:4])}; read on the CPU.")
    checked(tensors, out, opened_bytes(n_bytes))
    return out


def _onnx(file: BinaryIO, n_bytes: int, beside: Path | None) -> Contents:
    restrict(3 * n_bytes + (MODEST_BYTES if beside else 0))  # the message, its numbers and their copies
    out = Contents()
    tensors, out.oddities = read_onnx(file, beside)
    checked(tensors, out, opened_bytes(n_bytes))
    out.kind = "onnx"
    return out


def _gguf(file: BinaryIO, n_bytes: int) -> Contents:
    header = read_gguf_header(file, n_bytes)
    if header.n_opened_bytes > opened_bytes(n_bytes):
        raise TOO_MUCH
    restrict(n_bytes + header.n_opened_bytes)
    out = Contents(repairs=header.notes(), facts=header.facts())
    checked(read_gguf(file, header), out, opened_bytes(n_bytes))
    return out


def _safetensors(file: BinaryIO, path: Path, n_bytes: int) -> Contents:
    header = read_header(file)
    about = slim.description(header.metadata)
    restrict(n_bytes + (_unpacked_bytes(about, header, n_bytes) if packed.is_packed(about) else 0))
    out = Contents(metadata=header.metadata)
    plain(read_safetensors(header, path), out, opened_bytes(n_bytes))
    if packed.is_packed(about):
        out.tensors, tied = packed.unpacked(out.tensors, about, "It", opened_bytes(n_bytes))
        out.aliases |= tied
        out.metadata = {**out.metadata, slim.METADATA_KEY: json.dumps(packed.inside(about))}
    return out


def _unpacked_bytes(about: Mapping[str, object], header: Header, n_bytes: int) -> int:
    """What the packed tensors can become, by the lengths of their bits; RefusedError when that is too much."""
    listed = about.get("packed")
    if bitmask.is_packed(about):
        names = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
        counts = {name: 8 * header.n_values(f"{name}.bits") for name in names}
    else:
        counts = packed.sizes_of(about)
    total = sum(n * header.n_bytes_each(f"{name}.values") for name, n in counts.items())
    if total > opened_bytes(n_bytes) + 8 * 8 * len(counts):
        raise RefusedError(bitmask.too_large(total, opened_bytes(n_bytes)), bitmask.EXPORT_DENSE)
    return total


def _try_slim(contents: Contents) -> None:
    """A file that brings its own graph is run here first, where it can break nothing."""
    about = slim.description(contents.metadata)
    if slim.is_slim(about):
        slim.check(about, contents.tensors, contents.aliases)


def _written(contents: Contents, folder: Path) -> dict[str, object]:
    """Names go into the report and numbers into the file, so that odd names cannot disturb it."""
    numbered = {f"t{i}": tensor for i, tensor in enumerate(contents.tensors.values())}
    travelling, joined = together(numbered)
    save_file(travelling, folder / TENSORS)
    return {
        "names": list(contents.tensors),
        "joined": joined,
        "aliases": contents.aliases,
        "repairs": contents.repairs[:50],
        "oddities": contents.oddities,
        "facts": contents.facts,
        "metadata": contents.metadata,
        "extra": contents.extra,
        "kind": contents.kind,
    }
