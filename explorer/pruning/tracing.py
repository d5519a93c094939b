"""Tracing of a network's forward into a graph that can be run, cut and written out."""

from __future__ import annotations

from torch import fx, nn

from explorer.pruning.tracer import OwnThreadTracer
from explorer.types.inputs import Inputs
from explorer.types.step_limit import StepLimit, TooMuchError


def traced(module: nn.Module, example: Inputs) -> fx.GraphModule:
    """The graph of ``module`` on inputs like ``example``; raises what torch.fx raises for code it cannot follow.

    Code of too many steps is given up with a RuntimeError.
    Code that needs the sizes of its inputs as numbers is followed for the sizes of the example: such a graph takes
    any number of samples, and no other sizes.
    """
    errors, limit = [], StepLimit()
    ways: tuple[dict[str, bool], ...] = ({}, {"fixed_sizes": True}, {"opaque": True})
    for options in ways:
        before = set(vars(module))
        try:
            return fx.GraphModule(module, _Tracer(example, limit.again(), **options).trace(module))
        except TooMuchError as error:
            raise RuntimeError(str(error)) from None
        except Exception as error:  # noqa: BLE001 - whatever the user's own forward raises for values that are none
            errors.append(error)
        finally:
            for name in set(vars(module)) - before:  # constants that the tracer left behind
                delattr(module, name)
    raise errors[0]


class _Tracer(OwnThreadTracer):
    # A causal mask is a buffer that is cut to the input's length, which is known only when it runs.
    proxy_buffer_attributes = True
