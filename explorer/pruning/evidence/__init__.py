"""What criteria know beyond the weights, one file a kind; to add one: a file and a line here."""

from __future__ import annotations

from explorer.pruning.evidence.attention import AttentionEvidence
from explorer.pruning.evidence.base import Collector
from explorer.pruning.evidence.block_influence import InfluenceEvidence
from explorer.pruning.evidence.connection_sensitivity import ConnectionSensitivity
from explorer.pruning.evidence.curvature import Curvature
from explorer.pruning.evidence.gradients import Gradients
from explorer.pruning.evidence.input_products import InputProducts
from explorer.pruning.evidence.input_squares import InputSquares
from explorer.pruning.evidence.movement import MovementEvidence
from explorer.pruning.evidence.squared_gradients import SquaredGradients
from explorer.pruning.evidence.zeros import Zeros

MEMBERS: tuple[type[Collector], ...] = (
    Gradients,
    SquaredGradients,
    Curvature,
    ConnectionSensitivity,
    MovementEvidence,
    InputSquares,
    InputProducts,
    Zeros,
    AttentionEvidence,
    InfluenceEvidence,
)
COLLECTORS: dict[str, type[Collector]] = {member.key: member for member in MEMBERS}
