"""Batch-norm statistics, estimated again for the network as it is now."""

from __future__ import annotations

import copy
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from explorer.errors import Refusal
from explorer.params import param
from explorer.pruning.running import fitting, runnable
from explorer.recovery.context import RecoveryContext
from explorer.recovery.state import RecoveryProgress, State, recovered_model
from explorer.types import Dataset, LoadedModel
from explorer.types.inputs import Inputs, call
from explorer.types.stopping import check


@dataclass(frozen=True)
class Refresh:
    """Running means and variances start anew and become the plain average over batches of fit; no labels.

    Weights stay as they are, bit for bit. Seconds of work, and often most of what one-shot pruning lost. A network
    without batch norm stays as it is.

    Weak where there is no batch norm, or the samples of fit are few: the averages are then noisy.

    Source: Li et al. 2020, arXiv:2007.02491 (adaptive batch normalisation after pruning).
    """

    key: ClassVar[str] = "refresh"
    label: ClassVar[str] = "Refresh batch norm"
    n_epochs: ClassVar[int] = 0
    n_samples: int = param(1024, "Samples", low=2, high=10_000_000, help="Of fit, from its beginning.")
    batch_size: int = param(128, "Batch size", low=2, high=65_536)

    def why_not(self, dense: LoadedModel, data: Dataset) -> Refusal | None:
        """It needs real samples to look at."""
        if data.meta.get("generated"):
            why = "Statistics of generated noise are not those of what the network will meet."
            return Refusal("Recovery needs real data.", why=why, fix="Choose data such as digits or folder:PATH.")
        if not len(data.splits.get("fit") or ()):
            why = data.why_no_split.get("fit", "")
            return Refusal(f"{data.address} has no fit split to look at.", why=why, fix="Choose other data.")
        return None

    def run(self, state: State, context: RecoveryContext) -> Generator[RecoveryProgress, None, State]:
        """The same network with statistics that fit it."""
        batch_norms = statistics(state.model, context.fit.x[: self.n_samples], self.batch_size, context.device)
        if not batch_norms:
            yield context.final_progress(state, notes=("This network has no batch norm; nothing was refreshed.",))
            return state
        after = replace(state, model=recovered_model(state.model, batch_norms))
        yield context.final_progress(after)
        return after


def has_batch_norm(model: LoadedModel) -> bool:
    """Whether there is anything to refresh."""
    return model.module is not None and bool(_norms(model.module))


def statistics(model: LoadedModel, x: Inputs, batch_size: int, device: str = "cpu") -> dict[str, Tensor]:
    """Running statistics by path: the average of those of batches of equal size (the rest of ``x`` is left out)."""
    module = copy.deepcopy(runnable(model)).to(device).eval()
    norms = _norms(module)
    if not norms:
        return {}
    for norm in norms.values():
        _begin_anew(norm)
    size = min(batch_size, len(x))
    with torch.no_grad():
        for start in range(0, len(x) - size + 1, size):
            check()
            call(module, fitting(x[start : start + size], module))
    return {f"{path}.{name}": b.detach().cpu() for path, norm in norms.items() for name, b in norm.named_buffers()}


def _norms(module: nn.Module) -> dict[str, _BatchNorm]:
    return {n: m for n, m in module.named_modules() if isinstance(m, _BatchNorm) and m.track_running_stats}


def _begin_anew(norm: _BatchNorm) -> None:
    norm.reset_running_stats()
    norm.momentum = None  # a cumulative average: each batch counts the same
    norm.train()
