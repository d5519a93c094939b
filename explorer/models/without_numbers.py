"""Modules with shapes but without numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from explorer.types.aliases import CallArguments, GraphValue, NamedArguments, Operation

_DRAWN = (nn.init.normal_, nn.init.uniform_, Tensor.normal_, Tensor.uniform_)


@contextmanager
def without_numbers() -> Iterator[None]:
    """What is built inside takes no memory, and no first weights are drawn for it.

    Without memory there is nothing to draw into; torch would load its compiler, for seconds, only to find that out.
    """
    with torch.device("meta"), _NothingDrawn():
        yield


class _NothingDrawn(TorchFunctionMode):
    def __torch_function__(
        self, func: Operation, types: object, args: CallArguments = (), kwargs: NamedArguments | None = None
    ) -> GraphValue:
        if func in _DRAWN:
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))
