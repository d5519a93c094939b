"""ONNX, made in a process of its own, checked by onnx and run in ONNX Runtime before it is handed out."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save_file
from torch import Tensor

from explorer.errors import ExplorerError, Refusal
from explorer.export.clean import in_folder
from explorer.types.aliases import JsonObject
from explorer.types.files.reading.scratch import scratch

_ROOT = Path(__file__).resolve().parents[2]
_NEEDED = {"onnx": "onnx", "onnxruntime": "onnxruntime"}
INSTALL = "Install it: pip install -r requirements-export.txt."


def why_no_onnx() -> Refusal | None:
    """Why ONNX files cannot be made here, in a sentence, or None."""
    absent = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    return Refusal(f"{' and '.join(absent)} is not installed.") if absent else None


def convert(
    document: JsonObject, tensors: Mapping[str, Tensor], inputs: Sequence[Tensor]
) -> tuple[bytes, list[Tensor]]:
    """(the ONNX file, its outputs in ONNX Runtime for ``inputs``, 256 at a time).

    The batch size is free. The process that converts cannot take this one down. ExplorerError when
    onnx or onnxruntime is missing, or the network has an operation that cannot be converted.
    """
    absent = why_no_onnx()
    if absent:
        raise ExplorerError("ONNX files cannot be made here.", why=absent, fix=INSTALL)
    with scratch() as folder:
        (folder / "graph.json").write_text(json.dumps(document), encoding="utf-8")
        save_file({name: t.contiguous() for name, t in tensors.items()}, folder / "tensors.safetensors")
        save_file({f"x{i}": x.contiguous() for i, x in enumerate(inputs)}, folder / "inputs.safetensors")
        return _answer(folder, run_module("explorer.export.onnx_worker", folder))


def run_module(module: str, folder: Path, *arguments: str) -> str:
    """Run a module of this project on a folder, in a process of its own; what it said on standard error."""
    places = [str(_ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    more = {"PYTHONPATH": os.pathsep.join(places), "PYTHONDONTWRITEBYTECODE": "1"}
    return in_folder([sys.executable, "-P", "-m", module, str(folder), *arguments], folder, more)


def _answer(folder: Path, answer: str) -> tuple[bytes, list[Tensor]]:
    what, fix = "This network could not be converted to ONNX.", "Export the slim model instead."
    try:
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        if report.get("why"):
            logging.getLogger(__name__).error("%s\n%s", what, report.get("trace", ""))
            raise ExplorerError(what, why=str(report["why"]), fix=fix)
        outputs = load((folder / "outputs.safetensors").read_bytes())
        return (folder / "model.onnx").read_bytes(), [outputs[name] for name in sorted(outputs)]
    except (OSError, ValueError, SafetensorError):
        logging.getLogger(__name__).exception("The converter broke: %s", answer)
        last = (answer.strip().splitlines() or ["it ended without a word"])[-1][:200]
        raise ExplorerError(what, why=f"The converter broke: {last.rstrip('.')}.", fix=fix) from None
