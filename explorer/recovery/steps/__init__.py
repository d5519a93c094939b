"""The steps of a recipe: one file per member, one registry."""

from __future__ import annotations

from explorer.params import Registry
from explorer.recovery.steps.base import Room, Step
from explorer.recovery.steps.finetune import Finetune
from explorer.recovery.steps.prune import Prune
from explorer.recovery.steps.refresh import Refresh

__all__ = ["MEMBERS", "STEPS", "Finetune", "Prune", "Refresh", "Room", "Step"]

MEMBERS: tuple[type[Step], ...] = (Prune, Refresh, Finetune)
STEPS: Registry[Step] = Registry("recovery step", MEMBERS)
