"""The settings of recovery, declared once: steps take them, and flags, forms and help follow from their fields.

Nothing here needs torch, so that ``--help`` reads these declarations too.
"""

from __future__ import annotations

from dataclasses import dataclass

from explorer.params import param
from explorer.recovery.schedules import RATE_SCHEDULES, SPARSITY_SCHEDULES

FEWEST_BITS, MOST_BITS = 2, 8
CACHE_BITS = (32, 16, 8)


@dataclass(frozen=True)
class TrainingSettings:
    """How a network is trained. With a ``distil_weight`` the dense model teaches along.

    ``schedule`` says how the learning rate moves below its peak; ``one_cycle`` is a short warm-up and a long
    cosine. ``keep`` is which epoch's weights are the result: the best on tune, or the last.

    Source: distillation as in Hinton et al. 2015, arXiv:1503.02531 (section 2.1: soft targets at a temperature,
    scaled by its square).
    """

    epochs: int = param(20, "Epochs", low=1, high=10_000, help="How often training goes through the whole fit split.")
    learning_rate: float = param(1e-3, "Learning rate", low=1e-8, high=10.0, help="The highest of the schedule.")
    optimiser: str = param("adamw", "Optimiser", choices=("adamw", "sgd"))
    schedule: str = param("one_cycle", "Rate schedule", choices=RATE_SCHEDULES)
    batch_size: int = param(64, "Batch size", low=1, high=65_536)
    weight_decay: float = param(0.0, "Weight decay", low=0.0, high=1.0)
    momentum: float = param(0.9, "Momentum", low=0.0, high=0.999, help="Of sgd alone.")
    label_smoothing: float = param(0.0, "Label smoothing", low=0.0, high=0.9)
    shift: float = param(0.0, "Shift", low=0.0, high=64.0, help="Largest move of a picture in pixels; 0: none.")
    clip: float = param(1.0, "Gradient norm", low=0.0, high=1e6, help="Longer gradients are shortened; 0: never.")
    distil_weight: float = param(0.0, "Distillation", low=0.0, high=1.0, help="Share of the loss; 0: labels alone.")
    temperature: float = param(4.0, "Temperature", low=0.1, high=100.0, help="Softens what the dense model says.")
    keep: str = param("best", "Epoch that counts", choices=("best", "last"), help="The best on tune, or the last.")
    seed: int = param(0, "Seed", low=0, high=2**31 - 1)


@dataclass(frozen=True)
class RisingSettings:
    """How sparsity rises during one training."""

    rise: str = param("cubic", "Rise", choices=SPARSITY_SCHEDULES, help="How sparsity rises from 0 to the end.")
    initial: float = param(0.0, "First sparsity", low=0.0, high=1.0)
    rising: float = param(0.6, "Rising share", low=0.0, high=1.0, help="Share of the epochs that prune.")


@dataclass(frozen=True)
class RewindSettings:
    """To which moment of training the weights go back."""

    to: str = param(
        "init", "Back to", choices=("init", "early"), help="The first weights of all, or those after first epochs."
    )
    epochs: int = param(1, "Epochs", low=1, high=10_000, help="Of early: how much of the first training comes first.")
    file: str = param("", "First weights", help="A file of the weights before training; samples bring theirs.")


@dataclass(frozen=True)
class QuantizeSettings:
    """How finely weights are rounded."""

    bits: int = param(8, "Bits", low=FEWEST_BITS, high=MOST_BITS, help="Of each weight.")
