"""What of a file's tensors are weights: not statistics, counters, positions or the state of an optimizer."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from explorer.models.fit.names import OTHERS_COUNTERS

_STATISTICS = {"running_mean", "running_var", "num_batches_tracked", "inv_freq", *OTHERS_COUNTERS}
_OPTIMIZER = {"exp_avg", "exp_avg_sq", "max_exp_avg_sq", "exp_inf", "momentum_buffer", "square_avg", "grad_avg"}


def is_parameter(name: str, tensor: Tensor) -> bool:
    """Whether a tensor of a state dict is a parameter, by name and type; whole numbers are, where called a weight."""
    *path, last = name.split(".")
    if last in _STATISTICS or last in _OPTIMIZER or any(part.lower().startswith("optim") for part in path):
        return False
    return tensor.is_floating_point() or tensor.is_complex() or "weight" in last


def parted(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """(parameters, everything else), each in the order of the file."""
    parameters = {name: tensor for name, tensor in tensors.items() if is_parameter(name, tensor)}
    return parameters, {name: tensor for name, tensor in tensors.items() if name not in parameters}
