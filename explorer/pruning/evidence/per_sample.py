"""Squared gradients sample by sample, in bounded memory."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.utils._pytree import tree_map

from explorer.pruning.evidence.running import private_copy
from explorer.pruning.running import class_scores
from explorer.types import LoadedModel
from explorer.types.inputs import Inputs, call
from explorer.types.stopping import check

_NUMBERS = 1 << 24  # gradients held at a time: 64 MB of floats
_MOST_AT_ONCE = 32

# (samples, classes) class scores, and the number of the first sample -> (samples, directions, classes)
Directions = Callable[[Tensor, int], Tensor]


def mean_squares(model: LoadedModel, x: Inputs, directions: Directions) -> dict[str, Tensor]:
    """Of each parameter: the mean over samples of the squared derivatives along directions, summed over these.

    A direction v says which combination v . logits of a sample's class scores is followed back.
    """
    module = private_copy(model, gradients=True)
    named = {name: p for name, p in module.named_parameters() if name in model.weights}
    totals = {
        name: torch.zeros(p.shape, dtype=torch.promote_types(p.dtype, torch.float32)) for name, p in named.items()
    }
    at_once = min(_MOST_AT_ONCE, _NUMBERS // max(1, sum(p.numel() for p in named.values())))
    together = at_once > 1
    for start in range(0, len(x), max(1, at_once)):
        part = x[start : start + max(1, at_once)]
        with torch.no_grad():
            followed = directions(class_scores(call(module, part)), start)
        if together:
            together = _all_at_once(module, named, part, followed, totals)
        if not together:
            _one_by_one(module, named, part, followed, totals)
    return {name: total / len(x) for name, total in totals.items()}


def _all_at_once(
    module: nn.Module, named: Mapping[str, nn.Parameter], x: Inputs, followed: Tensor, totals: dict[str, Tensor]
) -> bool:
    """Add the squares of these samples; False (and nothing added) where the network cannot be run that way."""

    args, kwargs = ((x,), {}) if isinstance(x, Tensor) else (x.args, dict(x.named))

    def along(parameters: dict[str, Tensor], sample: tuple[Any, ...], direction: Tensor) -> Tensor:
        one_sample = tree_map(lambda tensor: tensor.unsqueeze(0), sample)
        scores = class_scores(functional_call(module, parameters, *one_sample))
        return (scores[0] * direction).sum()

    of_each = vmap(grad(along), in_dims=(None, 0, 0))
    parameters = {name: p.detach() for name, p in named.items()}
    sums = {name: torch.zeros_like(total) for name, total in totals.items()}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for i in range(followed.shape[1]):
                check()
                for name, gradients in of_each(parameters, (args, kwargs), followed[:, i]).items():
                    sums[name] += gradients.to(sums[name].dtype).square().sum(dim=0)
    except Exception:
        logging.getLogger(__name__).debug("The samples go one by one.", exc_info=True)
        return False
    for name, total in totals.items():
        total += sums[name]
    return True


def _one_by_one(
    module: nn.Module, named: Mapping[str, nn.Parameter], x: Inputs, followed: Tensor, totals: dict[str, Tensor]
) -> None:
    for place, directions in enumerate(followed):
        scores = class_scores(call(module, x[place : place + 1]))[0]
        for direction in directions:
            check()
            gradients = torch.autograd.grad(
                (scores * direction).sum(), list(named.values()), allow_unused=True, retain_graph=True
            )
            for name, gradient in zip(named, gradients, strict=True):
                if gradient is not None:
                    totals[name] += gradient.to(totals[name].dtype).square()
