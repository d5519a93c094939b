"""The quantising process: ``python -m explorer.export.onnx_int8_worker FOLDER dynamic|static``.

Reads float.onnx, inputs and (for static) calibration inputs from the folder; leaves int8.onnx, what both files
answer in ONNX Runtime, and report.json there. It ends with status 0 whether or not that went well.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from explorer.export.onnx_worker import run, save
from explorer.types.aliases import JsonDict

_CALIBRATION_BATCH = 64
_INT8 = (2, 3)  # the numbers of uint8 and int8 in ONNX
_FLOAT = 1


def main(folder: str, how: str) -> int:
    """Quantise what is in the folder."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    place = Path(folder)
    try:
        report = _quantize(place, how)
    except Exception as error:  # noqa: BLE001  the quantiser raises anything for what it does not know
        first = (str(error).splitlines() or [""])[0][:200].rstrip(".")
        report = {"why": f"{type(error).__name__}: {first}.", "trace": traceback.format_exc()}
    (place / "report.json").write_text(json.dumps(report), encoding="utf-8")
    return 0


def _quantize(place: Path, how: str) -> JsonDict:
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    given, prepared, quantized = (str(place / name) for name in ("float.onnx", "prepared.onnx", "int8.onnx"))
    # Batch norms are folded into convolutions and shapes written down: what the quantiser asks for.
    quant_pre_process(given, prepared, skip_symbolic_shape=True)
    names = [i.name for i in onnx.load(given).graph.input]
    if how == "dynamic":
        # ONNX Runtime's convolution of whole numbers is much faster with unsigned weights.
        quantize_dynamic(prepared, quantized, per_channel=True, weight_type=QuantType.QUInt8)
    else:
        _static(prepared, quantized, names, _tensors(place / "calibration.safetensors"))
    onnx.checker.check_model(quantized, full_check=True)
    inputs = _tensors(place / "inputs.safetensors")
    for name in ("float", "int8"):
        save(run(place / f"{name}.onnx", names, inputs), place / f"{name}-outputs.safetensors")
    return _contents(onnx.load(quantized).graph)


def _static(prepared: str, quantized: str, names: list[str], calibration: list[Tensor]) -> None:
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Samples(CalibrationDataReader):  # type: ignore[misc]  # its package has no types
        def __init__(self) -> None:
            self._batches = _batches(names, calibration)

        def get_next(self) -> JsonDict | None:
            return next(self._batches, None)

    quantize_static(
        prepared,
        quantized,
        Samples(),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )


def _batches(names: list[str], calibration: list[Tensor]) -> Iterator[JsonDict]:
    for start in range(0, len(calibration[0]), _CALIBRATION_BATCH):
        parts = (x[start : start + _CALIBRATION_BATCH].numpy() for x in calibration)
        yield dict(zip(names, parts, strict=True))


def _tensors(path: Path) -> list[Tensor]:
    return [x for _, x in sorted(load_file(path).items())]


def _contents(graph: Any) -> JsonDict:
    """How many weights are whole numbers, how many stayed float, and in which operations."""
    used = {name: node.op_type for node in graph.node for name in node.input}
    sizes: Counter[int] = Counter()
    left: Counter[str] = Counter()
    for stored in graph.initializer:
        n = 1
        for size in stored.dims:
            n *= size
        # Scales, zero points and biases are vectors.
        if len(stored.dims) >= 2 and stored.data_type in (*_INT8, _FLOAT):
            sizes[stored.data_type] += n
            if stored.data_type == _FLOAT:
                left[used.get(stored.name, "nothing")] += n
    n_int8 = sum(sizes[kind] for kind in _INT8)
    operations = Counter(node.op_type for node in graph.node)
    return {"n_int8": n_int8, "n_float": sizes[_FLOAT], "left": dict(left), "operations": dict(operations)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
