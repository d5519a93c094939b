"""Mutations that know the container: what is inside is changed, and the container itself stays sound."""

from __future__ import annotations

import io
import json
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from tests.fuzz.mutations import DEEP, as_json, edited, flipped, mutated

Record = tuple[str, bytes]
PNG = b"\x89PNG\r\n\x1a\n"
_HEADS = ["'<f4'", "'|u1'", "(20, 8, 8)", "(20,)", "(8, 1, 8, 8)", "(12, 1, 8, 8)", "False", "'descr'", "'shape'"]
_OTHER_HEADS = [
    *("'|O'", "'<f8'", "'<U8'", "'<M8[s]'", "'>f4'", "'<c16'", "(0, 8, 8)", "(-1,)", "(2**60, 2)", "(1<<40,)", "True"),
    *("None", "'<f4', '<f4'", "[('a','<f4')]", "__import__('os')", "(" * 60, "1e400", "'<V8'", "'|b1'", "()"),
    *("(99999999999999999999,)", "(20, 8, 8, 0)"),
]
_SIZES = [0, 1, 8, 9, 7000, 60_000, 2**31 - 1]
_CHUNKS = [b"tEXt", b"iCCP", b"PLTE", b"zTXt", b"acTL", b"fdAT", b"eXIf"]


def safetensors(r: Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """Another header over the same numbers: its entries, or what it says of the model."""
    if r.random() < 0.35:
        return mutated(r, content, others)
    n = int.from_bytes(content[:8], "little")
    head, numbers = json.loads(content[8 : 8 + n]), content[8 + n :]
    about = head.get("__metadata__", {}).get("explorer")
    for _ in range(r.choice([1, 1, 2, 4])):
        if about is None or r.random() < 0.35:
            head = edited(r, head)
            about = None
        else:
            about = json.dumps(edited(r, json.loads(about)))
            head["__metadata__"]["explorer"] = about
    text = as_json(head)
    if r.random() < 0.05 and isinstance(head, dict) and head:
        name = r.choice(list(head))
        text = text[:-1] + b"," + as_json(name) + b":" + as_json(head[name]) + b"}"  # one name twice
    if r.random() < 0.03:
        text = b"[" * DEEP + text
    return struct.pack("<Q", len(text)) + text + numbers


def checkpoint(r: Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """A zip of torch.save with its pickle changed, or its records lost, doubled, cut, renamed or blown up."""
    if r.random() < 0.4 or not zipfile.is_zipfile(io.BytesIO(content)):
        return mutated(r, content, others)

    def changed(name: str, inside: bytes) -> list[Record]:
        if name.endswith("data.pkl"):
            for _ in range(r.choice([1, 1, 2, 5])):
                inside = mutated(r, inside, others) if r.random() < 0.3 else flipped(r, inside)
            return [(name, inside)]
        return _record(r, name, inside)

    return _zipped_again(content, changed, zipfile.ZIP_DEFLATED if r.random() < 0.1 else zipfile.ZIP_STORED)


def arrays(r: Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """An npz whose arrays say other types, shapes and versions than they have."""
    if r.random() < 0.4:
        return mutated(r, content, others)

    def changed(name: str, inside: bytes) -> list[Record]:
        inside = _other_header(r, inside) if r.random() < 0.5 else inside
        inside = flipped(r, inside) if r.random() < 0.2 else inside
        return _record(r, r.choice(["x.npy", "y.npy", "x", "../x.npy"]) if r.random() < 0.05 else name, inside)

    return _zipped_again(content, changed, zipfile.ZIP_DEFLATED if r.random() < 0.4 else zipfile.ZIP_STORED)


def pictures_in_zip(r: Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """An archive of pictures with its records changed."""
    if r.random() < 0.4:
        return mutated(r, content, others)

    def changed(name: str, inside: bytes) -> list[Record]:
        return _record(r, name, picture(r, inside, others) if r.random() < 0.3 else inside)

    return _zipped_again(content, changed, r.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))


def picture(r: Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """A PNG whose chunks lie with a sound checksum; another picture with bytes changed."""
    if not content.startswith(PNG) or r.random() < 0.5:
        return mutated(r, content, others)
    out, at = PNG, len(PNG)
    while at + 8 <= len(content):
        n, kind = struct.unpack(">I4s", content[at : at + 8])
        inside, at = content[at + 8 : at + 8 + n], at + 12 + n
        if kind == b"IHDR" and r.random() < 0.6:
            inside = struct.pack(">II", r.choice(_SIZES), r.choice(_SIZES)) + inside[8:]
        elif r.random() < 0.3:
            inside = flipped(r, inside)
        kind = r.choice(_CHUNKS) if r.random() < 0.1 else kind
        out += struct.pack(">I", len(inside)) + kind + inside + struct.pack(">I", zlib.crc32(kind + inside))
    return out


def onnx_graph(r: Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """A graph whose nodes are other operators, lost, doubled or wired otherwise, or whose numbers have other shapes."""
    if r.random() < 0.4:
        return mutated(r, content, others)
    import onnx

    model = onnx.ModelProto.FromString(content)
    for _ in range(r.choice([1, 1, 2, 4])):
        _rewired(r, model.graph)
    return bytes(model.SerializeToString())


def _rewired(r: Random, graph: Any) -> None:
    how, node = r.randrange(6), r.choice(graph.node) if graph.node else None
    if node is None or how == 0:
        tensor = r.choice(graph.initializer)
        tensor.dims[:] = [r.choice([0, 1, 3, 2**20, 2**40, -1]) for _ in tensor.dims]
    elif how == 1:
        node.op_type = r.choice(["Loop", "If", "Expand", "Tile", "ConstantOfShape", "Range", "Relu", "No", "Resize"])
    elif how == 2:
        graph.node.remove(node)
    elif how == 3:
        graph.node.append(node)
    elif how == 4 and node.input:
        node.input[r.randrange(len(node.input))] = r.choice(["", "x", *node.output, *r.choice(graph.node).output])
    else:
        for attribute in node.attribute:
            attribute.i = r.choice([0, -1, 1, 2**31, 2**62])
            attribute.ints[:] = [r.choice([0, -1, 1, 2**31, 2**62]) for _ in attribute.ints]


def _record(r: Random, name: str, inside: bytes) -> list[Record]:
    how = r.random()
    if how < 0.03:
        return []
    if how < 0.06:
        return [(name, inside), (name, inside)]
    if how < 0.12:
        return [(name, inside[: r.randrange(len(inside) + 1)])]
    if how < 0.15:
        return [(name.replace("/", r.choice(["//", "/../", "\\"])), inside)]
    return [(name, inside * 50 if how < 0.18 else inside)]


def _other_header(r: Random, content: bytes) -> bytes:
    """The header of a .npy file rewritten; what follows it stays."""
    text, numbers = content[10:128].decode("latin1"), content[128:]
    for _ in range(r.choice([1, 1, 2])):
        text = text.replace(r.choice(_HEADS), r.choice(_OTHER_HEADS), 1)
    head = (text.rstrip()[:117].ljust(117) + "\n").encode("latin1") if r.random() < 0.8 else text.encode("latin1")
    version = r.choice([b"\x01\x00", b"\x01\x00", b"\x02\x00", b"\x03\x00", b"\x09\x00"])
    return b"\x93NUMPY" + version + struct.pack("<H" if version == b"\x01\x00" else "<I", len(head)) + head + numbers


def _zipped_again(content: bytes, changed: Callable[[str, bytes], list[Record]], method: int) -> bytes:
    out = io.BytesIO()
    with (
        warnings.catch_warnings(),
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(out, "w", method) as new,
    ):
        warnings.simplefilter("ignore")
        for info in old.infolist():
            for name, inside in changed(info.filename, old.read(info)):
                new.writestr(name, inside)
    return out.getvalue()
