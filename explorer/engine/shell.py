"""Private modules around shared tensors.

A module is code and a place for tensors. Evaluations share the tensors, which nobody writes
to, and never the module: each gets one of its own, with masked tensors in place of some.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn


def private_shell(module: nn.Module, replaced: Mapping[int, Tensor] | None = None) -> nn.Module:
    """A copy of the module's structure around the same parameters and buffers.

    ``replaced`` maps the id of a parameter to the tensor that takes its place, wherever it
    occurs: tied weights and the flat lists of recurrent layers follow.
    """
    memo: dict[int, Any] = {id(tensor): tensor for part in module.modules() for tensor in _tensors_in(part)}
    for key, tensor in (replaced or {}).items():
        memo[key] = nn.Parameter(tensor, requires_grad=False)
    shell: nn.Module = copy.deepcopy(module, memo)
    return shell


def _tensors_in(module: nn.Module) -> list[Tensor]:
    """Parameters, buffers, and tensors kept as plain attributes, which cannot be copied deeply."""
    own = [*module._parameters.values(), *module._buffers.values(), *vars(module).values()]
    return [tensor for tensor in own if isinstance(tensor, Tensor)]
