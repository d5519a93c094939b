"""The converting process: ``python -m explorer.export.onnx_worker FOLDER``.

Reads graph.json, tensors and inputs from the folder; leaves model.onnx, the outputs of ONNX Runtime
and report.json there. It ends with status 0 whether or not that went well.
"""

from __future__ import annotations

import json
import sys
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from explorer.models.slim.document import Graph, GraphStep, read
from explorer.models.slim.network import build
from explorer.models.slim.running import arguments, call, resolved
from explorer.types.aliases import CallArguments, GraphValue, NamedArguments

# 18 is the newest that the converter for traced programs writes in full; every runtime of today reads it.
OPSET = 18
_BATCH = 256


def main(folder: str) -> int:
    """Convert what is in the folder."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    place = Path(folder)
    try:
        report = _convert(place)
    except Exception as error:  # noqa: BLE001  the converter raises anything for what it does not know
        first = (str(error).splitlines() or [""])[0][:200].rstrip(".")
        report = {"why": f"{type(error).__name__}: {first}.", "trace": traceback.format_exc()}
    (place / "report.json").write_text(json.dumps(report), encoding="utf-8")
    return 0


def _convert(place: Path) -> dict[str, Any]:
    import onnx

    graph = read(json.loads((place / "graph.json").read_text(encoding="utf-8")))
    network = _Converted(graph, build(graph, load_file(place / "tensors.safetensors")))
    inputs = [x for _, x in sorted(load_file(place / "inputs.safetensors").items())]
    names = [f"input{i}" if i else "input" for i in range(len(inputs))]
    # Two samples: a batch of one would let the converter take the batch for a constant.
    example = tuple(x[:1].repeat(2, *[1] * (x.dim() - 1)) for x in inputs)
    with torch.no_grad():
        answer = network(*example)
        outputs = [f"output{i}" if i else "output" for i in range(_n_tensors(answer))]
        torch.onnx.export(
            network,
            example,
            str(place / "model.onnx"),
            dynamo=False,
            opset_version=OPSET,
            input_names=names,
            output_names=outputs,
            dynamic_axes={name: {0: "batch"} for name in (*names, *outputs)},
        )
    onnx.checker.check_model(str(place / "model.onnx"), full_check=True)
    save(run(place / "model.onnx", names, inputs), place / "outputs.safetensors")
    return {"opset": OPSET}


class _Converted(nn.Module):
    """The network with a few operations in other words, for which the converter has none or wrong ones."""

    def __init__(self, graph: Graph, network: nn.Module) -> None:
        super().__init__()
        self.graph = graph
        self.network = network

    def forward(self, *inputs: Tensor) -> GraphValue:
        """What the network makes of these inputs."""
        given = iter(inputs)
        values: dict[str, GraphValue] = {}
        for step in self.graph.steps:
            values[step.name] = next(given) if step.op == "input" else self._one(step, *arguments(step, values))
        return resolved(self.graph.output, values)

    def _one(self, step: GraphStep, args: CallArguments, kwargs: NamedArguments) -> GraphValue:
        name = step.target.rpartition(".")[2]
        if name == "movedim" and len(args) == 3:
            return _moved(*args)
        if name == "rms_norm" and step.op == "call":
            return _rms_norm(*args, **kwargs)
        if step.op == "layer" and isinstance(layer := self.network.get_submodule(step.target), nn.RMSNorm):
            return _rms_norm(args[0], layer.normalized_shape, layer.weight, layer.eps)
        return call(self.network, step, args, kwargs)


def _moved(x: Tensor, source: Any, destination: Any) -> Tensor:
    """``movedim`` without negative numbers: the converter does not know how many dimensions there are."""
    pairs = [(source, destination)] if isinstance(source, int) else list(zip(source, destination, strict=True))
    placed = {to % x.dim(): start % x.dim() for start, to in pairs}
    rest = iter(d for d in range(x.dim()) if d not in placed.values())
    return x.permute([placed[d] if d in placed else next(rest) for d in range(x.dim())])


def _rms_norm(x: Tensor, normalized_shape: Any, weight: Tensor | None = None, eps: float | None = None) -> Tensor:
    dims = [-1 - i for i in range(len(normalized_shape))]
    small = torch.finfo(x.dtype).eps if eps is None else eps
    scaled = x * torch.rsqrt(x.pow(2).mean(dims, keepdim=True) + small)
    return scaled if weight is None else scaled * weight


def _n_tensors(value: GraphValue) -> int:
    if isinstance(value, Tensor):
        return 1
    inner = value.values() if isinstance(value, dict) else value
    return sum(_n_tensors(v) for v in inner)


def run(path: Path, names: Sequence[str], inputs: Sequence[Tensor]) -> list[Tensor]:
    """What ONNX Runtime answers on one thread, 256 inputs at a time: every output of each batch, in order."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    outputs: list[Tensor] = []
    for start in range(0, len(inputs[0]), _BATCH):
        batch = {n: x[start : start + _BATCH].numpy() for n, x in zip(names, inputs, strict=True)}
        outputs += [torch.from_numpy(y) for y in session.run(None, batch)]
    return outputs


def save(tensors: Sequence[Tensor], path: Path) -> None:
    """Put answers into a file that keeps their order."""
    save_file({f"{i:06d}": t.contiguous().clone() for i, t in enumerate(tensors)}, path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
