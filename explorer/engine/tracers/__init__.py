"""How a model is taken apart, the finest way first: each is tried where the one before does not work or is not exact.

(a) its Python code followed symbolically; (b) the operations that ``torch.export`` writes down; (c) a chain of
blocks, or what of (a) stays in one piece; (d) the model as one step. Code of which (a) takes too long is not tried
by (b), which takes longer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from torch import nn

from explorer.engine.tracers.base import NotTraceableError, Steps, TooLongError, Traced, Tracer, whole_model
from explorer.engine.tracers.chain import chain
from explorer.engine.tracers.exported import exported
from explorer.engine.tracers.symbolic import symbolic
from explorer.types.inputs import Inputs

INEXACT = "taken apart, the model gives other numbers"


def ladder(make_shell: Callable[[], nn.Module], example: Inputs) -> Iterator[Traced]:
    """The ways to run a model, finest first; the last one, as a whole, always works. Each has a shell of its own."""
    reasons: dict[Tracer, NotTraceableError] = {}
    in_pieces: list[Traced] = []
    for tracer in (symbolic, exported, chain):
        if tracer is exported and isinstance(reasons.get(symbolic), TooLongError):
            continue
        traced = _tried(tracer, make_shell(), example, reasons)
        if traced is not None and traced.pieces:
            in_pieces.append(traced)
        elif traced is not None:
            yield traced
    yield from sorted(in_pieces, key=lambda traced: traced.largest_piece)
    yield Traced(Steps(make_shell()), whole_model(example), f"whole: {reasons.get(symbolic, INEXACT)}")


def _tried(
    tracer: Tracer, shell: nn.Module, example: Inputs, reasons: dict[Tracer, NotTraceableError]
) -> Traced | None:
    try:
        return tracer(shell, example)
    except NotTraceableError as error:
        reasons[tracer] = error
        return None
