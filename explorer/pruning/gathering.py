"""One pass over samples of the fit split, for criteria that look beyond the weights."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, is_dataclass

import torch
from torch import nn

from explorer.errors import ExplorerError, Refusal
from explorer.pruning.criteria.base import Criterion
from explorer.pruning.evidence import COLLECTORS
from explorer.pruning.evidence.base import Collector, Evidence
from explorer.pruning.evidence.curvature import Curvature
from explorer.pruning.evidence.running import one_thread
from explorer.pruning.evidence.squared_gradients import SquaredGradients
from explorer.pruning.running import are_tokens, fitting, runnable, why_no_classes
from explorer.types import Dataset, LoadedModel, Split

_OF_CLASSES = {Curvature.key, SquaredGradients.key}  # one row of scores a sample, not one for each token


def why_no_evidence(model: LoadedModel, criterion: Criterion, data: Dataset | None) -> Refusal | None:
    """Why this criterion cannot look at this data, in a sentence; None where it can, or needs none."""
    if not criterion.needs:
        return None
    if model.module is None:
        return Refusal(
            f"{criterion.label} runs the model. {model.why_not_runnable or 'Its architecture is not known.'}"
        )
    if data is None or data.address == "none":
        return Refusal(f"{criterion.label} looks at data, and there is none.")
    fit = data.splits.get("fit")
    if fit is None:
        return Refusal(
            f"{criterion.label} looks at the fit split.", data.why_no_split.get("fit", "These data have none.")
        )
    if fit.y is None and any(COLLECTORS[kind].labels for kind in criterion.needs):
        return Refusal(f"{criterion.label} follows the loss back, and these data have no labels.")
    # Curvature needs no labels, but it is that of the cross entropy.
    losses = {kind for kind in criterion.needs if COLLECTORS[kind].labels or kind == Curvature.key}
    if fit.y is not None and are_tokens(fit.y):
        losses &= _OF_CLASSES
    why_not = why_no_classes(fit.y)
    if why_not is not None and losses:
        return Refusal(f"{criterion.label} follows the loss of a classifier back. {why_not}")
    return None


def gather(
    model: LoadedModel, criterion: Criterion, data: Dataset | None, *, half: int | None = None
) -> Evidence | None:
    """What the criterion wants to know, from the first ``n_samples`` of the fit split; None if it needs nothing.

    The split is in a fixed, fair order, so the same request sees the same samples. ``half`` takes
    every other sample (0: even places, 1: odd), to see how much scores depend on the draw.

    Raises ExplorerError where there is nothing to look at.
    """
    if not criterion.needs:
        return None
    why = why_no_evidence(model, criterion, data)
    if why is not None or data is None:
        raise ExplorerError(
            f"{criterion.label} cannot be computed here.",
            why=why,
            fix="Give labelled data with a fit split (a folder can be divided: splits 0.5/0.25/0.25), "
            "or choose a criterion that needs none, such as magnitude.",
        )
    split = _first(runnable(model), data.splits["fit"], int(getattr(criterion, "n_samples", 256)), half)
    text = json.dumps([data.digest, len(split), half])
    source = hashlib.sha256(text.encode()).hexdigest()[:16]
    # Whoever calls may have turned gradients off.
    with one_thread(), torch.inference_mode(False), torch.enable_grad():
        kinds = {kind: _collector(kind, criterion).collect(model, split) for kind in sorted(criterion.needs)}
    return Evidence(len(split), source, kinds)


def _collector(kind: str, criterion: Criterion) -> Collector:
    """What collects this kind; fields that it has (steps, a seed) take the criterion's values."""
    collector = COLLECTORS[kind]
    names: list[str] = [field.name for field in fields(collector)] if is_dataclass(collector) else []
    return collector(**{name: getattr(criterion, name) for name in names})


def _first(module: nn.Module, split: Split, n: int, half: int | None) -> Split:
    places = slice(None, n) if half is None else slice(half, n, 2)
    return Split(split.name, fitting(split.x[places], module), None if split.y is None else split.y[places])
