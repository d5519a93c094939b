"""Tracing of a network's forward into a graph that can be run, cut and written out."""

from __future__ import annotations

from torch import fx, nn

from explorer.pruning.tracer import OwnThreadTracer
from explorer.types.inputs import Inputs


def traced(module: nn.Module, example: Inputs) -> fx.GraphModule:
    """The graph of ``module`` on inputs like ``example``; raises what torch.fx raises for code it cannot follow."""
    return fx.GraphModule(module, _Tracer(example).trace(module))


class _Tracer(OwnThreadTracer):
    # A causal mask is a buffer that is cut to the input's length, which is known only when it runs.
    proxy_buffer_attributes = True
