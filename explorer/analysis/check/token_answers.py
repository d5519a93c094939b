"""What two language models make of the same sequences."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from explorer.analysis.check.evidence import Evidence
from explorer.engine.prepared import logits_of
from explorer.pruning.running import fitting, runnable
from explorer.types.inputs import call
from explorer.types.stopping import check

_BATCH = 16
Array = NDArray[np.float64]


def token_losses(evidence: Evidence) -> tuple[Array, Array, Array, Array]:
    """Of each sequence: the summed loss before and after, how many tokens were predicted, how many choices changed."""
    modules = [runnable(model) for model in (evidence.dense, evidence.candidate)]
    parts: list[list[torch.Tensor]] = []
    for start in range(0, evidence.n, _BATCH):
        check()
        x, y = evidence.split.x[start : start + _BATCH], evidence.labels[start : start + _BATCH]  # type: ignore[index]
        counted = y >= 0
        logs, choices = [], []
        with torch.inference_mode():
            for module in modules:
                scores = logits_of(call(module, fitting(x, module)), len(x)).double().cpu()
                choices.append(scores.argmax(dim=-1))
                of_label = scores.log_softmax(dim=-1).gather(-1, y.clamp_min(0)[..., None])[..., 0]
                logs.append(-(of_label * counted).sum(dim=1))
        changed = ((choices[0] != choices[1]) & counted).sum(dim=1)
        parts.append([*logs, counted.sum(dim=1), changed])
    before, after, n_tokens, n_changed = (torch.cat(each).double().numpy() for each in zip(*parts, strict=True))
    return before, after, n_tokens, n_changed
