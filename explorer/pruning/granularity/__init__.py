"""What is one unit? One file a member; to add one: a file and a line here."""

from __future__ import annotations

from explorer.params import Registry
from explorer.pruning.granularity.base import Granularity
from explorer.pruning.granularity.block import Block
from explorer.pruning.granularity.depth import Depth
from explorer.pruning.granularity.head import Head
from explorer.pruning.granularity.hidden_unit import HiddenUnit
from explorer.pruning.granularity.in_channel import InChannel
from explorer.pruning.granularity.kernel import Kernel
from explorer.pruning.granularity.layer import Layer
from explorer.pruning.granularity.mlp_neuron import MlpNeuron
from explorer.pruning.granularity.n_of_m import NOfM
from explorer.pruning.granularity.out_channel import OutChannel
from explorer.pruning.granularity.weight import Weight

MEMBERS: tuple[type[Granularity], ...] = (
    Weight, OutChannel, Head, MlpNeuron, HiddenUnit, Layer, Depth, InChannel, Kernel, Block, NOfM,
)  # fmt: skip
GRANULARITIES: Registry[Granularity] = Registry("granularity", MEMBERS)


def get(name_or_object: str | Granularity) -> Granularity:
    """A granularity from its object, its key, or text such as "key:name=value"."""
    return GRANULARITIES.get(name_or_object)
