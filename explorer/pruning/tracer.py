"""Tracing by torch.fx while other threads use modules of their own."""

from __future__ import annotations

import threading
from typing import Any

from torch import fx, nn

from explorer.types.aliases import CallArguments, GraphValue, NamedArguments, Operation

_ONE_AT_A_TIME = threading.Lock()


class OwnThreadTracer(fx.Tracer):
    """A tracer that takes down what its own thread does, and nothing else.

    torch.fx patches ``nn.Module`` for all threads while it traces: calls from other threads pass
    through untouched, and a second tracer waits for the first.
    """

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()

    @property
    def is_foreign(self) -> bool:
        """Whether this is asked by another thread than the one that traces."""
        return threading.get_ident() != self._thread

    def trace(self, root: Any, concrete_args: dict[str, Any] | None = None) -> fx.Graph:
        """The graph of ``root``; raises what its code raises when it is given no real numbers."""
        with _ONE_AT_A_TIME:
            self._thread = threading.get_ident()
            return super().trace(root, concrete_args)

    def call_module(self, m: nn.Module, forward: Operation, args: CallArguments, kwargs: NamedArguments) -> GraphValue:
        """One step, or what the module computes where another thread calls it."""
        return forward(*args, **kwargs) if self.is_foreign else super().call_module(m, forward, args, kwargs)

    def getattr(self, attr: str, attr_val: object, parameter_proxy_cache: dict[str, Any]) -> GraphValue:
        """A step that reads a parameter, or its value where another thread reads it."""
        return attr_val if self.is_foreign else super().getattr(attr, attr_val, parameter_proxy_cache)
