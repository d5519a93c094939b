"""Pictures moved a little, so that a network in training never sees the same one twice."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def moved(x: Tensor, largest: float, generator: torch.Generator) -> Tensor:
    """Every picture shifted (by up to ``largest`` pixels), turned and scaled a little; the rim is background."""
    n = len(x)
    draw = torch.rand(n, 4, generator=generator) * 2 - 1
    angle, scale = draw[:, 0] * 0.2, 1 + draw[:, 1] * 0.1
    move = draw[:, 2:] * (2 * largest / x.shape[-1])
    cos, sin = angle.cos() * scale, angle.sin() * scale
    theta = torch.stack([cos, -sin, move[:, 0], sin, cos, move[:, 1]], dim=1).view(n, 2, 3)
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    background = x.amin()
    return F.grid_sample(x - background, grid, align_corners=False) + background
