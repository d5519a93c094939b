from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from explorer.errors import Refusal
from explorer.pruning.criteria.base import Criterion, Units


@dataclass(frozen=True)
class BnScale(Criterion):
    """Network slimming: channels that their batch norm scales down matter least.

    score[g] = mean of |gamma| over the batch norms that scale the unit's channels: one for a plain
    convolution, one for each layer where residual additions make layers share channels, all channels of all
    its batch norms for a residual block. The paper trains with an L1 penalty on gamma first; without that, gamma
    still says how large a channel leaves its layer.

    Weak where the network was trained without a penalty on gamma: scales then say little, and a following layer
    may undo them. Without batch norm there is no score.

    Source: Liu et al. 2017, arXiv:1708.06519.
    """

    key: ClassVar[str] = "bn_scale"
    label: ClassVar[str] = "Batch-norm scale"

    def why_not(self, units: Units) -> Refusal | None:
        _, group, _ = units.of
        if not group.parts:
            return Refusal(f"A batch norm scales whole channels: it says nothing about a single {group.unit}.")
        _, times = _sums(units)
        if not bool(times.all()):
            return Refusal(f"No batch norm scales each {group.unit} of this layer.")
        return None

    def score(self, units: Units) -> Tensor:
        sums, times = _sums(units)
        return (sums / times).float()


def _sums(units: Units) -> tuple[Tensor, Tensor]:
    """(n_units,) the sum of |gamma| of each unit, and how many there are of it."""
    model, group, _ = units.of
    sums, times = torch.zeros(group.n_units, dtype=torch.float64), torch.zeros(group.n_units, dtype=torch.float64)
    for part in group.parts:
        path, _, key = part.parameter.rpartition(".")
        if model.module is None or key != "weight" or part.parameter not in model.weights:
            continue
        if isinstance(model.module.get_submodule(path), nn.modules.batchnorm._BatchNorm):
            inside = part.units >= 0
            gamma = model.weights[part.parameter].detach().abs().double()[inside]
            sums.index_add_(0, part.units[inside], gamma)
            times.index_add_(0, part.units[inside], torch.ones_like(gamma))
    return sums, times
