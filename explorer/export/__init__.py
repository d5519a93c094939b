"""Files out: every one was read back, run or compared before anyone is told that it is there.

Each form has a writer (to a path, whole or not at all) and a twin that makes the same content in memory.
"""

from __future__ import annotations

from explorer.export.onnx_model import WrittenOnnx, onnx_file, write_onnx
from explorer.export.packed import bitmask_file, packed_file, write_bitmask, write_packed
from explorer.export.proof import Check, Proof
from explorer.export.script import masks_sha256, script_text, write_script
from explorer.export.sizes import file_sizes
from explorer.export.slim import Proven, WrittenSlim, packed, proven, slim_file, write_slim
from explorer.export.spec import spec_text, write_spec
from explorer.export.weights import Written, pruned_file, write_pruned

__all__ = [
    "Check",
    "Proof",
    "Proven",
    "Written",
    "WrittenOnnx",
    "WrittenSlim",
    "bitmask_file",
    "file_sizes",
    "masks_sha256",
    "onnx_file",
    "packed",
    "packed_file",
    "proven",
    "pruned_file",
    "script_text",
    "slim_file",
    "spec_text",
    "write_bitmask",
    "write_onnx",
    "write_packed",
    "write_pruned",
    "write_script",
    "write_slim",
    "write_spec",
]
