from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import ClassVar, TypedDict, Unpack

import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.pruning.evidence.tracks import Made, makers_of, mark, marks
from explorer.pruning.evidence.watching import Watch, argument, watched
from explorer.types import LoadedModel, Split
from explorer.types.aliases import CallArguments, GraphValue, NamedArguments, Operation

_ATTENTION = "scaled_dot_product_attention"
_LAYER = F.multi_head_attention_forward


class AttentionEvidence:
    """How surely each head attends: one mapping, parameter -> (heads,), from 0 to 1.

    The largest attention weight of a head, mean over samples and places. The parameters are those of the
    projections that made the queries (keys, where weights are computed from both); every attention is
    seen: torch's function and layers, and a softmax over products written out.
    """

    key: ClassVar[str] = "attention"
    labels: ClassVar[bool] = False

    def collect(self, model: LoadedModel, split: Split) -> dict[str, Tensor]:
        sums: dict[str, Tensor] = {}
        counts: dict[str, int] = defaultdict(int)

        def make(names: Mapping[int, str]) -> _Heads:
            return _Heads(names, sums, counts)

        watched(model, split, make)
        return {name: (total / counts[name]).float() for name, total in sums.items()}


class _Heads(Watch):
    def __init__(self, names: Mapping[int, str], sums: dict[str, Tensor], counts: dict[str, int]) -> None:
        super().__init__(names)
        self._sums, self._counts = sums, counts

    def called(self, func: Operation, args: CallArguments, kwargs: NamedArguments) -> GraphValue:
        """A whole attention layer is asked for the weights that it would keep to itself."""
        if func is not _LAYER:
            return func(*args, **kwargs)
        out, weights = func(*args, **{**kwargs, "need_weights": True, "average_attn_weights": False})
        own = (argument(args, kwargs, 5, "in_proj_weight"), kwargs.get("q_proj_weight"))
        self._note(weights, {name for name in map(self.name_of, own) if name is not None})
        asked, mean = kwargs.get("need_weights", True), kwargs.get("average_attn_weights", True)
        return out, (weights.mean(dim=-3) if mean else weights) if asked else None

    def saw(self, name: str, args: CallArguments, kwargs: NamedArguments, out: GraphValue) -> None:
        if name == "linear":
            weight = argument(args, kwargs, 1, "weight")
            mark(out, self._made_by(weight) or marks(weight))
        elif name == "__getitem__" and self.name_of(args[0]):
            mark(out, self._made_by(args[0]))  # some rows of a packed projection
        elif name in (_ATTENTION, "softmax"):
            if name == _ATTENTION:
                query = argument(args, kwargs, 0, "query")
                self._note(attention_weights(*args, **kwargs), {maker.parameter for maker in marks(query)})
            elif out.dim() == 4 and argument(args, kwargs, 1, "dim") in (-1, 3):
                self._note(out, {maker.parameter for maker in makers_of(args, kwargs)})
            mark(out, frozenset())  # what comes out is values, mixed: no head's own any more
        else:
            mark(out, makers_of(args, kwargs))

    def _made_by(self, weight: GraphValue) -> frozenset[Made]:
        parameter = self.name_of(weight)
        return frozenset() if parameter is None else frozenset({Made(parameter, -1, len(weight))})

    def _note(self, weights: Tensor, parameters: set[str]) -> None:
        """(..., heads, queries, keys) weights that come from these projections."""
        surest = weights.detach().amax(dim=-1).movedim(-2, 0).flatten(1)
        total = surest.nan_to_num().sum(dim=1, dtype=torch.float64)
        for parameter in parameters:
            if self._sums.get(parameter, total).shape == total.shape:
                self._sums[parameter] = self._sums.get(parameter, torch.zeros_like(total)) + total
                self._counts[parameter] += surest.shape[1]


class AttentionOptions(TypedDict, total=False):
    """What torch's function takes as keywords alone."""

    scale: float | None
    enable_gqa: bool


def attention_weights(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    **options: Unpack[AttentionOptions],
) -> Tensor:
    """(..., heads, queries, keys): the weights by which torch's function mixes the values; same arguments."""
    scale = options.get("scale")
    if options.get("enable_gqa"):
        key = key.repeat_interleave(query.shape[-3] // key.shape[-3], dim=-3)
    scores = query @ key.transpose(-2, -1) * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    if is_causal:
        scores = scores.masked_fill(~torch.ones(scores.shape[-2:], dtype=torch.bool).tril(), -math.inf)
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        scores = scores.masked_fill(~attn_mask, -math.inf)
    elif attn_mask is not None:
        scores = scores + attn_mask
    return scores.softmax(dim=-1)
