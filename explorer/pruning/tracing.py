"""Tracing of a network's forward into a graph, with two habits of attention code that plain tracing refuses."""

from __future__ import annotations

import operator
from collections.abc import Iterator

from torch import fx, nn

from explorer.pruning.tracer import OwnThreadTracer


def traced(module: nn.Module) -> fx.GraphModule:
    """The graph of ``module``; raises what torch.fx raises where the code cannot be followed."""
    return fx.GraphModule(module, _Tracer().trace(module))


class _Value(fx.Proxy):
    """``(*x.shape[:-1], ...)`` is taken as (batch, tokens): running the graph confirms or refutes it."""

    def __len__(self) -> int:
        return 2 if _is_lead(self.node) else super().__len__()


class _Tracer(OwnThreadTracer):
    # A causal mask is a buffer that is cut to the input's length, which is known only when it runs.
    proxy_buffer_attributes = True

    def proxy(self, node: fx.Node) -> fx.Proxy:
        return _Value(node, self)

    def iter(self, obj: fx.Proxy) -> Iterator[fx.Proxy]:
        if _is_lead(obj.node):
            return iter([obj[0], obj[1]])  # type: ignore[index]
        proxies: Iterator[fx.Proxy] = super().iter(obj)
        return proxies


def _is_lead(node: fx.Node) -> bool:
    index = node.args[1] if node.target is operator.getitem else None
    is_start = isinstance(index, slice) and (index.start, index.step) == (None, None) and index.stop in (-1, 2)
    shape = node.args[0] if is_start else None
    return isinstance(shape, fx.Node) and (shape.target == "size" or shape.target is getattr)
