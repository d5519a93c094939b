"""The steps of a recipe: one file per member, one registry."""

from __future__ import annotations

from explorer.params import Registry
from explorer.recovery.context import RecoveryContext
from explorer.recovery.steps.base import Step
from explorer.recovery.steps.finetune import Finetune
from explorer.recovery.steps.gradual import Gradual
from explorer.recovery.steps.narrow import Narrow
from explorer.recovery.steps.prune import Prune
from explorer.recovery.steps.quantize import Quantize
from explorer.recovery.steps.refresh import Refresh
from explorer.recovery.steps.reinit import Reinit
from explorer.recovery.steps.rewind import Rewind
from explorer.recovery.steps.rigl import Rigl
from explorer.recovery.steps.shuffle_mask import ShuffleMask

__all__ = [
    "MEMBERS",
    "STEPS",
    "Finetune",
    "Gradual",
    "Narrow",
    "Prune",
    "Quantize",
    "RecoveryContext",
    "Refresh",
    "Reinit",
    "Rewind",
    "Rigl",
    "ShuffleMask",
    "Step",
]

MEMBERS: tuple[type[Step], ...] = (
    *(Prune, Refresh, Finetune, Gradual, Rigl, Rewind),
    *(Reinit, ShuffleMask, Narrow, Quantize),
)
STEPS: Registry[Step] = Registry("recovery step", MEMBERS)
