"""The proof that a smaller network computes what the masked one computes: run, saved, reopened, converted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

from torch import Tensor, fx

from explorer.errors import ExplorerError
from explorer.export.clean import run_clean
from explorer.export.onnx_process import convert, why_no_onnx
from explorer.export.outputs import apart, flips, in_order, inputs_in_words, judging_inputs, outputs
from explorer.export.packing import arch_text, plain_weights
from explorer.models.from_onnx.judge import LEAST
from explorer.pruning.apply import masked
from explorer.types import LoadedModel, Plan, Split
from explorer.types.aliases import JsonDict, JsonObject
from explorer.types.files.reading.scratch import NoScratchError
from explorer.types.stopping import carried

SAME = 1e-5
SAME_IN_ONNX = 1e-4


@dataclass(frozen=True)
class Check:
    """One thing that was tried. ``ok`` is None when it could not be tried here; the sentence says why."""

    name: str
    ok: bool | None
    value: float | None
    sentence: str


@dataclass(frozen=True)
class Proof:
    """All that was tried on one removal; ``ok`` unless something failed. ``n`` inputs were looked at."""

    checks: tuple[Check, ...]
    n: int
    evaluated_on: str
    onnx: bytes = field(default=b"", repr=False, compare=False)

    @property
    def ok(self) -> bool:
        return all(check.ok is not False for check in self.checks)

    @property
    def failed(self) -> Check | None:
        """The first check that failed."""
        return next((check for check in self.checks if check.ok is False), None)

    @property
    def largest_difference(self) -> float:
        """Between masked and sliced, relative to the largest output."""
        return next((c.value for c in self.checks if c.name == "same_outputs" and c.value is not None), math.inf)

    def to_json(self) -> JsonDict:
        """One JSON-able object."""
        checks = [asdict(check) for check in self.checks]
        for check in checks:
            if check["value"] is not None and not math.isfinite(check["value"]):
                check["value"] = None
        return {"ok": self.ok, "n": self.n, "evaluated_on": self.evaluated_on, "checks": checks}

    def demand(self) -> None:
        """ExplorerError with the failing check: red means that no file is made."""
        if self.failed is not None:
            why = self.failed.sentence
            raise ExplorerError("The removal could not be proven, so nothing was written.", why=why, fix=_FIX)


_FIX = "Keep the masked form, which changes no shapes."


@dataclass(frozen=True, eq=False)
class _On:
    """What two forms are compared on: in words, and the labels where there are any."""

    words: str
    labels: Tensor | None


def prove(
    model: LoadedModel,
    plan: Plan,
    small: fx.GraphModule,
    document: JsonObject,
    tensors: Mapping[str, Tensor],
    split: Split | None = None,
) -> Proof:
    """Compare masked and sliced on ``split`` (else on generated inputs), and every file made from it.

    The slim model is saved and run in a clean process that knows nothing of this project; the ONNX
    form is checked by onnx and run in ONNX Runtime, where those are installed.
    """
    inputs = judging_inputs(model, split)
    on, given = _On(inputs_in_words(inputs, split), None if split is None else split.y), in_order(inputs)
    full, cut = outputs(masked(model, plan).module, inputs, model.code_seconds), outputs(small, inputs)
    checks = _compared("", "The smaller network", "the masked one", full, cut, SAME, on)
    # Both wait for a process of their own, so they may as well do so together.
    with ThreadPoolExecutor(2) as pool:
        reopened = pool.submit(carried(_reopened), document, tensors, given, cut, on)
        in_onnx, content = pool.submit(carried(_in_onnx), document, tensors, given, cut, on).result()
    return Proof((*checks, *reopened.result(), *in_onnx), len(inputs), on.words, content)


def _compared(
    part: str, what: str, other: str, one: Sequence[Tensor], two: Sequence[Tensor], most: float, on: _On
) -> list[Check]:
    difference = apart(one, two, LEAST) if part == "_onnx" else apart(one, two)
    n_flips = flips(one, two, on.labels) if math.isfinite(difference) else 0
    outputs_ok = difference <= most
    verb = "answers like" if outputs_ok else "does not answer like"
    sentence = f"{what} {verb} {other} on {on.words}: at most {difference:.1e} of the largest output apart"
    return [
        Check(f"same_outputs{part}", outputs_ok, difference, f"{sentence} (allowed: {most:.0e})."),
        Check(f"same_predictions{part}", n_flips == 0, float(n_flips), f"{n_flips} predictions change."),
    ]


def _reopened(
    document: JsonObject, tensors: Mapping[str, Tensor], inputs: Sequence[Tensor], cut: Any, on: _On
) -> list[Check]:
    try:
        again = run_clean(plain_weights(tensors), arch_text(document), inputs)
    except NoScratchError:
        raise  # nothing was proven, and nothing refuted
    except ExplorerError as error:
        return [Check("same_outputs_reopened", False, None, error.why)]
    what = "Saved and reopened in a clean process it"
    return _compared("_reopened", what, "the smaller network", cut, again, SAME, on)


def _in_onnx(
    document: JsonObject, tensors: Mapping[str, Tensor], inputs: Sequence[Tensor], cut: Any, on: _On
) -> tuple[list[Check], bytes]:
    absent = why_no_onnx()
    if absent:
        return [Check("same_outputs_onnx", None, None, f"Not tried: {absent}")], b""
    try:
        content, again = convert(document, tensors, inputs)
    except NoScratchError:
        raise  # nothing was proven, and nothing refuted
    except ExplorerError as error:
        # The converter lacks some operations; that says nothing against the smaller network itself.
        return [Check("same_outputs_onnx", None, None, f"Not tried: {error.why}")], b""
    return _compared("_onnx", "In ONNX Runtime it", "the smaller network", cut, again, SAME_IN_ONNX, on), content
