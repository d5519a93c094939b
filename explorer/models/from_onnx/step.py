"""A step of an ONNX graph for which torch has no single function: computed as one, never looked into."""

from __future__ import annotations

from torch import Tensor, nn

from explorer.types.aliases import GraphValue, Operation

ONE_STEP = "one_step"  # what tracers look for in a module


class OpaqueStep(nn.Module):
    """One function of the converter. Tracers leave it whole, so that its channels count as mixed."""

    one_step = True

    def __init__(self, function: Operation, kind: str) -> None:
        super().__init__()
        self.function = function
        self.kind = kind

    def forward(self, *args: GraphValue, **kwargs: GraphValue) -> GraphValue:
        """What the function makes of its inputs."""
        return self.function(*args, **kwargs)

    def extra_repr(self) -> str:
        """The operator it computes."""
        return self.kind


def whole_numbers(scalar: bool, *values: int | Tensor) -> Tensor:
    """Sizes as ONNX has them: a tensor of int64, without dimensions where it is one number."""
    import torch

    numbers = torch.tensor([int(value) for value in values], dtype=torch.int64)
    return numbers[0] if scalar else numbers
