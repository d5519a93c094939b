"""The process in which an ONNX file is tried: ``main`` takes FILE, the FOLDER for the answer, the output, its folder.

It reads nothing but the file and what lies beside it, and leaves ``model.onnx`` (the graph made ready),
``original.onnx`` and ``report.json``: the network as torch computes it answers like ONNX Runtime, or there is a
sentence why it cannot be had.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from explorer.errors import ExplorerError
from explorer.models.from_onnx.converted import OPEN_THE_SOURCE, Converted, convert
from explorer.models.from_onnx.declared import Declared, NoSuchOutputError, inputs_of, named
from explorer.models.from_onnx.initializers import holds_all, stripped
from explorer.models.from_onnx.judge import TOLERANCE, Judge, apart, run
from explorer.models.from_onnx.prepared import one_output, simplified, whole
from explorer.text.names import clean
from explorer.types.files.reading.answer import write_report
from explorer.types.files.reading.launch import Clocks
from explorer.types.files.reading.limits import (
    MODEST_BYTES,
    computing_seconds,
    restrict,
    start_clocks,
    waiting_seconds,
)
from explorer.types.files.reading.refusal import RefusedError

if TYPE_CHECKING:
    from onnx import ModelProto

PREPARED, ORIGINAL = "model.onnx", "original.onnx"
RUNNING_SECONDS = 60.0
_ROOM = 2**28  # a quarter of what the values of a pass may take beside the weights
_SIZES = (1, 3)


def clocks_of(n_bytes: int) -> Clocks:
    """How long trying a file of this many bytes may take."""
    return Clocks(RUNNING_SECONDS + computing_seconds(n_bytes), RUNNING_SECONDS + waiting_seconds(n_bytes))


def main(source: str, folder: str, choice: str = "", beside: str = "") -> int:
    """Try the file and leave the answer in ``folder``."""
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    _libraries()
    try:
        answer = _tried(source, Path(folder), choice, Path(beside) if beside else None)
    except (RefusedError, ExplorerError) as refusal:
        answer = {"why": refusal.why, "fix": refusal.fix, "no_such_output": isinstance(refusal, NoSuchOutputError)}
    except (MemoryError, RecursionError):
        answer = {"why": "Running it takes more memory than a network of its size may.", "fix": OPEN_THE_SOURCE}
    write_report(Path(folder), answer)
    return 0


def _libraries() -> None:
    """Load what is needed before the clocks start: a busy machine takes its time for that."""
    import onnx
    import onnxruntime

    from explorer.models.from_onnx import functions, layers, recurrent, shapes

    loaded = [onnx, onnxruntime, functions, layers, recurrent, shapes]
    with suppress(ImportError):
        import onnxsim

        loaded.append(onnxsim)
    logging.getLogger(__name__).debug("Loaded %s.", [library.__name__ for library in loaded])


def _tried(source: str, folder: Path, choice: str, beside: Path | None) -> dict[str, object]:
    with open(source, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise RefusedError("It is not a regular file.", "Name a file.")
        n_bytes = status.st_size + (MODEST_BYTES if beside else 0)
        clocks = clocks_of(n_bytes)
        start_clocks(clocks.computing, clocks.waiting)
        restrict(n_bytes + _ROOM)
        original = whole(file, beside)
    model = simplified(one_output(original, choice))
    output = model.graph.output[0].name
    inputs = inputs_of(model.graph)
    converted = convert(model, inputs[0].batch)
    answer = _compared(original, converted, inputs, output)
    (folder / PREPARED).write_bytes(model.SerializeToString())
    kept = original if holds_all(original, converted) else model
    (folder / ORIGINAL).write_bytes(stripped(kept, converted).SerializeToString())
    opened = [f"{value.name}: {', '.join(value.opened)}" for value in inputs if value.opened]
    return {**answer, "output": output, "batch": inputs[0].batch or 0, "opened": opened}


def _compared(original: ModelProto, converted: Converted, inputs: Sequence[Declared], output: str) -> dict[str, object]:
    """The largest difference to ONNX Runtime; RefusedError where it is too large, or where the network does not run."""
    batch = inputs[0].batch
    try:
        judge = Judge(original.SerializeToString(), output, batch)
    except Exception as error:  # noqa: BLE001  ONNX Runtime raises anything for what it does not take
        raise RefusedError(f"ONNX Runtime does not run it: {_first(error)}.", OPEN_THE_SOURCE) from None
    largest, generator = 0.0, torch.Generator().manual_seed(0)
    for n in (batch or 1, *(size * (batch or 1) for size in _SIZES)):
        samples = {value.name: value.generated(n, generator) for value in inputs}
        expected = _expected(judge, samples, n, output)
        largest = max(largest, _difference(converted, samples, expected, batch))
        if batch is not None and batch > 1:  # one alone, which the file cannot be asked for
            one = {name: x[:1] for name, x in samples.items()}
            largest = max(largest, _difference(converted, one, expected[:1], batch))
    return {"difference": largest}


def _expected(judge: Judge, samples: dict[str, torch.Tensor], n: int, output: str) -> torch.Tensor:
    """What ONNX Runtime answers to n samples: a row of scores for each."""
    try:
        expected = judge.answers(samples)
    except Exception as error:  # noqa: BLE001  ONNX Runtime raises anything for what it does not take
        why = f"ONNX Runtime does not run it on {n} samples: {_first(error)}."
        raise RefusedError(why, OPEN_THE_SOURCE) from None
    if expected.dim() < 1 or len(expected) != n:
        raise RefusedError(f"Its output {output!r} has not one row a sample.", OPEN_THE_SOURCE)
    if not expected.is_floating_point():
        raise RefusedError(f"Its output {output!r} gives whole numbers, not scores.", OPEN_THE_SOURCE)
    return expected


def _difference(
    converted: Converted, samples: dict[str, torch.Tensor], expected: torch.Tensor, batch: int | None
) -> float:
    n = len(expected)
    try:
        difference = apart(expected, run(converted.module, named(samples, converted.inputs)))
    except Exception as error:  # noqa: BLE001  a step of the graph may raise anything
        if batch is not None and n != batch:
            raise _fixed(batch) from None
        raise RefusedError(f"Converted to torch it does not run: {_first(error)}.", OPEN_THE_SOURCE) from None
    if difference <= TOLERANCE:
        return difference
    if batch is not None and n != batch:
        raise _fixed(batch)
    why = f"Converted to torch it differs from ONNX Runtime by {difference:.1e} of the largest output."
    raise RefusedError(why, OPEN_THE_SOURCE)


def _fixed(batch: int) -> RefusedError:
    why = f"Its graph is fixed at {batch} {'sample' if batch == 1 else 'samples'} at a time, and gives others for more."
    return RefusedError(why, "Export it again with an open first dimension (dynamic_axes or dynamic_shapes).")


def _first(error: BaseException) -> str:
    return clean((str(error).strip().splitlines() or [type(error).__name__])[0][:200].rstrip("."))
