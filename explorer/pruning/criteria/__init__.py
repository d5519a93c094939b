"""How important is a unit? One file a member; to add one: a file and a line here."""

from __future__ import annotations

from explorer.params import Registry
from explorer.pruning.criteria.apoz import Apoz
from explorer.pruning.criteria.base import Criterion
from explorer.pruning.criteria.block_influence import BlockInfluence
from explorer.pruning.criteria.bn_scale import BnScale
from explorer.pruning.criteria.fisher import Fisher
from explorer.pruning.criteria.geometric_median import GeometricMedian
from explorer.pruning.criteria.gradient import Gradient
from explorer.pruning.criteria.head_confidence import HeadConfidence
from explorer.pruning.criteria.lamp import Lamp
from explorer.pruning.criteria.lp_norm import LpNorm
from explorer.pruning.criteria.movement import Movement
from explorer.pruning.criteria.obd import Obd
from explorer.pruning.criteria.obs import Obs
from explorer.pruning.criteria.random import Random
from explorer.pruning.criteria.row_magnitude import RowMagnitude
from explorer.pruning.criteria.snip import Snip
from explorer.pruning.criteria.sparsegpt import SparseGpt
from explorer.pruning.criteria.taylor import Taylor
from explorer.pruning.criteria.wanda import Wanda

MEMBERS: tuple[type[Criterion], ...] = (
    LpNorm,
    RowMagnitude,
    Lamp,
    GeometricMedian,
    BnScale,
    Gradient,
    Taylor,
    Fisher,
    Obd,
    Obs,
    SparseGpt,
    Snip,
    Movement,
    Wanda,
    Apoz,
    HeadConfidence,
    BlockInfluence,
    Random,
)
CRITERIA: Registry[Criterion] = Registry("criterion", MEMBERS)


def get(name_or_object: str | Criterion) -> Criterion:
    """A criterion from its object, its key, or text such as "key:name=value"."""
    return CRITERIA.get(name_or_object)
