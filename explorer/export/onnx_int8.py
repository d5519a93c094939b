"""A pruned model as an ONNX file in int8, made by ONNX Runtime's own quantiser: real bytes, answers and times.

``dynamic``: weights are int8, the ranges of activations are found anew for each input. ``static``: the ranges are
fixed beforehand on samples of the fit split (QDQ form, one scale for each output channel).
Source: Krishnamoorthi 2018, arXiv:1806.08342; https://onnxruntime.ai/docs/performance/model-optimizations/quantization
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save_file
from torch import Tensor

from explorer.engine.evaluator import Evaluator
from explorer.engine.tally import BatchResult, Tally, per_sample
from explorer.errors import ExplorerError, Refusal
from explorer.export.files import check_target, put
from explorer.export.onnx_model import onnx_and_proof
from explorer.export.onnx_process import INSTALL, run_module, why_no_onnx
from explorer.export.outputs import in_order, judging_inputs
from explorer.export.proof import Proof
from explorer.metrics.latency import Latency, latency
from explorer.metrics.origin import machine, today
from explorer.pruning.layers import layer_table
from explorer.text.numbers import percent
from explorer.types import Dataset, Evaluation, LoadedModel, Measurement, Plan, Split
from explorer.types.aliases import JsonDict
from explorer.types.files.reading.scratch import scratch

Int8Method = Literal["dynamic", "static"]
INT8_METHODS: tuple[Int8Method, ...] = ("dynamic", "static")
N_CALIBRATION = 256
# ONNX operations that have no int8 form in ONNX Runtime, by the class of the layer.
_STAYS_FLOAT: dict[Int8Method, frozenset[str]] = {
    "dynamic": frozenset({"GRU", "RNN"}),
    "static": frozenset({"GRU", "RNN", "LSTM"}),
}
_WHAT = "This network could not be quantized by ONNX Runtime."
_SIMULATE = "Use simulated int8 weights instead: they need no runtime."


@dataclass(frozen=True, eq=False)
class Int8Onnx:
    """The int8 file and the float file it was made from, with what both answered in ONNX Runtime.

    ``outputs`` and ``float_outputs``: every output tensor, batch after batch. ``int8_share``: how many of the
    weights (matrices and kernels) are stored as int8. ``proof`` is of the float file. ``notes``: one sentence each.
    """

    how: Int8Method
    content: bytes = field(repr=False)
    float_content: bytes = field(repr=False)
    outputs: Sequence[Tensor] = field(repr=False)
    float_outputs: Sequence[Tensor] = field(repr=False)
    int8_share: float
    notes: tuple[str, ...]
    proof: Proof


def why_not_int8(model: LoadedModel, how: Int8Method) -> Refusal | None:
    """Why ONNX Runtime gives no useful int8 form of ``model``, in a sentence; None where it does."""
    absent = why_no_onnx()
    if absent:
        return Refusal(absent.what, fix=INSTALL)
    if model.module is None:
        return Refusal(model.why_not_runnable or "The model cannot be run.")
    layers = layer_table(model).prunable
    stays = [layer for layer in layers if layer.kind in _STAYS_FLOAT[how]]
    n, n_stay = sum(x.n_weights for x in layers), sum(x.n_weights for x in stays)
    if 2 * n_stay <= n:
        return None
    kinds = " and ".join(sorted({layer.kind for layer in stays}))
    return Refusal(
        f"ONNX Runtime has no {how} int8 form of {kinds}: {percent(n_stay / n)} of the weights would stay float."
    )


def int8_onnx(
    model: LoadedModel,
    plan: Plan,
    how: Int8Method,
    *,
    data: Dataset | None = None,
    split: Split | None = None,
    float_model: tuple[bytes, Proof] | None = None,
) -> Int8Onnx:
    """The pruned model in int8; the float file before it was proven against torch as always.

    ``split`` (the tune split unless given) is what both answer to; calibration takes the first 256 samples of
    ``data``'s fit split, or generated inputs where there is none. A process of its own does the work.
    ``float_model`` is the float file with its proof (``onnx_and_proof``), where it is there already.
    Raises ExplorerError where onnx is missing or the network has no int8 form.
    """
    why = why_not_int8(model, how)
    if why is not None:
        raise ExplorerError(f"There is no {how} int8 form of {model.address}.", why=why, fix=_SIMULATE)
    evaluated_on = split or (data.splits.get("tune") if data is not None else None)
    content, proof = float_model or onnx_and_proof(model, plan, evaluated_on)
    calibration, note = _calibration(model, data)
    with scratch() as folder:
        (folder / "float.onnx").write_bytes(content)
        for name, tensors in (("inputs", in_order(judging_inputs(model, evaluated_on))), ("calibration", calibration)):
            save_file({f"x{i}": x.contiguous() for i, x in enumerate(tensors)}, folder / f"{name}.safetensors")
        answer = run_module("explorer.export.onnx_int8_worker", folder, how)
        report, quantized, answers, before = _read(folder, answer)
    notes = (*_left(report), *((note,) if how == "static" else ()))
    share = report["n_int8"] / max(1, report["n_int8"] + report["n_float"])
    return Int8Onnx(how, quantized, content, answers, before, share, notes, proof)


def _calibration(model: LoadedModel, data: Dataset | None) -> tuple[tuple[Tensor, ...], str]:
    fit = data.splits.get("fit") if data is not None else None
    if fit is None:
        generated = in_order(judging_inputs(model, None))
        return generated, f"Ranges of activations are from {len(generated[0])} generated inputs: there is no fit split."
    x = fit.x[:N_CALIBRATION]
    return in_order(x), f"Ranges of activations are from {len(x)} samples of the fit split."


def _read(folder: Path, answer: str) -> tuple[JsonDict, bytes, list[Tensor], list[Tensor]]:
    try:
        report: JsonDict = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        if report.get("why"):
            logging.getLogger(__name__).error("%s\n%s", _WHAT, report.get("trace", ""))
            raise ExplorerError(_WHAT, why=str(report["why"]), fix=_SIMULATE)
        outputs = [load((folder / f"{name}-outputs.safetensors").read_bytes()) for name in ("int8", "float")]
        answers, before = ([each[name] for name in sorted(each)] for each in outputs)
        content = (folder / "int8.onnx").read_bytes()
    except (OSError, ValueError, SafetensorError):
        logging.getLogger(__name__).exception("The quantiser broke: %s", answer)
        last = (answer.strip().splitlines() or ["it ended without a word"])[-1][:200]
        raise ExplorerError(_WHAT, why=f"The quantiser broke: {last.rstrip('.')}.", fix=_SIMULATE) from None
    if not report["n_int8"]:
        raise ExplorerError(_WHAT, why="None of its operations has an int8 form.", fix=_SIMULATE)
    if not all(bool(torch.isfinite(t).all()) for t in answers if t.is_floating_point()):
        raise ExplorerError(_WHAT, why="In int8 it answers with numbers that are not finite.", fix=_SIMULATE)
    return report, content, answers, before


def _left(report: JsonDict) -> list[str]:
    """Where weights stayed float, in a sentence."""
    left = {kind: n for kind, n in report["left"].items() if n}
    if not left:
        return []
    kinds = ", ".join(f"{kind} ({n:,})" for kind, n in sorted(left.items(), key=lambda item: -item[1]))
    return [f"Some weights stay float, since ONNX Runtime has no int8 form for them here: {kinds}."]


def evaluation(outputs: Sequence[Tensor], split: Split, dense: BatchResult) -> Evaluation:
    """What outputs of a runtime are worth: accuracy, and the drop against the dense model in torch.

    ``outputs``: those of all samples of ``split``, in its order; ``dense``: ``Evaluator.dense_results()`` of it.
    Raises ExplorerError for a network that does not give one output for each sample, or not of the labels' kind.
    """
    if sum(map(len, outputs)) != len(split) or len({t.shape[1:] for t in outputs}) != 1:
        why = "It does not give one output for each sample."
        raise ExplorerError("The accuracy of this network cannot be measured in ONNX Runtime.", why=why, fix=_SIMULATE)
    tally = Tally(len(split), 256, "cpu")
    tally.add(per_sample(torch.cat(list(outputs)).float(), split.y, dense))
    return tally.evaluation(0.0)


def int8_latency(exported: Int8Onnx, example: object, *, batch: int = 1, pairs: int = 30, threads: int = 1) -> Latency:
    """The float file (as ``dense``) and the int8 file (as ``pruned``) in turns, in ONNX Runtime."""
    given = {"batch": batch, "pairs": pairs, "threads": threads}
    return latency(exported.float_content, exported.content, example, runtime="onnx", **given)  # type: ignore[arg-type]


def speed_sentence(latency: Latency) -> str:
    """What may be said of the int8 file's speed: only what was measured, and only beyond doubt."""
    ratio, threads = latency.ratio, f"{latency.threads} thread{'s' * (latency.threads > 1)}"
    times = f"{latency.dense.value:.3g} ms float, {latency.pruned.value:.3g} ms int8"
    where = f"batch {latency.batch}, {threads}, {latency.n} pairs, ONNX Runtime on this machine"
    if not latency.settled:
        return f"Measured: no difference in time beyond doubt ({times}; {where})."
    change = f"{ratio.value:.2f}x faster" if ratio.value > 1 else f"{1 / ratio.value:.2f}x slower"
    return f"Measured: int8 is {change} than the same network in float ({times}; {where})."


@dataclass(frozen=True, eq=False)
class MeasuredInt8:
    """An int8 file in numbers: its bytes, its accuracy against the dense model, its time against the float file."""

    size: Measurement
    evaluation: Evaluation
    latency: Latency | None
    notes: tuple[str, ...]


class Int8Runtime:
    """ONNX Runtime as a grid asks for it: called with a model, a plan and a form, it gives a ``MeasuredInt8``.

    ``evaluator`` is one of the dense float model, which drops are against, on the samples to measure; calibration is
    on ``data``'s fit split. ``timed`` takes a second more. The float file of the last network is kept for its
    other form. Calls raise ExplorerError as :func:`int8_onnx` does.
    """

    def __init__(self, data: Dataset, evaluator: Evaluator, *, timed: bool = True) -> None:
        self._data, self._evaluator, self._timed = data, evaluator, timed
        self._last: tuple[tuple[str, str], tuple[bytes, Proof]] | None = None

    def __call__(self, model: LoadedModel, plan: Plan, how: Int8Method) -> MeasuredInt8:
        """Export, quantize, run and time."""
        judge = self._evaluator
        exported = int8_onnx(model, plan, how, data=self._data, split=judge.split, float_model=self._known(model, plan))
        self._last = ((model.digest, plan.digest), (exported.float_content, exported.proof))
        result = evaluation(exported.outputs, judge.split, judge.dense_results())
        note = "The file ONNX Runtime opens, zeros included."
        size = Measurement(
            "onnx", len(exported.content), "bytes", "measured", machine=machine(), date=today(), note=note
        )
        return MeasuredInt8(
            size, result, int8_latency(exported, model.example) if self._timed else None, exported.notes
        )

    def _known(self, model: LoadedModel, plan: Plan) -> tuple[bytes, Proof] | None:
        is_same = self._last is not None and self._last[0] == (model.digest, plan.digest)
        return self._last[1] if self._last is not None and is_same else None


@dataclass(frozen=True)
class WrittenInt8:
    """Where the int8 file is, its bytes on disk, those of the float file, and what was found on the way."""

    path: Path
    n_bytes: int
    float_bytes: int
    file: Int8Onnx


def write_onnx_int8(
    model: LoadedModel,
    plan: Plan,
    path: Path | str,
    how: Int8Method,
    *,
    data: Dataset | None = None,
    force: bool = False,
) -> WrittenInt8:
    """Write the int8 ONNX file, whole or not at all; it was checked by onnx and run in ONNX Runtime.

    Raises ExplorerError as :func:`int8_onnx` does, for names that do not end in .onnx, for files that
    exist (unless ``force``), and when the disk refuses; what was there stays.
    """
    target = Path(path)
    check_target(model, target, ".onnx", force=force)
    exported = int8_onnx(model, plan, how, data=data)
    put({target: exported.content})
    return WrittenInt8(target, target.stat().st_size, len(exported.float_content), exported)
