"""How long a pass of a model over samples takes on this machine: what durations are estimated from."""

from __future__ import annotations

import time

import torch

from explorer.engine.workers import n_cores
from explorer.pruning.running import fitting, runnable
from explorer.types import LoadedModel, Split

_MOST, _LARGE_BYTES = 64, 64 << 20


def pass_seconds(model: LoadedModel, split: Split) -> float:
    """Seconds for one pass over all samples, with every core at work; from one small batch, timed once it is warm."""
    module = runnable(model)
    # A large network is timed on few samples: nobody waits for an estimate.
    most = _MOST if sum(t.numel() * t.element_size() for t in model.weights.values()) < _LARGE_BYTES else 4
    x = fitting(split.x[: min(most, len(split))], module)
    with torch.inference_mode():
        module(x[:1])
        start = time.perf_counter()
        module(x)
        seconds = time.perf_counter() - start
    return seconds * len(split) / len(x) / max(1, n_cores() // torch.get_num_threads())
