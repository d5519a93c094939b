"""A pruned model written back into the ONNX file that it came from: its own graph, with zeros where the plan cuts."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save_file
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.export.onnx_process import run_module
from explorer.export.outputs import apart, flips, inputs_in_words, judging_inputs, outputs
from explorer.export.proof import SAME_IN_ONNX, Check, Proof
from explorer.models.from_onnx.initializers import filled
from explorer.models.from_onnx.judge import LEAST
from explorer.models.from_onnx.origin import Origin
from explorer.pruning.apply import masked
from explorer.types import LoadedModel, Plan, Split
from explorer.types.files.reading.scratch import scratch
from explorer.types.inputs import Inputs, tensors_of

_WHAT = "The ONNX file could not be written."


def in_original(model: LoadedModel, plan: Plan, split: Split | None = None) -> Proof:
    """The file with masked weights, and how it answers in ONNX Runtime beside the masked model in torch.

    The proof may have failed: ask ``ok``. Raises ExplorerError where ONNX Runtime does not run the file.
    """
    full = masked(model, plan).module
    about = model.meta["onnx"]
    origins = {name: Origin(*place) for name, place in about["origins"].items()}
    content = filled(model.original, origins, full.state_dict())
    inputs = judging_inputs(model, split)
    batch = about["batch"] or 0
    if batch > 1:  # what does not fill a batch cannot be asked of the file
        inputs = inputs[: len(inputs) - len(inputs) % batch] if len(inputs) >= batch else _repeated(inputs, batch)
    answers = [_answers(content, about, inputs)]
    expected = [torch.cat(outputs(full, inputs, model.code_seconds))]
    difference = apart(expected, answers, LEAST)
    labels = None if split is None or split.y is None else split.y[: len(inputs)]
    n_flips = flips(expected, answers, labels)
    limit = f"(allowed: {SAME_IN_ONNX:.0e})"
    words = f"In ONNX Runtime its own graph differs by {difference:.1e} of the largest output {limit}."
    checks = (
        Check("same_outputs_onnx", difference <= SAME_IN_ONNX, difference, words),
        Check("same_predictions_onnx", n_flips == 0, float(n_flips), f"{n_flips} predictions change in ONNX Runtime."),
    )
    return Proof(checks, len(inputs), inputs_in_words(inputs, split), content)


def _repeated(inputs: Inputs, n: int) -> Inputs:
    return inputs[torch.arange(n) % len(inputs)]


def _answers(content: bytes, about: Mapping[str, object], inputs: Inputs) -> Tensor:
    """What ONNX Runtime answers, in a process that cannot take this one down."""
    names = about["inputs"]
    if not isinstance(names, Mapping):
        raise TypeError("the names of the inputs are a mapping")
    given = tensors_of(inputs)
    by_file = {file: given[here] if len(names) > 1 else next(iter(given.values())) for file, here in names.items()}
    with scratch() as folder:
        (folder / "model.onnx").write_bytes(content)
        save_file({f"x{i}": x.contiguous() for i, x in enumerate(by_file.values())}, folder / "inputs.safetensors")
        request = {"inputs": list(by_file), "output": about["output"], "batch": about["batch"]}
        (folder / "request.json").write_text(json.dumps(request), encoding="utf-8")
        message = run_module("explorer.models.from_onnx.rerun", folder)
        try:
            report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
            if report.get("why"):
                raise ExplorerError(_WHAT, why=str(report["why"]), fix="Export the pruned weights instead.")
            return load((folder / "outputs.safetensors").read_bytes())["y"]
        except (OSError, ValueError, KeyError, SafetensorError):
            logging.getLogger(__name__).exception("ONNX Runtime broke: %s", message)
            why, fix = "ONNX Runtime ended without an answer.", "Export the pruned weights instead."
            raise ExplorerError(_WHAT, why=why, fix=fix) from None
