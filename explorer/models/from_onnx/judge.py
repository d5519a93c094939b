"""What ONNX Runtime answers, the judge of every conversion."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

TOLERANCE = 1e-4  # of the largest output
LEAST = 5e-3  # ONNX Runtime computes sigmoid and tanh right to about 2e-7, however small the answer


class Judge:
    """A file run by ONNX Runtime on one thread."""

    def __init__(self, content: bytes | Path, output: str, batch: int | None) -> None:
        """``batch``: how many samples it takes at once, where the file fixes that."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        source = content if isinstance(content, bytes) else str(content)
        self._session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        self._output = output
        self._batch = batch

    def answers(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """The output for these samples, in pieces that the file takes; what does not fill a piece is left out."""
        n = len(next(iter(inputs.values())))
        each = self._batch or n
        parts = [
            self._session.run([self._output], {name: x[i : i + each].numpy() for name, x in inputs.items()})[0]
            for i in range(0, n - each + 1, each)
        ]
        return torch.cat([torch.as_tensor(part) for part in parts])


def apart(one: Tensor, other: object) -> float:
    """The largest difference, relative to the largest output (at least 0.005); infinite for other shapes and NaN."""
    if not isinstance(other, Tensor) or one.shape != other.shape or not one.numel():
        return float("inf")
    one, other = one.double(), other.double()
    difference = float((one - other).abs().max()) / max(LEAST, float(one.abs().max()))
    return difference if difference == difference else float("inf")


def run(module: Callable[..., object], inputs: Mapping[str, Tensor]) -> object:
    """What the network answers."""
    with torch.no_grad():
        return module(**{name: x.clone() for name, x in inputs.items()})
