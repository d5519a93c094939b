"""GGUF files: every block is read as the numbers that it stands for, and a header that lies is refused."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from explorer import models
from explorer.errors import ExplorerError
from explorer.models.reader.gguf_blocks import layout_of
from tests.cli.asked import result
from tests.models.weights_on_disk import assert_plain

KINDS = {"Q4_0": 2, "Q4_1": 3, "Q5_0": 6, "Q5_1": 7, "Q8_0": 8, "Q4_K": 12, "Q5_K": 13, "Q6_K": 14}


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def entry(name: str, value: str | int) -> bytes:
    stored = text(value) if isinstance(value, str) else struct.pack("<I", value)
    return text(name) + struct.pack("<I", 8 if isinstance(value, str) else 4) + stored


def tensor(name: str, sizes: Sequence[int], kind: int, offset: int) -> bytes:
    """As the format has it: the sizes from the innermost outwards."""
    return text(name) + struct.pack(f"<I{len(sizes)}QIQ", len(sizes), *sizes, kind, offset)


def gguf(tensors: Sequence[bytes], body: bytes = b"", entries: Sequence[bytes] = (), **counts: int) -> bytes:
    n_tensors, n_entries = counts.get("n_tensors", len(tensors)), counts.get("n_entries", len(entries))
    head = b"GGUF" + struct.pack("<IQQ", counts.get("version", 3), n_tensors, n_entries)
    head += b"".join(entries) + b"".join(tensors)
    return head + bytes(-len(head) % 32) + body


def halves(*numbers: float) -> bytes:
    return np.array(numbers, dtype="<f2").tobytes()


def test_blocks_are_read_by_the_formulas_of_their_types(tmp_path: Path) -> None:
    """By hand: of four bits the lower halves of 16 bytes come first, then the upper ones; less 8, or from a minimum."""
    packed = bytes(k | (15 - k) << 4 for k in range(16))
    four = halves(0.5) + packed  # Q4_0: (q - 8) / 2
    least = halves(0.25, -1.0) + packed  # Q4_1: q / 4 - 1
    eight = halves(2.0) + np.arange(-16, 16, dtype=np.int8).tobytes()  # Q8_0: 2 q
    plain = np.array([[1.5, -2.0], [0.0, 3.0], [4.0, 5.0]], dtype="<f4").tobytes()
    places = [tensor("four", (32, 1), 2, 0), tensor("least", (32, 1), 3, 32), tensor("eight", (32, 1), 8, 64)]
    body = b"".join(part + bytes(-len(part) % 32) for part in (four, least, eight, plain))
    path = tmp_path / "w.gguf"
    path.write_bytes(gguf([*places, tensor("plain", (2, 3), 0, 128)], body, [entry("general.name", "Small")]))
    weights = models.load(str(path)).weights
    digits = torch.tensor([*range(16), *reversed(range(16))], dtype=torch.float32)
    assert torch.equal(weights["four"], ((digits - 8) / 2)[None])
    assert torch.equal(weights["least"], (digits / 4 - 1)[None])
    assert torch.equal(weights["eight"], 2 * torch.arange(-16.0, 16)[None])
    assert weights["plain"].tolist() == [[1.5, -2.0], [0.0, 3.0], [4.0, 5.0]]


def test_every_type_of_block_is_read_as_by_the_package_of_llama_cpp() -> None:
    quants: Any = pytest.importorskip("gguf.quants", reason="the package gguf is not installed")
    constants: Any = pytest.importorskip("gguf.constants")
    for name, kind in KINDS.items():
        layout = layout_of(kind, name)
        blocks = np.random.default_rng(kind).integers(0, 256, (70, layout.n_bytes), dtype=np.uint8)
        scales = {"Q6_K": [208], "Q4_0": [0], "Q5_0": [0], "Q8_0": [0]}.get(name, [0, 2])
        for at in scales:  # no infinite ones among random bits
            blocks[:, at : at + 2] = np.random.default_rng(at).normal(size=(70, 1)).astype("<f2").view(np.uint8)
        theirs = quants.dequantize(blocks, constants.GGMLQuantizationType[name])
        assert np.array_equal(layout.numbers(torch.from_numpy(blocks)).numpy(), theirs.reshape(-1)), name
        assert (layout.n_values, layout.n_bytes) == constants.GGML_QUANT_SIZES[kind]


def test_a_file_of_four_bits_says_so_and_is_inspected_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "w.gguf"
    path.write_bytes(gguf([tensor("blk.0.attn_q.weight", (32, 4), 3, 0)], (halves(1, 0) + bytes(range(16))) * 4))
    model = models.load(str(path))
    note = "Stored quantized: 1 tensor in 4 bits (Q4_1). Shown are the 32-bit numbers that they stand for."
    assert model.repairs == (note,)
    inspected = result(capsys, "inspect", str(path))
    assert inspected["repairs"] == [note]
    assert [(layer["name"], layer["shape"]) for layer in inspected["layers"]] == [("blk.0.attn_q", [4, 32])]


def test_headers_that_lie_are_refused_with_a_sentence() -> None:
    one = tensor("w", (32, 1), 0, 0)
    body = bytes(128)
    long_list = text("tokens") + struct.pack("<IIQ", 9, 0, 2**62)
    lists_of_lists = text("tokens") + struct.pack("<IIQ", 9, 9, 2**20)
    hostile = {
        "cut off": gguf([one], body)[:40],
        "numbers cut off": gguf([one], body)[:-1],
        "version": gguf([one], body, version=1),
        "tensors": gguf([one], body, n_tensors=2**60),
        "entries": gguf([one], body, n_entries=2**60),
        "long name": gguf([struct.pack("<Q", 2**63) + b"w"], body),
        "long list": gguf([one], body, [long_list]),
        "lists of lists": gguf([one], body, [lists_of_lists]),
        "no UTF-8": gguf([struct.pack("<Q", 1) + b"\xff" + bytes(40)], body),
        "dimensions": gguf([tensor("w", (1,) * 5, 0, 0)], body),
        "size": gguf([tensor("w", (2**62, 2**62), 0, 0)], body),
        "empty and large": gguf([tensor("w", (0, 2**63), 0, 0)], body),
        "offset": gguf([tensor("w", (32, 1), 0, 2**63)], body),
        "overlap": gguf([one, tensor("v", (32, 1), 0, 64)], bytes(256)),
        "twice": gguf([one, tensor("w", (32, 1), 0, 128)], bytes(256)),
        "two entries": gguf([one], body, [entry("a", 1), entry("a", 2)]),
        "alignment": gguf([one], body, [entry("general.alignment", 0)]),
        "no whole blocks": gguf([tensor("w", (31, 2), 2, 0)], body),
        "unknown type": gguf([tensor("w", (256, 1), 99, 0)], bytes(1000)),
        "type that is not read": gguf([tensor("w", (256, 1), 10, 0)], bytes(1000)),
        "nothing": gguf([]),
    }
    for case, content in hostile.items():
        with pytest.raises(ExplorerError) as caught:
            models.open_upload(content, "w.gguf")
        assert_plain(caught.value)
        assert "ended" not in caught.value.why, case
        assert "no usable answer" not in caught.value.why, case
