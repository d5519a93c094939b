"""A pruned model as an ONNX file: smaller where units were removed, with zeros where single weights went."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from torch import fx

from explorer.errors import ExplorerError
from explorer.export.files import check_target, put
from explorer.export.graph import describe_graph
from explorer.export.onnx_original import in_original
from explorer.export.onnx_process import convert
from explorer.export.outputs import apart, flips, in_order, inputs_in_words, judging_inputs, outputs
from explorer.export.proof import SAME_IN_ONNX, Check, Proof
from explorer.export.slim import proven
from explorer.models.from_onnx.judge import LEAST
from explorer.pruning.apply import masked, masked_weights, private_shell, set_parameters
from explorer.pruning.coupling.groups import coupling
from explorer.types import LoadedModel, Plan, Split


@dataclass(frozen=True)
class WrittenOnnx:
    """Where the file is, how many bytes it has, and what it was compared with."""

    path: Path
    n_bytes: int
    proof: Proof


def write_onnx(
    model: LoadedModel, plan: Plan, path: Path | str, *, split: Split | None = None, force: bool = False
) -> WrittenOnnx:
    """Write an ONNX file that was checked, run in ONNX Runtime and answered like the model in torch.

    The batch size is free. Raises ExplorerError when onnx is not installed, the network cannot be
    converted or answers differently, and when the disk refuses; what was there stays.
    """
    target = Path(path)
    check_target(model, target, ".onnx", force=force)
    content, proof = onnx_and_proof(model, plan, split)
    put({target: content})
    return WrittenOnnx(target, len(content), proof)


def onnx_file(model: LoadedModel, plan: Plan, split: Split | None = None) -> bytes:
    """The same file in memory, for a browser's download."""
    return onnx_and_proof(model, plan, split)[0]


def onnx_and_proof(model: LoadedModel, plan: Plan, split: Split | None = None) -> tuple[bytes, Proof]:
    """(the file, what it was compared with); ExplorerError when it does not answer like the model in torch."""
    if plan.kept_shapes:
        proven_model = proven(model, plan, split)
        proven_model.proof.demand()
        if proven_model.proof.onnx:
            return proven_model.proof.onnx, proven_model.proof
        content, _ = convert(proven_model.document, proven_model.tensors, in_order(judging_inputs(model, split)))
        return content, proven_model.proof
    return _of_masked(model, plan, split)


def _of_masked(model: LoadedModel, plan: Plan, split: Split | None) -> tuple[bytes, Proof]:
    proof = masked_in_onnx(model, plan, split)
    proof.demand()
    return proof.onnx, proof


def masked_in_onnx(model: LoadedModel, plan: Plan, split: Split | None = None) -> Proof:
    """How the masked model answers in ONNX Runtime, with its file; the proof may have failed: ask ``ok``.

    A model that came from an ONNX file is written into that file's own graph.
    Raises ExplorerError when the network cannot be converted.
    """
    if model.original:
        return in_original(model, plan, split)
    full = masked(model, plan).module
    graph = _traced(model, plan)
    document, tensors = describe_graph(graph, model.example)
    inputs = judging_inputs(model, split)
    content, answers = convert(document, tensors, in_order(inputs))
    expected = outputs(full, inputs, model.code_seconds)
    difference = apart(expected, answers, LEAST)
    n_flips = flips(expected, answers, None if split is None else split.y) if math.isfinite(difference) else 0
    sentence = f"In ONNX Runtime it differs by {difference:.1e} of the largest output (allowed: {SAME_IN_ONNX:.0e})."
    checks = (
        Check("same_outputs_onnx", difference <= SAME_IN_ONNX, difference, sentence),
        Check("same_predictions_onnx", n_flips == 0, float(n_flips), f"{n_flips} predictions change in ONNX Runtime."),
    )
    return Proof(checks, len(inputs), inputs_in_words(inputs, split), content)


def _traced(model: LoadedModel, plan: Plan) -> fx.GraphModule:
    """The graph of the model with zeros where the plan cuts."""
    coupled = coupling(model)
    if coupled.graph is None:
        why = coupled.why_not or "The network could not be traced."
        raise ExplorerError("This network cannot be converted.", why=why, fix="Export the pruned weights.")
    shell = private_shell(coupled.graph)
    if not isinstance(shell, fx.GraphModule):
        raise TypeError("a copy of a traced graph is a traced graph")
    set_parameters(shell, masked_weights(model, plan))
    return shell
