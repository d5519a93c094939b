"""What normalisation over channels does to labels: channels that are zero when they go need not stay for its sake.

A normalisation over the channels of each place is computed with as many zeros as channels have gone; ``renumber``
hands them to it, so that what is left is normalised as it is in the masked network.
"""

from __future__ import annotations

from torch import Tensor

from explorer.pruning.coupling.uses import Uses
from explorer.pruning.operators.layers import channels


def over_last(uses: Uses, weight: Tensor | None, bias: Tensor | None, x: Tensor) -> Tensor:
    """Layer or root-mean-square normalisation over the last dimension, whose gone channels are zero before it."""
    vector = channels(uses, x, -1, "layer normalisation")
    uses.follow(weight, 0, vector)
    uses.follow(bias, 0, vector)
    return x


def in_groups(uses: Uses, n_groups: int, weight: Tensor | None, bias: Tensor | None, x: Tensor) -> Tensor:
    """Group normalisation: the channels of one group are normalised together, so they go together.

    One group over all channels is a layer normalisation; its channels are zero before it when they go.
    """
    vector = channels(uses, x, 1, "group normalisation")
    if n_groups > 1:
        by_group = vector.reshape(n_groups, -1)
        uses.labels.join(by_group[:, :1], by_group, "group normalisation: a group goes as a whole")
    uses.follow(weight, 0, vector)
    uses.follow(bias, 0, vector)
    return x
