"""What the quantize page asks for: the training it offers, the formats there are, and a grid's points so far."""

from __future__ import annotations

from dataclasses import replace

from explorer.engine.jobs import Job
from explorer.errors import Refusal
from explorer.export.onnx_process import why_no_onnx
from explorer.pruning import allocation
from explorer.pruning.spec import PruneSpec
from explorer.recovery.grid import FORMS, Form, GridPoint
from explorer.recovery.steps import Finetune
from explorer.recovery.training import why_not_trained
from explorer.types import Dataset

EPOCHS = 5
TRAINING = Finetune(epochs=EPOCHS)


def request(spec: PruneSpec) -> PruneSpec:
    """The request on Explore with global pruning over all layers: a grid sets the share itself."""
    return replace(spec, allocation=allocation.get("global"))


def forms(runtime: bool) -> tuple[Form, ...]:
    """All formats, or those that need no runtime."""
    return FORMS if runtime else FORMS[:2]


def why_no_runtime() -> Refusal | None:
    """Why no real int8 files can be made on this machine; None where they can."""
    absent = why_no_onnx()
    return Refusal(str(absent), "Real int8 files need it: pip install -r requirements-export.txt") if absent else None


def why_no_training(dataset: Dataset) -> Refusal | None:
    """Why nothing can be tuned on this data; None where it can."""
    return why_not_trained(TRAINING, dataset)


def points(job: Job | None) -> list[GridPoint]:
    """What a grid has measured so far."""
    return [result for result in (job.results if job is not None else ()) if isinstance(result, GridPoint)]
