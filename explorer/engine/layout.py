"""How samples are cut into batches: by counting work, so that every run cuts them alike."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from explorer.types.inputs import Inputs, call

FIRST = 64  # the first estimate is made of so many samples at most, and of half a batch
_WORK = 2.6e9  # multiply-adds in a batch: some tens of milliseconds on one core
_ACTIVATION = 4 << 20  # bytes of a layer's output: larger ones leave the processor's cache and cost memory calls
_AT_MOST, _FEW = 256, 16


def natural_batch_size(shell: nn.Module, x: Inputs) -> int:
    """A power of two whose batch takes some tens of milliseconds; ``x``: (1, ...), one sample.

    ``shell`` is run once and thrown away: it is left with hooks.
    """
    work, largest = [0.0], [1]
    for module in shell.modules():
        if any(p.dim() > 1 for p in module.parameters(recurse=False)):
            module.register_forward_hook(partial(_add_work, work))
        if isinstance(module, _ConvNd):
            module.register_forward_hook(partial(_note_size, largest))
    with torch.no_grad():
        call(shell, x)
    size = _AT_MOST
    while size > 1 and (size * work[0] > _WORK or (size > _FEW and size * largest[0] > _ACTIVATION)):
        size //= 2
    return size


def _add_work(work: list[float], module: nn.Module, _inputs: object, output: object) -> None:
    """Every weight is used once at each position of the output (attention's own products apart)."""
    while isinstance(output, tuple | list) and output:
        output = output[0]
    if isinstance(output, Tensor) and output.dim() > 1:
        channels = output.shape[1 if isinstance(module, _ConvNd) else -1]
        weights = sum(p.numel() for p in module.parameters(recurse=False) if p.dim() > 1)
        work[0] += weights * output.numel() / max(1, channels)


def _note_size(largest: list[int], _module: nn.Module, _inputs: object, output: object) -> None:
    if isinstance(output, Tensor):
        largest[0] = max(largest[0], output.numel() * output.element_size())


def batches(n_samples: int, batch_size: int) -> list[slice]:
    """The samples in order: a first batch of half the size and at most 64, then batches of ``batch_size``."""
    first = min(FIRST, -(-batch_size // 2), n_samples)
    return [slice(0, first), *even_batches(n_samples, batch_size, start=first)]


def even_batches(n_samples: int, batch_size: int, *, start: int = 0) -> list[slice]:
    """The samples from ``start`` on, in order, in batches of ``batch_size``; the last one may be smaller."""
    return [slice(at, min(at + batch_size, n_samples)) for at in range(start, n_samples, batch_size)]


def equal_batches(start: int, end: int, batch_size: int) -> list[slice]:
    """Samples ``start`` to ``end`` in as few batches of nearly equal size as come near ``batch_size``."""
    n_batches = max(1, round((end - start) / batch_size))
    cuts = [start + (end - start) * i // n_batches for i in range(n_batches + 1)]
    return [slice(a, b) for a, b in pairwise(cuts)]
